"""Units of what a script gives, and what else of it is used, or refused with which line."""

import numpy as np
import pytest
import quantities as pq
from pyNN import errors

from ttfs_pynn.units import UnitError


@pytest.fixture
def ends(sim):
    """Three sources and three neurons."""
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=[5.0]), label="pre")
    return sources, sim.Population(3, sim.IF_curr_exp(), label="post")


USED = {  # what is given with a unit -> the number that is used
    "tau_m": (lambda sim, ends: sim.Population(2, sim.IF_curr_exp(tau_m=0.03 * pq.s)).get("tau_m"), 30.0),
    "tau_m of each cell": (lambda sim, ends: sim.Population(2, sim.IF_curr_exp(tau_m=[0.03, 0.04] * pq.s)).get("tau_m"),
                           [30.0, 40.0]),
    "tau_m of a list": (lambda sim, ends: sim.Population(2, sim.IF_curr_exp, {"tau_m": [0.03 * pq.s, 40 * pq.ms]}).get("tau_m"),
                        [30.0, 40.0]),
    "v_thresh of delta": (lambda sim, ends: sim.Population(2, sim.IF_curr_delta(v_thresh=-0.05 * pq.V)).get("v_thresh"), -50.0),
    "set": (lambda sim, ends: (ends[1].set(cm=1000 * pq.pF, i_offset=0.1 * pq.uA), ends[1].get(["cm", "i_offset"]))[1],
            [1.0, 100.0]),
    "set of a view": (lambda sim, ends: (ends[1][:1].set(cm=1000 * pq.pF), ends[1][:1].get("cm"))[1], 1.0),
    "a cell": (lambda sim, ends: (setattr(ends[1][0], "v_rest", -0.07 * pq.V), ends[1][:1].get("v_rest"))[1], -70.0),
    "initial v": (lambda sim, ends: (ends[1].initialize(v=-0.06 * pq.V), ends[1].initial_values["v"].evaluate()[0])[1], -60.0),
    "initial v of a view": (lambda sim, ends: (ends[1][1:2].initialize(v=-0.06 * pq.V),
                                               ends[1].initial_values["v"].evaluate()[1])[1], -60.0),
    "initial_values": (lambda sim, ends: sim.Population(1, sim.IF_curr_exp(), initial_values={"v": -0.06 * pq.V})
                       .initial_values["v"].evaluate()[()], -60.0),
    "rate": (lambda sim, ends: sim.Population(1, sim.SpikeSourcePoisson(rate=0.05 * pq.kHz, duration=1 * pq.s)).get(
        ["rate", "duration"]), [50.0, 1000.0]),
    "spike times": (lambda sim, ends: sim.Population(1, sim.SpikeSourceArray(spike_times=[0.005, 0.006] * pq.s)).get(
        "spike_times").value, [5.0, 6.0]),
    "spike times set": (lambda sim, ends: (ends[0][:1].set(spike_times=[[0.005, 0.006] * pq.s]),
                                           ends[0][:1].get("spike_times").value)[1], [5.0, 6.0]),
    "spike times of lists": (lambda sim, ends: sim.Population(1, sim.SpikeSourceArray(
        spike_times=[[5 * pq.ms, 0.006 * pq.s]])).get("spike_times").value, [5.0, 6.0]),
    "weight and delay": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(
        weight=500 * pq.pA, delay=0.002 * pq.s)).get(["weight", "delay"], "list")[0][2:], (0.5, 2.0)),
    "weight matrix": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(
        weight=np.full((3, 3), 500) * pq.pA)).get("weight", "array")[1, 1], 0.5),
    "list of connections": (lambda sim, ends: sim.Projection(*ends, sim.FromListConnector(
        [(0, 1, 500 * pq.pA, 0.002 * pq.s)])).get(["weight", "delay"], "list")[0], (0, 1, 0.5, 2.0)),
    "weights set": (lambda sim, ends: (p := sim.Projection(*ends, sim.AllToAllConnector()), p.set(
        weight=np.full((3, 3), 500) * pq.pA, delay=0.002 * pq.s), p.get(["weight", "delay"], "list")[0][2:])[2], (0.5, 2.0)),
    "matrix set": (lambda sim, ends: (p := sim.Projection(*ends, sim.AllToAllConnector()), p.set(
        weight=np.full((3, 3), 500) * pq.pA), p.get("weight", "array")[0, 0])[2], 0.5),
    "a connection": (lambda sim, ends: (p := sim.Projection(*ends, sim.AllToAllConnector()), setattr(p[0], "weight", 500 * pq.pA),
                                        p[0].weight)[2], 0.5),
    "run": (lambda sim, ends: (sim.run(0.01 * pq.s), sim.run_until(0.03 * pq.s), sim.get_current_time())[2], 30.0),
    "timestep": (lambda sim, ends: (sim.setup(timestep=200 * pq.us, min_delay=0.001 * pq.s, max_delay=1 * pq.s),
                                    sim.get_time_step(), sim.get_min_delay(), sim.get_max_delay())[1:], (0.2, 1.0, 1000.0)),
    "sampling_interval": (lambda sim, ends: (ends[1].record("v", sampling_interval=0.0005 * pq.s), sim.run(1.0), float(
        ends[1].get_data().segments[0].analogsignals[0].sampling_period))[2], 0.5),
    "current source": (lambda sim, ends: (s := sim.DCSource(amplitude=500 * pq.pA, start=0.01 * pq.s),
                                          setattr(s, "stop", 0.1 * pq.s), s.value(np.array([5.0, 50.0, 150.0])))[2],
                       [0.0, 0.5, 0.0]),
    "steps": (lambda sim, ends: sim.StepCurrentSource(times=[0.01, 0.02] * pq.s, amplitudes=[1.0, 2.0]).value(
        np.array([5.0, 15.0, 25.0])), [0.0, 1.0, 2.0]),
}


@pytest.mark.parametrize("what", USED)
def test_quantities_are_used_in_their_units(sim, ends, what):
    do, expected = USED[what]
    np.testing.assert_allclose(do(sim, ends), expected, rtol=1e-12)


REFUSED = {
    "another kind of unit": (lambda sim, ends: sim.IF_curr_exp(tau_m=20 * pq.mV), UnitError, "tau_m = 20.0 mV cannot be in ms"),
    "of a set": (lambda sim, ends: ends[1].set(cm=20 * pq.ms), UnitError, "cm = 20.0 ms cannot be in nF"),
    "weight in mV": (lambda sim, ends: sim.StaticSynapse(weight=1 * pq.mV), UnitError, "weight = 1.0 mV cannot be in nA"),
    "weight of delta": (lambda sim, ends: sim.Projection(ends[0], sim.Population(1, sim.IF_curr_delta()),
                                                         sim.AllToAllConnector()).set(weight=1 * pq.nA),
                        UnitError, "weight = 1.0 nA cannot be in mV"),
    "run in mV": (lambda sim, ends: sim.run(10 * pq.mV), UnitError, "simtime = 10.0 mV cannot be in ms"),
    "unknown state variable": (lambda sim, ends: ends[1].initialize(u=1.0), errors.NonExistentParameterError, "u .*v"),
    "of a source": (lambda sim, ends: ends[0].initialize(u=1.0), errors.NonExistentParameterError, "u "),
    "at creation": (lambda sim, ends: sim.Population(1, sim.SpikeSourcePoisson(), initial_values={"rate": 3.0}),
                    errors.NonExistentParameterError, "rate "),
    "of a projection": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector()).initialize(u=1.0),
                        errors.NonExistentParameterError, "u .*StaticSynapse"),
    "unknown attribute": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector()).set(wieght=1.0),
                          errors.NonExistentParameterError, "wieght"),
    "source": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector(), source="soma"), NotImplementedError,
               "'soma'.*leave it out"),
    "location": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector(location_selector="soma")), NotImplementedError,
                 "location_selector"),
    "source -1": (lambda sim, ends: sim.Projection(*ends, sim.FromListConnector([(-1, 0, 0.5, 1.0)])), errors.ConnectionError,
                  "source -1, but the cells of pre are 0 to 2"),
    "target 3": (lambda sim, ends: sim.Projection(*ends, sim.FromListConnector([(0, 3, 0.5, 1.0)])), errors.ConnectionError,
                 "target 3, but the cells of post are 0 to 2"),
    "target 0.5": (lambda sim, ends: sim.Projection(*ends, sim.FromListConnector([(0, 0.5, 0.5, 1.0)])), errors.ConnectionError,
                   "target 0.5"),
    "target NaN": (lambda sim, ends: sim.Projection(*ends, sim.FromListConnector([(0, np.nan, 0.5, 1.0)])),
                   errors.ConnectionError, "target nan"),
    "weights as an array of connections": (lambda sim, ends: sim.Projection(*ends, sim.ArrayConnector(0.7 * np.eye(3))),
                                           errors.ConnectionError, "weights to the synapse type; it holds 0.7"),
    "larger weights": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(
        weight=np.ones((4, 4)))), errors.InvalidDimensionsError, r"weight of shape \(4, 4\); give one number, or .* = \(3, 3\)"),
    "smaller delays": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(
        delay=np.ones((2, 3)))),
                       errors.InvalidDimensionsError, r"delay of shape \(2, 3\)"),
    "infinite weight": (lambda sim, ends: sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(weight=np.inf)),
                        errors.ConnectionError, "weight must be finite"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(sim, ends, what):
    do, error, text = REFUSED[what]
    with pytest.raises(error, match=text):
        do(sim, ends)


def test_delays_above_max_delay(sim):
    sim.setup(max_delay=5.0)
    ends = sim.Population(2, sim.SpikeSourceArray()), sim.Population(2, sim.IF_curr_exp())
    projection = sim.Projection(*ends, sim.AllToAllConnector(), sim.StaticSynapse(delay=5.0))
    for refused in (lambda: projection.set(delay=5.5), lambda: setattr(projection[0], "delay", 6.0),
                    lambda: sim.Projection(*ends, sim.FromListConnector([(0, 0, 0.5, 9.0)]))):
        with pytest.raises(errors.ConnectionError, match="above the max_delay of setup.*5 ms"):
            refused()
    assert projection.get("delay", "array").max() == 5.0


def test_types_of_other_simulators(sim, ends):
    nest = pytest.importorskip("pyNN.nest", reason="NEST is not installed")
    with pytest.raises(TypeError, match="StaticSynapse of pyNN.nest.*another simulator's synapse type"):
        sim.Projection(*ends, sim.AllToAllConnector(), nest.StaticSynapse(weight=0.5, delay=1.0))
    with pytest.raises(TypeError, match="IF_curr_exp of pyNN.nest.*another simulator's cell type"):
        sim.Population(1, nest.IF_curr_exp())


def test_sources_may_be_given_the_state_of_neurons(sim, ends):
    (ends[0] + ends[1]).initialize(v=-60.0)
    assert (ends[1].initial_values["v"].evaluate() == -60.0).all()
