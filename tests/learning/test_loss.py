import numpy as np
import pytest

from ttfs_pynn.learning.loss import MeanSquaredError, PairwiseDifference, TimeToFirstSpike, predict

LOSSES = [TimeToFirstSpike(10.0), PairwiseDifference(10.0), MeanSquaredError(10.0)]
MORE = [TimeToFirstSpike(10.0, xi=0.5, margin=0.3), TimeToFirstSpike(10.0, xi=0.5, t_silent=3.0, margin=0.1),
        PairwiseDifference(10.0, difference=0.5, one_sided=True)]


def cases():
    rng = np.random.default_rng(0)
    times, labels = rng.uniform(5, 40, (30, 4)), rng.integers(4, size=30)
    times[rng.random(times.shape) < 0.15] = np.inf
    return times, labels


@pytest.mark.parametrize("loss", LOSSES + MORE, ids=str)
def test_derivatives_by_central_differences(loss):
    """Step 1e-5 ms: truncation about 1e-11, rounding 1e-11."""
    times, labels = cases()
    value, slope = loss(times, labels)
    assert value.shape == (30,) and np.isfinite(value).all()
    for sample, n in np.ndindex(*times.shape):
        if np.isinf(times[sample, n]):
            assert slope[sample, n] == 0
            continue
        up, down = times.copy(), times.copy()
        up[sample, n] += 1e-5
        down[sample, n] -= 1e-5
        numeric = (loss(up, labels)[0][sample] - loss(down, labels)[0][sample]) / 2e-5
        assert slope[sample, n] == pytest.approx(numeric, abs=1e-8)


def test_the_papers_loss_as_written():
    times, labels = np.array([[12.0, 15.0, np.inf]]), np.array([0])
    expected = np.log(1 + np.exp(-(15 - 12) / 2.0)) + 0.005 * (np.exp(1.2) - 1)
    assert TimeToFirstSpike(10.0)(times, labels)[0][0] == pytest.approx(expected, rel=1e-14)
    assert TimeToFirstSpike(10.0)(np.array([[np.inf, 5.0]]), np.array([0]))[0][0] == 100.0


def test_a_silent_right_neuron_pushes_the_others_back():
    slope = PairwiseDifference(10.0)(np.array([[np.inf, 12.0, 15.0]]), np.array([0]))[1]
    assert slope[0, 0] == 0 and (slope[0, 1:] < 0).all()


def test_what_is_right_by_more_than_the_difference_costs_nothing_on_one_side():
    times, labels = np.array([[10.0, 13.0, 11.0, np.inf]]), np.array([0])
    loss, slope = PairwiseDifference(10.0, difference=0.2, one_sided=True)(times, labels)
    assert loss[0] == pytest.approx(0.5 * 0.1 ** 2, rel=1e-12) and slope[0, [1, 3]].tolist() == [0.0, 0.0]
    assert slope[0, 2] == pytest.approx(-0.01, rel=1e-12) and slope[0, 0] == -slope[0, 2]


def test_a_margin_is_the_loss_of_wrong_neurons_that_spike_earlier():
    times, labels = cases()
    wrong = np.arange(4) != labels[:, None]
    expected = TimeToFirstSpike(10.0)(times - 2.5 * wrong, labels)
    found = TimeToFirstSpike(10.0, margin=0.25)(times, labels)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12, atol=1e-15)


def test_a_silent_right_neuron_of_the_papers_loss():
    """By default it teaches nothing, with t_silent it pushes back those that spike, and is still told nothing itself."""
    times, labels = np.array([[np.inf, 12.0, np.inf]]), np.array([0])
    assert not TimeToFirstSpike(10.0)(times, labels)[1].any()
    loss, slope = TimeToFirstSpike(10.0, t_silent=4.0)(times, labels)
    as_late = TimeToFirstSpike(10.0)(np.array([[40.0, 12.0, np.inf]]), labels)
    assert loss[0] == as_late[0][0] and slope[0].tolist() == [0.0, as_late[1][0, 1], 0.0] and slope[0, 1] < 0


def test_no_overflow_for_times_far_apart():
    value, slope = TimeToFirstSpike(1.0)(np.array([[5.0, 600.0]]), np.array([1]))
    assert np.isfinite(slope[0, 0]) and value[0] > 0


def test_first_neuron_decides_and_silence_is_no_answer():
    assert predict(np.array([[3.0, 2.0], [np.inf, np.inf], [1.0, np.inf]])).tolist() == [1, -1, 0]


@pytest.mark.parametrize("times, labels", [(np.zeros((2, 3)), [0]), (np.zeros(3), [0, 1, 2]), (np.zeros((2, 3)), [0, 3])])
def test_bad_input(times, labels):
    with pytest.raises(ValueError, match="label"):
        LOSSES[1](times, labels)


@pytest.mark.parametrize("kind", [TimeToFirstSpike, PairwiseDifference, MeanSquaredError])
@pytest.mark.parametrize("tau_syn", [0.0, -1.0, np.inf, np.nan])
def test_a_time_constant_is_positive(kind, tau_syn):
    with pytest.raises(ValueError, match="tau_syn"):
        kind(tau_syn=tau_syn)
