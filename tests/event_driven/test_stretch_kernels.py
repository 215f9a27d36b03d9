"""Windows of a run as stretches, with state from one to the next, against the readable loop."""

import numpy as np
import pytest

from ttfs_pynn.event_driven import kernels, stretch_kernels
from ttfs_pynn.event_driven.groups import LIFGroup


def any_group(rng):
    """Neurons that share time constants, their state, events, rows of weights."""
    n_pre, size = int(rng.integers(1, 40)), int(rng.choice([1, 3, 10, 16, 17, 33, 70, 211]))
    tau, ratio, tau_refrac = (float(rng.choice(v)) for v in ([1, 10, 30], [0.3, 1, 1, 2, 7, np.inf], [2, 5, 20, 60, 300]))
    group = LIFGroup(size, {"tau_m": tau * ratio, "tau_syn_E": tau, "tau_syn_I": tau, "cm": rng.uniform(0.6, 1.5, size),
                            "v_rest": -65.0, "v_reset": rng.choice([-67.0, rng.uniform(-60, -51)]), "v_thresh": -50.0,
                            "tau_refrac": tau_refrac * rng.uniform(1, 1.3, size),
                            "i_offset": rng.uniform(0, 1.2) if ratio < np.inf and rng.random() < 0.4 else 0.0})
    n_events = int(rng.integers(1, 400))
    weights = rng.normal(0.3, 1.5, (n_pre, size)) * 15 / tau * rng.choice([0.3, 1, 3]) / np.sqrt(max(n_events / 20, 1))
    times = np.sort(rng.uniform(0, rng.choice([5, 50, 500]), n_events))
    if rng.random() < 0.5:
        times += np.floor(times / rng.choice([5, 25, 100])) * rng.choice([10, 100, 1000, 1e5])
    times = np.round(times) if rng.random() < 0.3 else times
    state = [array.copy() for array in group.state]
    state[0][:], state[1][:] = rng.uniform(-5, 14, size), rng.uniform(0, 1, size)
    state[3][:] = np.where(rng.random(size) < 0.2, rng.uniform(0, 30, size), -np.inf)
    return group, state, times, rng.integers(0, n_pre, n_events), weights


def run(kernel, group, state, times, rows, weights, partners, t, stop):
    size, n_pre, room = group.size, len(weights), 2000
    both, inhibitory = np.concatenate([np.maximum(weights, 0), np.minimum(weights, 0)]), np.arange(2 * n_pre) >= n_pre
    partner = np.where(inhibitory, -1, np.arange(2 * n_pre) + n_pre)
    if not partners:
        times, rows = np.repeat(times, 2), np.stack([rows, rows + n_pre], axis=1).ravel()
        partner = np.full(2 * n_pre, -1)
    state, out = [array.copy() for array in state], np.zeros(size * room)
    noted = np.array([[0, room, n * room] for n in range(size)])
    arguments = (inhibitory, both) if kernel is kernels.run_all_to_all else (inhibitory, both, partner)
    assert kernel(times, rows, *arguments, t, stop, *state, group.table, out, noted)
    return state, out, noted[:, kernels.COUNT]


@pytest.mark.parametrize("seed", range(4))
def test_any_group_spikes_as_event_by_event(monkeypatch, seed):
    left, spikes, blocks = [], 0, stretch_kernels.run_blocks
    monkeypatch.setattr(stretch_kernels, "run_blocks", lambda *arguments: left.append(1) or blocks(*arguments))
    for case in range(15):
        rng = np.random.default_rng([seed, case])
        given = any_group(rng)
        begin, stop = float(rng.choice([0.0, given[2][0] / 2])), given[2][-1] + rng.choice([1e-3, 3.0, 1000.0])
        expected = run(kernels.run_all_to_all, *given, False, begin, stop)
        for partners in (True, False):
            state, out, count = run(stretch_kernels.run_stretches, *given, partners, begin, stop)
            np.testing.assert_array_equal(count, expected[2])
            assert np.abs(out - expected[1]).max() < 1e-7  # sums in another order, amplified by flat crossings
            for mine, other in zip(state, expected[0], strict=True):
                np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-8)
        spikes += count.sum()
    assert spikes > 500 and len(left) < 20  # of 30 runs
