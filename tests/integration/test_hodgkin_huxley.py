"""HH_cond_exp against 24 digits, and what is defined: where it spikes, and that it need not be reset."""

import json

import numpy as np
import pytest

import ttfs_pynn.exact as sim
from tests.integration.hodgkin_huxley_reference import FILE, T_STOP, drawn

EXPECTED = json.loads(FILE.read_text())


def simulated(parameters, events, tolerance, pieces=1, recorded=(), t_stop=T_STOP):
    """(spike times, {variable: samples at 0.05 ms})."""
    sim.setup(timestep=0.05, tolerance=tolerance)
    cell = sim.Population(1, sim.HH_cond_exp(**parameters))
    cell.initialize(v=-65.0, m=0.0, h=1.0, n=0.0)
    cell.record(["spikes", *recorded])
    for side, receptor in enumerate(("excitatory", "inhibitory")):
        mine = [(time, weight) for time, which, weight in events if which == side]
        if mine:
            sources = sim.Population(len(mine), sim.SpikeSourceArray(spike_times=[[time] for time, _ in mine]))
            sim.Projection(sources, cell, sim.FromListConnector([(k, 0, weight, 0.0) for k, (_, weight) in enumerate(mine)]),
                           sim.StaticSynapse(delay=0.0), receptor_type=receptor)
    for stop in np.linspace(0, t_stop, pieces + 1)[1:]:
        sim.run_until(stop)
    segment = cell.get_data().segments[0]
    return np.array(segment.spiketrains[0]), {signal.name: np.array(signal)[:, 0] for signal in segment.analogsignals}


@pytest.mark.parametrize("seed", range(len(EXPECTED)))
@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
def test_spike_times_are_within_the_tolerance(seed, tolerance):
    found, _ = simulated(*drawn(seed), tolerance)
    assert found.size == len(EXPECTED[seed]) >= 1
    np.testing.assert_allclose(found, EXPECTED[seed], rtol=0, atol=tolerance)


def test_spikes_are_where_the_membrane_rises_through_its_threshold():
    """Between two samples of which the first is below -40 mV; splitting a run changes nothing beyond the tolerance."""
    parameters, events = drawn(0)
    whole, signals = simulated({**parameters, "i_offset": 0.5}, events, 1e-6, recorded=("v", "gsyn_exc"), t_stop=60.0)
    v = signals["v"]
    rises = np.flatnonzero((v[:-1] < -40) & (v[1:] >= -40))
    assert whole.size >= 4 and np.array_equal(np.floor(whole / 0.05).astype(int), rises) and signals["gsyn_exc"].max() > 0.01
    pieces, _ = simulated({**parameters, "i_offset": 0.5}, events, 1e-6, pieces=17, t_stop=60.0)
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-6)


def test_a_cell_that_stays_depolarised_spikes_once():
    """A steady current of 200 nA blocks it above threshold."""
    found, signals = simulated({"i_offset": 200.0}, [], 1e-6, recorded=("v",), t_stop=50.0)
    assert found.size >= 1 and signals["v"][-1] > -40 and np.ptp(signals["v"][-100:]) < 1.0
    assert found[-1] < 20.0


@pytest.mark.parametrize("parameters, text", [({"cm": 0.0}, "cm = 0 must be positive"), ({"g_leak": -1.0}, "g_leak = -1 must be"),
                                              ({"tau_syn_E": 0.0}, "tau_syn_E = 0 must be positive")])
def test_parameters_that_are_refused(parameters, text):
    sim.setup()
    with pytest.raises(ValueError, match=text):
        sim.Population(1, sim.HH_cond_exp(**parameters))
