"""The fast loops for whole groups against the readable ones."""

from itertools import product

import numpy as np
import pytest

from ttfs_pynn.event_driven import kernels
from ttfs_pynn.event_driven.arrangement import in_tiles, partner_places, with_partners
from ttfs_pynn.event_driven.block_kernels import run_blocks
from ttfs_pynn.event_driven.groups import LIFGroup
from ttfs_pynn.event_driven.mixed_kernels import run_mixed
from ttfs_pynn.event_driven.sparse_kernels import run_rows
from ttfs_pynn.event_driven.stretch_kernels import run_stretches


def run(kernel, seed, tau_m, tau_refrac, partners, n_events=400, gap=0.0, tau_syn=(10.0, 10.0)):
    rng = np.random.default_rng(seed)
    n_pre, size = 20, 211
    group = LIFGroup(size, {"tau_m": tau_m, "tau_syn_E": tau_syn[0], "tau_syn_I": tau_syn[1], "cm": np.linspace(0.7, 1.3, size),
                            "v_rest": -65.0, "v_reset": -67.0, "v_thresh": -50.0, "tau_refrac": tau_refrac, "i_offset": 0.0})
    weights = rng.normal(0.6, 2.0, (n_pre, size))
    weights = np.concatenate([np.maximum(weights, 0), np.minimum(weights, 0)])
    inhibitory = np.arange(2 * n_pre) >= n_pre
    times = np.sort(rng.uniform(1.0, 100.0, n_events))
    times[10:14] = times[10]
    times += np.floor(times / 25) * gap
    rows = rng.integers(0, n_pre, n_events)
    stop = times[-1] + 3.0
    partner = np.where(inhibitory, -1, np.arange(2 * n_pre) + n_pre)
    if not partners:
        times, rows, partner = np.repeat(times, 2), np.stack([rows, rows + n_pre], axis=1).ravel(), np.full(2 * n_pre, -1)
    state = [array.copy() for array in group.state]
    state[1][:] = rng.uniform(0, 1, size)
    room = 4000
    out, noted = np.zeros(size * room), np.array([[0, room, n * room] for n in range(size)])
    connections = (inhibitory, weights)
    if kernel in (kernels.run_sparse, run_rows):
        connections = (inhibitory, np.arange(len(weights) + 1) * size, np.tile(np.arange(size), len(weights)), weights.ravel())
        if kernel is run_rows:
            start, targets, order, most = in_tiles(*connections[1:3], size)
            merged = with_partners(connections[3], order, partner_places(connections[1], partner, order))
            connections += ((start, targets, merged, most), partner)
    elif kernel is not kernels.run_all_to_all:
        connections += (partner,)
    assert kernel(times, rows, *connections, 0.0, stop, *state, group.table, out, noted)
    return state, out, noted[:, kernels.COUNT]


@pytest.mark.parametrize("gap", [0.0, 200.0])
@pytest.mark.parametrize("tau_refrac", [0.0, 2.0, 40.0, 150.0])
@pytest.mark.parametrize("tau_m", [4.0, 10.0, 20.0, np.inf])
def test_spikes_and_state(tau_m, tau_refrac, gap):
    expected = run(kernels.run_all_to_all, 1, tau_m, tau_refrac, False, gap=gap)
    for partners, kernel in product((False, True), (run_blocks, run_stretches, run_rows)):
        state, out, count = run(kernel, 1, tau_m, tau_refrac, partners, gap=gap)
        assert count.sum() > 100
        np.testing.assert_array_equal(count, expected[2])
        assert np.abs(out - expected[1]).max() < 1e-9  # sums in another order, amplified by flat crossings
        for mine, other in zip(state, expected[0], strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_events", [60, 600, 6000])  # mostly exponentials, polynomials of degree 11, of degree 7
@pytest.mark.parametrize("tau_refrac, gap", [(0.5, 0.0), (2.0, 0.0), (40.0, 200.0)])
@pytest.mark.parametrize("infinite", [False, True])
def test_neurons_of_all_kinds(n_events, tau_refrac, gap, infinite):
    spread = np.random.default_rng(7).uniform(0.6, 1.4, (3, 211))
    spread[2, ::3] = spread[1, ::3]  # some with equal time constants
    settings = (2, np.full(211, np.inf) if infinite else 10.0 * spread[0], tau_refrac)
    tau_syn = 10.0 * spread[1:]
    expected = run(kernels.run_sparse, *settings, False, n_events, gap, tau_syn)
    for partners in (False, True):
        state, out, count = run(run_mixed, *settings, partners, n_events, gap, tau_syn)
        assert count.sum() > 100
        np.testing.assert_array_equal(count, expected[2])
        assert np.abs(out - expected[1]).max() < 1e-9  # rounding, amplified by flat crossings
        for mine, other in zip(state, expected[0], strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(60))
def test_neurons_of_very_different_constants(seed):
    """Ratios of time constants over decades, equal and nearly equal ones, no leak, long gaps, spikes in a row, clamped begins;
    populations that fill eight lanes or do not. Where a neuron fires 1,000 times and more, roundings of a time add up."""
    rng = np.random.default_rng(seed)
    size, n_pre, n_events = rng.integers(1, 40), rng.integers(1, 8), rng.choice([3, 20, 100])
    tau_m, tau_e, tau_i = 10.0 * np.exp(rng.choice([0.2, 1.0, 3.0]) * rng.normal(size=(3, size)))
    tau_e[::5], tau_i[::7], tau_m[1::5] = tau_m[::5], tau_e[::7], np.inf if seed % 3 else tau_e[1::5] * (1 + 1e-12)
    group = LIFGroup(size, {"tau_m": tau_m, "tau_syn_E": tau_e, "tau_syn_I": tau_i, "cm": rng.uniform(0.5, 1.5, size),
                            "v_rest": -65.0, "v_reset": rng.choice([-67.0, -65.0]), "v_thresh": -50.0, "i_offset": 0.0,
                            "tau_refrac": rng.choice([0.1, 2.0, 40.0], size=size)})
    weights = rng.normal(0.3, rng.choice([0.3, 1.0, 3.0]), (n_pre, size))
    weights = np.concatenate([np.maximum(weights, 0), np.minimum(weights, 0)])
    inhibitory = np.arange(2 * n_pre) >= n_pre
    times = np.sort(rng.uniform(0, rng.choice([1.0, 30.0, 300.0]), n_events))
    times += np.floor(4 * times / times[-1]) * rng.choice([0.0, 1e3, 1e6])
    rows, stop = rng.integers(0, n_pre, n_events), times[-1] + rng.choice([0.5, 300.0])
    both, pairs = np.repeat(times, 2), np.stack([rows, rows + n_pre], axis=1).ravel()
    found = []
    for kernel, heard in ((run_mixed, (times, rows, inhibitory, weights, np.where(inhibitory, -1, np.arange(2 * n_pre) + n_pre))),
                          (kernels.run_sparse, (both, pairs, inhibitory, np.arange(2 * n_pre + 1) * size,
                                                np.tile(np.arange(size), 2 * n_pre), weights.ravel()))):
        state, room = [array.copy() for array in group.state], 4000
        state[3][::4] = times[n_events // 2]
        out, noted = np.zeros(size * room), np.array([[0, room, n * room] for n in range(size)])
        assert kernel(*heard, 0.0, stop, *state, group.table, out, noted)
        found.append((noted[:, kernels.COUNT], out, *state))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-12, atol=1e-8)
    for mine, other in zip(found[0][2:], found[1][2:], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-8)
