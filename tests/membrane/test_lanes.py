"""Eight floats at a time, against NumPy and against 30 digits."""

import mpmath
import numpy as np
import pytest
from numba import njit

from ttfs_pynn.membrane import lanes

ULP = 2.0 ** -52


@njit(cache=True, error_model="numpy")
def _exponentials(x, found):
    for k in range(0, x.size, 8):
        v = lanes.load(x, k)
        lanes.store(found, k, lanes.exp(v))
        lanes.store(found, x.size + k, lanes.expm1(v))
        both = lanes.exp_and_expm1(v)
        lanes.store(found, 2 * x.size + k, both[0] - both[1])


@njit(cache=True, error_model="numpy")
def _arithmetic(a, b, found):
    x, y = lanes.load(a, 0), lanes.load(b, 0)
    lanes.store(found, 0, (x + y) * 2.0 - 1.0 / y)
    lanes.store(found, 8, lanes.fma(x, y, 3.0))
    lanes.store(found, 16, lanes.select((x > y) & (x <= 2.0) | (y >= 4.0), x, 0.0 - y))
    lanes.store(found, 24, lanes.maximum(lanes.minimum(x, y), lanes.absolute(lanes.sqrt(y))))
    return lanes.bits(x < y), lanes.lane_sum(x), lanes.lane_max(x)


@njit(cache=True, error_model="numpy")
def _masks(number, a, found):
    lanes.store(found, 0, lanes.select(lanes.mask_of(number), lanes.load(a, 0), 0.0))
    return lanes.lowest(number)


@njit(cache=True, error_model="numpy")
def _gathered(a, places, words, bit_places, found):
    lanes.prefetch(a, 0)
    lanes.store(found, 0, lanes.gathered(a, places, 1))
    return lanes.gathered_bits(words, bit_places, 0)


@njit(cache=True, error_model="numpy")
def _by_address(a, places, found):
    data, place, target = lanes.address(a), lanes.address(places), lanes.address(found)
    lanes.store(target, 0, lanes.load(data, 3) + data[2])
    lanes.store_where(target, 8, lanes.load(data, 0), lanes.mask_of(0b101))
    lanes.store(target, 16, lanes.gathered(data, place, 1))
    return place[1]


@njit(cache=True, error_model="numpy")
def _is_aligned(n):
    return lanes.aligned(n).ctypes.data % 64 == 0


@njit(cache=True, error_model="numpy")
def _logarithms(x, found):
    for k in range(0, x.size, 8):
        lanes.store(found, k, lanes.log1p(lanes.load(x, k)))


@njit(cache=True, error_model="numpy")
def _wide(a, b, found):
    zero = lanes.splat_32(0.0)
    x, y = lanes.load_like(a, 0, zero), lanes.load_like(b, 0, zero)
    chosen = x > y
    lanes.store(found, 0, lanes.exp(lanes.select(chosen, x, 0.5) * 2.0))
    lanes.compress(found, 32, x, chosen)
    return lanes.bits(chosen), lanes.count(lanes.bits(chosen))


def _exponentials_of(x):
    found = np.empty(3 * x.size)
    _exponentials(x, found)
    return found.reshape(3, -1)


def test_exponentials_to_the_last_place():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-707, 700, 400), rng.uniform(-2, 2, 400), 10.0 ** rng.uniform(-300, 0, 200),
                        -10.0 ** rng.uniform(-300, 0, 192), [0.0, -0.0, 1e-16, -1e-16, 0.35, -0.35, -707.9, 708.9]])
    with mpmath.workdps(40):
        exact = [np.array([float(f(mpmath.mpf(v))) for v in x]) for f in (mpmath.exp, mpmath.expm1)]
    found = _exponentials_of(x)
    assert x.size == 1200 and (exact[0] > 0).all()
    # one rounding of the polynomial and one of the sum; expm1 has a subtraction more
    np.testing.assert_allclose(found[0], exact[0], rtol=1.0 * ULP, atol=0)
    np.testing.assert_allclose(found[1], exact[1], rtol=2.0 * ULP, atol=0)


def test_exponentials_far_below_are_nothing():
    x = np.array([-709.0, -745.0, -800.0, -1e9, -1e300, -np.inf, -1e5, -708.5])
    found = _exponentials_of(x)
    assert (found[0] == 0.0).all() and (found[1] == -1.0).all()


def test_logarithms_to_a_few_places():
    rng = np.random.default_rng(3)
    x = np.concatenate([-rng.uniform(0, 1, 400), rng.uniform(0, 10, 400), 10.0 ** rng.uniform(-300, 100, 392),
                        [0.0, -0.5, 1.0, -1 + 1e-16, 1e-17, -1e-17, 3.0, -0.2928932188134524]])
    found = np.empty(x.size)
    _logarithms(x, found)
    with mpmath.workdps(40):
        exact = np.array([float(mpmath.log1p(mpmath.mpf(v))) for v in x])
    assert x.size == 1200 and np.isfinite(exact).all()
    np.testing.assert_allclose(found, exact, rtol=4 * ULP, atol=0)  # a division and two sums of rounded terms


def test_more_lanes_than_a_register_has():
    rng = np.random.default_rng(4)
    a, b, found = rng.normal(size=32), rng.normal(size=32), np.zeros(64)
    chosen, n = _wide(a, b, found)
    assert chosen == sum(1 << k for k in range(32) if a[k] > b[k]) and n == (a > b).sum() and 0 < n < 32
    np.testing.assert_allclose(found[:32], np.exp(2 * np.where(a > b, a, 0.5)), rtol=2 * ULP)
    np.testing.assert_array_equal(found[32:32 + n], a[a > b])
    assert (found[32 + n:] == 0).all()


def test_arithmetic_comparison_and_sums():
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-5, 5, 8), rng.uniform(0.1, 5, 8)
    found = np.empty(32)
    below, total, largest = _arithmetic(a, b, found)
    np.testing.assert_allclose(found[:8], (a + b) * 2 - 1 / b, rtol=4 * ULP, atol=16 * ULP)
    np.testing.assert_allclose(found[8:16], a * b + 3, rtol=4 * ULP, atol=16 * ULP)
    np.testing.assert_array_equal(found[16:24], np.where((a > b) & (a <= 2) | (b >= 4), a, -b))
    np.testing.assert_array_equal(found[24:], np.maximum(np.minimum(a, b), np.sqrt(b)))
    assert below == sum(1 << k for k in range(8) if a[k] < b[k]) and 0 < below < 255
    assert largest == a.max()
    assert total == pytest.approx(a.sum(), abs=1e-14)  # another order of eight summands


@pytest.mark.parametrize("number", [0b1, 0b10110100, 0b10000000, 0b11111111])
def test_masks_and_integers(number):
    a, found = np.arange(1.0, 9.0), np.empty(8)
    place = _masks(number, a, found)
    np.testing.assert_array_equal(found, [a[k] if number >> k & 1 else 0.0 for k in range(8)])
    assert number >> place & 1 and number % (1 << place) == 0


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_gathering(kind):
    rng = np.random.default_rng(2)
    a, places, found = rng.normal(size=100), rng.integers(0, 100, 9).astype(kind), np.empty(8)
    words, bit_places = rng.integers(-2 ** 31, 2 ** 31, 4).astype(np.int32), rng.integers(0, 128, 8).astype(np.int32)
    hits = _gathered(a, places, words, bit_places, found)
    np.testing.assert_array_equal(found, a[places[1:]])
    whole = sum((int(word) & 0xFFFFFFFF) << 32 * k for k, word in enumerate(words))
    assert [hits >> k & 1 for k in range(8)] == [whole >> int(place) & 1 for place in bit_places]


def test_memory_by_its_address():
    a, places, found = np.arange(20.0), np.arange(9)[::-1].copy(), np.full(24, -1.0)
    assert _by_address(a, places, found) == 7
    np.testing.assert_array_equal(found, [*(a[3:11] + a[2]), a[0], -1, a[2], *[-1] * 5, *a[7::-1]])


def test_arrays_begin_at_a_line_of_the_cache():
    assert all(_is_aligned(n) for n in range(1, 40))


@njit(cache=True, error_model="numpy")
def _partly(a, other, found):
    zero = lanes.splat(0.0)
    inside = lanes.ramp(0.0, zero) < float(a.size)
    lanes.store(found, 0, lanes.load_where(a, 0, inside, lanes.load(other, 0)))


def test_lanes_that_are_not_chosen_are_not_read():
    other, found = np.arange(8.0), np.zeros(8)
    for n in (1, 5, 8):
        _partly(np.full(n, 9.0), other, found)
        np.testing.assert_array_equal(found, np.where(np.arange(8) < n, 9.0, other))
