import numpy as np
import pytest

from tests.small_networks import assert_same
from ttfs_pynn.learning.optimizer import Adam, schedule


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


def test_schedules():
    assert schedule("constant", 0.1, 10)(7) == 0.1
    cosine = schedule("cosine", 0.1, 10)
    assert cosine(0) == 0.1 and cosine(5) == pytest.approx(0.05) and cosine(10) == pytest.approx(0, abs=1e-17)
    assert schedule("step_decay", 0.1, 10, factor=0.5, every=4)(8.5) == pytest.approx(0.025)
    with pytest.raises(ValueError, match="known: constant, cosine, step_decay"):
        schedule("linear", 0.1, 10)
