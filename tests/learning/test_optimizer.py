import numpy as np
import pytest

from ttfs_pynn.learning.optimizer import Adam, schedule


def test_first_step_has_the_size_of_the_learning_rate():
    adam = Adam([(2, 2)], [1.5])
    w = [np.ones((2, 2))]
    new = adam.step(w, [np.array([[1.0, -2.0], [0.0, 1e-3]])], 0.01)
    np.testing.assert_allclose(w[0] - new[0], 0.01 * 1.5 * np.array([[1, -1], [0, 1]]), rtol=1e-4)
    assert (w[0] == 1).all()


def test_finds_the_minimum_of_a_quadratic():
    adam, w = Adam([(3,)], [1.0]), [np.array([5.0, -3.0, 1.0])]
    for _ in range(3000):
        w = adam.step(w, [2 * (w[0] - np.array([1.0, 2.0, 3.0]))], 0.01)
    np.testing.assert_allclose(w[0], [1, 2, 3], atol=1e-3)


def test_restored_optimizer_goes_on_bit_for_bit():
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(10, 3))
    whole, w = Adam([(3,)], [2.0]), [np.zeros(3)]
    for g in gradients:
        w = whole.step(w, [g], 0.1)
    half, v = Adam([(3,)], [2.0]), [np.zeros(3)]
    for g in gradients[:5]:
        v = half.step(v, [g], 0.1)
    other = Adam([(3,)], [2.0])
    other.restore(half.state())
    for g in gradients[5:]:
        v = other.step(v, [g], 0.1)
    np.testing.assert_array_equal(w[0], v[0])


def test_schedules():
    assert schedule("constant", 0.1, 10)(7) == 0.1
    cosine = schedule("cosine", 0.1, 10)
    assert cosine(0) == 0.1 and cosine(5) == pytest.approx(0.05) and cosine(10) == pytest.approx(0, abs=1e-17)
    assert schedule("step_decay", 0.1, 10, factor=0.5, every=4)(8.5) == pytest.approx(0.025)
    with pytest.raises(ValueError, match="known: constant, cosine, step_decay"):
        schedule("linear", 0.1, 10)
