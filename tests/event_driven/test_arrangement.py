"""The same spikes in whatever form connections are laid out: a table with zeros, rows in blocks, connection by connection."""

import numpy as np
import pytest

from benchmarks import connectivity_speed
from tests.event_driven.test_core import PARAMETERS
from ttfs_pynn.event_driven import groups, kernels
from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, SpikeSourceGroup, Synapses
from ttfs_pynn.event_driven.mixed_kernels import run_mixed
from ttfs_pynn.event_driven.sparse_kernels import run_rows
from ttfs_pynn.event_driven.stretch_kernels import run_stretches

N_PRE, N_POST, STOP = 40, 230, 400.0
DELAYS = {
    "none": lambda rng, pre: np.zeros(pre.size),
    "one": lambda rng, pre: np.full(pre.size, 1.5),
    "one a source": lambda rng, pre: rng.uniform(0.1, 3.0, N_PRE)[pre],
    "two": lambda rng, pre: rng.choice([0.5, 2.25], pre.size),
    "all differ": lambda rng, pre: rng.uniform(0.1, 5.0, pre.size),
}


def network_of(connected, delays="one", tau_refrac=30.0, unequal=False, several=False, same_pairs=True, seed=4):
    """Sources that spike some times, and neurons with an excitatory and an inhibitory projection from them."""
    rng = np.random.default_rng(seed)
    network, sources = EventDrivenNetwork(), SpikeSourceGroup(N_PRE)
    begin = np.array([1.0, 150.0, 152.0])
    spikes = np.sort(np.repeat(begin, 2) + rng.uniform(0, 20, (N_PRE, 6)), axis=1)
    sources.set_spike_times(spikes.ravel(), 6 * np.arange(N_PRE + 1))
    spread = rng.uniform(0.8, 1.2, (3, N_POST)) if unequal else np.ones((3, 1))
    neurons = LIFGroup(N_POST, {**PARAMETERS, "tau_m": 12.0 * spread[0], "tau_syn_E": 7.0 * spread[1],
                                "tau_syn_I": 7.0 * spread[2], "tau_refrac": tau_refrac, "cm": 1.0,
                                "v_rest": -65.0, "v_reset": -67.0, "v_thresh": -50.0})
    network.add_group(sources)
    network.add_group(neurons)
    post, pre = np.nonzero(rng.random((N_POST, N_PRE)) < connected)
    if several:
        again = rng.integers(0, pre.size, pre.size // 3)
        pre, post = np.concatenate([pre, pre[again]]), np.concatenate([post, post[again]])
    weights = rng.normal(0.15, 0.3, pre.size) * 20 / max(connected * N_PRE, 3) ** 0.75
    delay = DELAYS[delays](rng, pre)
    kept = np.ones(pre.size, dtype=bool) if same_pairs else rng.random(pre.size) < 0.6
    for receptor, signed in (("excitatory", np.maximum(weights, 0)), ("inhibitory", np.minimum(weights, 0))):
        network.add_synapses(Synapses(sources, neurons, receptor, pre[kept], post[kept], signed[kept], delay[kept]))
        kept = kept if same_pairs else ~kept
    return network, neurons


def spikes_of(network, neurons, *stops):
    parts = [network.advance(stop)[neurons] for stop in stops]
    index, time = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    order = np.lexsort((time, index))
    return index[order], time[order], neurons.get_state()


def compare(monkeypatch, kernel, expected_kernel, stops=(STOP,), **description):
    monkeypatch.setattr(groups, "_TABLE_FROM", dict.fromkeys((True, False), 0.0 if kernel in (run_stretches, run_mixed) else 2.0))
    network, neurons = network_of(**description)
    assert neurons._kernel()[0] is kernel
    found = spikes_of(network, neurons, *stops)
    monkeypatch.setattr(groups, "_TABLE_FROM", dict.fromkeys((True, False), 2.0))
    network, neurons = network_of(**description)
    neurons._one_kind = False
    assert neurons._kernel()[0] is expected_kernel
    expected = spikes_of(network, neurons, STOP)
    assert expected[0].size > N_POST / 2
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)  # sums in another order
    for name, array in expected[2].items():
        np.testing.assert_allclose(found[2][name], array, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("delays", DELAYS)
@pytest.mark.parametrize("connected", [0.1, 0.5, 0.97])
@pytest.mark.parametrize("kernel", [run_stretches, run_rows, run_mixed])
def test_forms_agree(monkeypatch, kernel, connected, delays):
    compare(monkeypatch, kernel, kernels.run_sparse, connected=connected, delays=delays, unequal=kernel is run_mixed)


@pytest.mark.parametrize("tau_refrac", [0.5, 4.0, 120.0, 1000.0])
@pytest.mark.parametrize("several, same_pairs", [(True, True), (False, False), (True, False)])
@pytest.mark.parametrize("kernel", [run_stretches, run_rows])
def test_several_connections_of_a_pair_and_pairs_of_one_sign(monkeypatch, kernel, several, same_pairs, tau_refrac):
    compare(monkeypatch, kernel, kernels.run_sparse, connected=0.3, several=several, same_pairs=same_pairs, tau_refrac=tau_refrac)


@pytest.mark.parametrize("kernel", [run_stretches, run_rows])
def test_split_runs(monkeypatch, kernel):
    compare(monkeypatch, kernel, kernels.run_sparse, stops=(0.5, 4.0, 11.0, 11.5, 30.0, 160.0, STOP), connected=0.3)


def test_a_pair_of_signs_is_one_arrival():
    for connected, delays, same in ((0.1, "one", True), (0.1, "two", True), (0.9, "two", True), (0.99, "one", False)):
        network, neurons = network_of(connected, delays, same_pairs=same)
        network.prepare()
        sent = np.arange(N_PRE), np.linspace(1.0, 2.0, N_PRE)
        for synapses in neurons.incoming:
            synapses.send(*sent)
        partner, alone, *_ = neurons.arrangement.together(neurons._kernel()[1])
        assert (partner >= 0).sum() == (~alone).sum() == neurons.incoming[1].n_rows > 0


@pytest.mark.parametrize("connected, unequal, kernel", [
    (1.0, False, run_stretches), (0.99, False, run_stretches), (0.99, True, run_mixed), (0.1, False, run_rows),
    (0.02, True, kernels.run_sparse)])
def test_few_connections_that_are_missing_do_not_change_the_loop(connected, unequal, kernel):
    assert network_of(connected, unequal=unequal)[1]._kernel()[0] is kernel


def test_new_weights_and_delays_are_seen_in_a_table(monkeypatch):
    network, neurons = network_of(0.95)
    before = spikes_of(network, neurons, STOP)
    for k, synapses in enumerate(neurons.incoming):
        synapses.set_weights(1.3 * synapses.weight)
        synapses.set_one("weight", 5, 0.25 * (1 - 2 * k))
    network.reset()
    changed = spikes_of(network, neurons, STOP)
    for synapses in neurons.incoming:
        synapses.clear()
        synapses.set_delays(2.5)
    network.reset()
    later = spikes_of(network, neurons, STOP)
    fresh, other = network_of(0.95)
    for k, synapses in enumerate(other.incoming):
        synapses.set_weights(1.3 * synapses.weight)
        synapses.set_one("weight", 5, 0.25 * (1 - 2 * k))
        synapses.set_delays(2.5)
    expected = spikes_of(fresh, other, STOP)
    assert before[0].size and not np.array_equal(before[1], changed[1])
    np.testing.assert_array_equal(later[0], expected[0])
    np.testing.assert_array_equal(later[1], expected[1])


def test_projections_of_views_and_empty_ones_stay_in_the_table():
    """Excitatory and inhibitory cells of one population, each a view of it; and a projection that connects nothing."""
    network, neurons = network_of(1.0)
    sources = neurons.incoming[0].pre_group
    half = neurons.incoming[0].pre < N_PRE // 2
    for synapses, kept in zip(list(neurons.incoming), (half, ~half), strict=True):
        pre, post, weight = synapses.pre[kept], synapses.post[kept], synapses.weight[kept]
        network.add_synapses(Synapses(sources, neurons, synapses.receptor, pre, post, weight, 1.0))
    network.add_synapses(Synapses(sources, neurons, "inhibitory", [], [], [], []))
    assert neurons.arrangement.connectivity == 1.0 and neurons._kernel()[0] is run_stretches
    assert spikes_of(network, neurons, STOP)[0].size > N_POST / 2


def test_the_benchmark_runs():
    """Of a few samples; as many spikes as there are without the table."""
    small = {"samples": 2, "n_post": 30, "stronger": True}
    best, spikes = connectivity_speed.shortest([lambda p=p: connectivity_speed.Layer(p, **small) for p in (1.0, 0.99, 0.1)], 1)
    assert all(seconds > 0 for seconds in best) and min(spikes) > 0.2
