"""Runs on the emulated chip: snippets, resets, the way of events, networks with loops, divided networks."""

import numpy as np
import pytest

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import IDEAL, connect, only, source_and_neurons, spikes, traces
from ttfs_pynn.brainscales2 import NonIdealities, RunCommand, events
from ttfs_pynn.brainscales2.dlens import halco

TICK = 0.008  # us


def firing(size=3, seed=0, **setup):
    """Neurons that fire some 20 times in 0.4 ms, and their source."""
    times = (np.sort(np.random.default_rng(seed).integers(0, 50_000, 150)) + 0.5) / 125_000  # truncation is no matter
    source, neurons = source_and_neurons(size, (), **({"non_idealities": IDEAL} | setup))
    source[0:1].set(spike_times=times)
    connect(source[0:1], neurons, 40)
    neurons.record("spikes")
    return source, neurons


def joined(neurons):
    """Spike times (us) of each neuron over all snippets of the last segment."""
    trains = neurons.get_data("spikes").segments[-1].spiketrains
    return [np.concatenate([t.magnitude for t in trains if t.annotations["source_index"] == k]) * 1000.0
            for k in range(neurons.size)]


@pytest.mark.parametrize("parts", [(0.2, 0.2), (0.016, 0.3, 0.084)])
def test_membranes_go_on_through_appended_snippets(parts):
    """To the tick, for begins of snippets are on ticks."""
    _, neurons = firing()
    pynn.run(0.4)
    whole = joined(neurons)
    pynn.reset()
    for part in parts:
        pynn.run(part, RunCommand.APPEND)
    pynn.run(None)
    divided = joined(neurons)
    assert sum(map(len, whole)) > 30 and len(neurons.get_data().segments[-1].spiketrains) == len(parts) * neurons.size
    for one, other in zip(whole, divided, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_spikes_on_their_way_at_the_end_of_a_snippet_come_in_the_next():
    """Latency of 1 us: with snippets of 1.6 us nearly all spikes cross a border."""
    _, neurons = firing(non_idealities=only(latency=1000.0))
    pynn.run(0.4)
    whole = sum(map(len, joined(neurons)))
    pynn.reset()
    for _ in range(250):
        pynn.run(0.0016, RunCommand.APPEND)
    pynn.run(None)
    assert sum(map(len, joined(neurons))) == whole > 30


def test_reset_starts_anew_and_segments_stay():
    _, neurons = firing()
    for _ in range(3):
        pynn.run(0.4)
        pynn.reset()
    pynn.run(0.4)
    segments = neurons.get_data().segments
    assert len(segments) == 4
    first = [train.magnitude for train in segments[0].spiketrains]
    assert sum(map(len, first)) > 30
    for segment in segments[1:]:
        assert all(np.array_equal(a, b.magnitude) for a, b in zip(first, segment.spiketrains, strict=True))


def test_parameters_and_weights_change_from_snippet_to_snippet():
    source, neurons = source_and_neurons(1, (0.01, 0.11, 0.21), non_idealities=IDEAL)
    projection = connect(source, neurons, 300)
    neurons.record("spikes")
    pynn.run(0.1, RunCommand.APPEND)
    projection.set(weight=0)
    pynn.run(0.1, RunCommand.APPEND)
    projection.set(weight=300)
    neurons.set(v_thresh=110)
    pynn.run(0.1)
    first, second, third = (train.magnitude for train in neurons.get_data().segments[0].spiketrains)
    assert first.size and not second.size and third.size
    assert third[0] - 0.21 < first[0] - 0.01


def test_a_population_may_join_between_snippets():
    source, neurons = firing()
    pynn.run(0.2, RunCommand.APPEND)
    late = pynn.Population(2, pynn.cells.CalibHXNeuronCuba())
    connect(source[0:1], late, 40)
    late.record(["spikes", "exc_synin"], device="cadc")
    pynn.run(0.2)
    found = joined(late)
    assert sum(map(len, found)) > 5 and all((train >= 200.0).all() for train in found)
    assert sum(map(len, joined(neurons))) > 30


def test_ticks_are_those_of_the_adapter():
    """int(ms * 1000 * 125): a time that is on the grid may be one tick early."""
    times = np.arange(1000) / 125_000
    ticks, inside = events.on_ticks(times, 0.0, 1.0)
    assert inside.size == 1000 and ticks.tolist() == [int(t * 1000.0 * 125.0) for t in times]
    assert 0 < (ticks < np.arange(1000)).sum() < 500 and (np.arange(1000) - ticks).max() == 1
    assert events.on_ticks(np.array([0.1, 0.2, 0.3]), 0.1, 0.3)[1].tolist() == [0, 1]


def test_a_queue_of_events():
    assert events.serialised(np.array([0, 0, 0, 5, 5, 100])).tolist() == [0, 1, 2, 5, 6, 100]
    assert events.serialised(np.full(20, 7)).tolist() == list(range(7, 27))
    assert events.serialised(np.array([], dtype=np.int64)).size == 0
    assert not events.lost(np.array([0, 2, 4]), 1 - 1e-9, np.random.default_rng(0)).any()
    assert events.lost(np.array([0, 1, 4]), 1 - 1e-9, np.random.default_rng(0)).tolist() == [False, True, False]


@pytest.mark.parametrize("non_idealities", [IDEAL, only(latency=100.0), NonIdealities()],
                         ids=["no latency", "latency", "default"])
def test_recurrent_networks_run(non_idealities):
    """Two neurons that excite each other go on after one input; a hop takes at least a tick."""
    source, neurons = source_and_neurons(2, (), non_idealities=non_idealities, seed=1)
    source[0:1].set(spike_times=[0.01])
    connect(source, neurons, 800, connector=pynn.OneToOneConnector())
    connect(neurons, neurons, 800, connector=pynn.FromListConnector([(0, 1), (1, 0)], column_names=[]))
    neurons.record("spikes")
    pynn.run(0.1)
    one, other = spikes(neurons)
    assert one.size > 3 and other.size > 3 and other[0] > one[0]


def test_bypass_repeats_every_event():
    pynn.setup(enable_neuron_bypass=True, non_idealities=IDEAL)
    source = pynn.Population(3, pynn.cells.SpikeSourceArray(spike_times=[0.01 + 4e-6, 0.02 + 4e-6, 0.05 + 4e-6]))
    neurons, after = (pynn.Population(3, pynn.cells.HXNeuron()) for _ in range(2))
    for ends in ((source, neurons), (neurons, after)):
        connect(*ends, connector=pynn.OneToOneConnector())
        ends[1].record("spikes")
    pynn.run(0.1)
    for train in (*spikes(neurons), *spikes(after)):
        np.testing.assert_allclose(train, [10.0, 20.0, 50.0], atol=2 * TICK + 1e-6)  # without latency but for stamps


def test_a_network_of_more_than_512_neurons_takes_two_executions():
    pynn.setup(non_idealities=IDEAL)
    source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.01]))
    neurons = pynn.Population(600, pynn.cells.CalibHXNeuronCuba())
    connect(source, neurons, 300)
    neurons.record("spikes")
    pynn.run(0.1)
    assert pynn.simulator.state.executions == 2
    assert pynn.simulator.state.hardware_time == pytest.approx(0.2)
    found = spikes(neurons)
    assert len(found) == 600 and all(train.size and train[0] == found[0][0] for train in found)


@pytest.mark.parametrize(("chosen", "executions"), [([0], 1), ([0, 1], 1), ([0, 2], 2), ([0, 1, 2, 3, 5], 3), (range(8), 4)])
def test_the_madc_takes_an_even_and_an_odd_neuron_at_once(chosen, executions):
    _, neurons = firing(8)
    neurons[list(chosen)].record("v")
    pynn.run(0.4)
    assert pynn.simulator.state.executions == executions
    found = traces(neurons)
    assert sorted(found) == list(chosen)
    alone = 1 if len(chosen) == 1 else 2  # two share the converter
    full = 0.4 / 34e-6
    assert min(value.size for _, value in found.values()) >= full / alone - 2
    assert sum(map(len, joined(neurons))) > 30
    # Without noise all circuits are alike, in whichever execution.
    for time, value in found.values():
        reference_time, reference = found[chosen[0]]
        assert np.abs(np.interp(time, reference_time, reference) - value).mean() < 3.0


def test_record_at_once():
    _, neurons = firing(8, record_at_once=True)
    neurons.record("v")
    pynn.run(0.4)
    found = traces(neurons)
    assert pynn.simulator.state.executions == 1 and len(found) == 8
    assert all(value.size >= 0.4 / 34e-6 - 1 for _, value in found.values())
    assert all(np.array_equal(value, found[0][1]) for _, value in found.values())


def test_spikes_are_counted_at_the_outputs():
    """Neurons 0 to 31 leave the chip at output 8 + 0, 32 to 63 at 8 + 1, of four."""
    counter = {halco.CrossbarOutputOnDLS(k) for k in range(halco.CrossbarOutputOnDLS.size)}
    readout = pynn.InjectedReadout(post_realtime=counter)
    source, neurons = firing(70, injected_readout=readout)
    pynn.run(0.4)
    counts = {int(place): int(getattr(value, "value", value)) for place, value in pynn.get_post_realtime_read().items()}
    sent = [sum(map(len, joined(neurons)[a:b])) for a, b in ((0, 32), (32, 64), (64, 70))]
    assert min(sent) > 10
    assert [counts[8 + k] for k in range(4)] == [*sent, 0]
    assert pynn.get_pre_realtime_read() == {} or not any(int(v.value) for v in pynn.get_pre_realtime_read().values())


def test_a_plasticity_rule_is_mapped_but_not_run():
    pynn.setup()
    rule = pynn.PlasticityRule(timer=pynn.Timer(start=5, period=10, num_periods=1))
    pynn.Population(2, pynn.cells.HXNeuron(plasticity_rule=rule))
    pynn.run(None, pynn.RunCommand.PREPARE)
    with pytest.raises(NotImplementedError, match="embedded processor"):
        pynn.run(1.0)
