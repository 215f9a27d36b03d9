import numpy as np

from tests.small_networks import assert_same
from ttfs_pynn.learning.optimizer import Adam, add_to_rows


def test_first_step_has_the_size_of_the_learning_rate():
    adam = Adam({"w": (2, 2)}, {"w": 1.5})
    w = {"w": np.ones((2, 2)), "fixed": np.zeros(3)}
    new = adam.step(w, {"w": np.array([[1.0, -2.0], [0.0, 1e-3]])}, 0.01)
    np.testing.assert_allclose(w["w"] - new["w"], 0.01 * 1.5 * np.array([[1, -1], [0, 1]]), rtol=1e-4)
    assert (w["w"] == 1).all() and set(new) == {"w"}


def test_finds_the_minimum_of_a_quadratic():
    adam, w = Adam({"w": (3,)}, {"w": 1.0}), {"w": np.array([5.0, -3.0, 1.0])}
    for _ in range(3000):
        w = adam.step(w, {"w": 2 * (w["w"] - np.array([1.0, 2.0, 3.0]))}, 0.01)
    np.testing.assert_allclose(w["w"], [1, 2, 3], atol=1e-3)


def test_restored_optimizer_goes_on_bit_for_bit():
    rng = np.random.default_rng(0)
    shapes, scales = {"a": (3,), "b": (2, 2)}, {"a": 2.0, "b": 0.5}
    gradients = [{name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(10)]
    start = {name: np.zeros(shape) for name, shape in shapes.items()}
    whole, w = Adam(shapes, scales), start
    for g in gradients:
        w = whole.step(w, g, 0.1)
    half, v = Adam(shapes, scales), start
    for g in gradients[:5]:
        v = half.step(v, g, 0.1)
    other = Adam(shapes, scales)
    other.restore(half.state())
    for g in gradients[5:]:
        v = other.step(v, g, 0.1)
    assert_same(v, w)


def test_a_step_is_the_formula_for_any_number_of_weights():
    """Eight at a time and what is left of them; one division in place of two moves a step by rounding."""
    rng = np.random.default_rng(2)
    for n in (1, 7, 8, 9, 35):
        adam, w, m, s = Adam({"w": (n,)}, {"w": 1.5}), {"w": rng.normal(size=n)}, np.zeros(n), np.zeros(n)
        for t in range(1, 6):
            g = rng.normal(size=n) * (rng.random(n) < 0.7)
            m, s = 0.9 * m + 0.1 * (1.5 * g), 0.999 * s + 0.001 * (1.5 * g) ** 2
            expected = w["w"] - 0.1 * 1.5 * m / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
            before = w["w"].copy()
            new = adam.step(w, {"w": g}, 0.1)
            np.testing.assert_array_equal(w["w"], before)
            np.testing.assert_allclose(new["w"], expected, rtol=1e-13, atol=1e-15)
            w = new
        np.testing.assert_allclose(adam.m["w"], m, rtol=1e-13, atol=1e-18)
        np.testing.assert_allclose(adam.s["w"], s, rtol=1e-13, atol=1e-18)


def test_rows_are_raised_in_place():
    array, change = np.arange(12.0).reshape(3, 4), np.array([0.0, 1.5, 0.0, -2.0])
    expected = array + change
    add_to_rows(array, change)
    np.testing.assert_array_equal(array, expected)
