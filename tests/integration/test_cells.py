"""Cells that are integrated: spike times against 25 digits, recordings, any split into runs."""

import numpy as np
import pytest

import ttfs_pynn.exact as sim
from tests.integration import reference

CELLS = {"IF_cond_exp": (reference.conductance_lif, False), "IF_cond_alpha": (reference.conductance_lif, True),
         "EIF_cond_exp_isfa_ista": (reference.adex, False), "EIF_cond_alpha_isfa_ista": (reference.adex, True),
         "IF_cond_exp_gsfa_grr": (reference.refractory, False), "Izhikevich": (reference.izhikevich, False)}
WITH_REST = [name for name in CELLS if name != "Izhikevich"]
T_STOP = 60.0


def drawn(name, seed):
    """(parameters, events) of a cell that spikes a few times in T_STOP."""
    rng, cell = np.random.default_rng([seed, len(name)]), getattr(sim, name)
    times = np.sort(rng.uniform(0.0, T_STOP - 5.0, 40))
    if name == "Izhikevich":
        p = {"a": rng.uniform(0.02, 0.1), "b": rng.uniform(0.2, 0.25), "c": rng.uniform(-65, -50), "d": rng.uniform(1, 8),
             "i_offset": rng.uniform(0.002, 0.006)}
        return p, [(time, int(weight < 0), weight) for time, weight in zip(times, rng.normal(1.0, 3.0, 40), strict=True)]
    p = {**cell.default_parameters, "tau_m": rng.uniform(5, 25), "cm": rng.uniform(0.1, 1.0), "tau_refrac": rng.uniform(0.1, 3.0),
         "tau_syn_E": rng.uniform(0.5, 6.0), "tau_syn_I": rng.uniform(0.5, 8.0), "i_offset": rng.uniform(0.0, 0.2)}
    if name.startswith("EIF"):
        p |= {"a": rng.uniform(0, 8), "b": rng.uniform(0, 0.1), "delta_T": rng.uniform(0.8, 3.0), "tau_w": rng.uniform(20, 200)}
    side = (rng.random(40) < 0.25).astype(int)
    reach = p["tau_syn_E"] * (np.e if CELLS[name][1] else 1.0)
    weight = rng.uniform(0.5, 1.5, 40) * p["cm"] * 6.0 / (60.0 * min(reach, p["tau_m"]))
    return p, list(zip(times, side, weight, strict=True))


def _seed(name):
    """One with which the cell spikes twice or more."""
    return 1 if name == "EIF_cond_alpha_isfa_ista" else 0


def simulated(name, p, events, tolerance, pieces=1, recorded=()):
    """(spike times, {variable: samples}) of one cell on exact."""
    sim.setup(timestep=0.5, tolerance=tolerance)
    cell = sim.Population(1, getattr(sim, name)(**p))
    cell.initialize(v=p.get("v_rest", -70.0))
    cell.record(["spikes", *recorded])
    for side, receptor in enumerate(("excitatory", "inhibitory")):
        mine = [(time, weight) for time, which, weight in events if which == side]
        if not mine:
            continue
        sources = sim.Population(len(mine), sim.SpikeSourceArray(spike_times=[[time] for time, _ in mine]))
        sim.Projection(sources, cell, sim.FromListConnector([(k, 0, weight, 0.0) for k, (_, weight) in enumerate(mine)]),
                       sim.StaticSynapse(delay=0.0), receptor_type=receptor)
    for stop in np.linspace(0, T_STOP, pieces + 1)[1:]:
        sim.run_until(stop)
    segment = cell.get_data().segments[0]
    return np.array(segment.spiketrains[0]), {signal.name: np.array(signal)[:, 0] for signal in segment.analogsignals}


def errors(name, seed, tolerances):
    """Largest error (ms) at each tolerance, and the number of spikes."""
    equations, alpha = CELLS[name]
    p, events = drawn(name, seed)
    detected = next(key for key in ("v_spike", "v_thresh", "c") if key in p)
    expected = np.array([float(t) for t in reference.spikes(equations, p, events, T_STOP, alpha,
                                                            "peak" if detected == "c" else detected)])
    found = [simulated(name, p, events, tolerance)[0] for tolerance in tolerances]
    for tolerance, times in zip(tolerances, found, strict=True):
        assert times.size == expected.size, (name, seed, tolerance)
    return [np.abs(times - expected).max(initial=0.0) for times in found], expected.size


@pytest.mark.parametrize("name", CELLS)
def test_spike_times_are_within_the_tolerance(name):
    """Of a cell with random parameters and input; rounding of times is 1e-14 ms."""
    tolerances = (1e-4, 1e-6, 1e-8)
    found, n_spikes = errors(name, _seed(name), tolerances)
    assert n_spikes >= 2 and (np.array(found) < tolerances).all(), found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 134))
@pytest.mark.parametrize("name", CELLS)
def test_spike_times_of_many_cells(name, seed):
    """None is missed or invented, and none is further off than the tolerance says."""
    tolerances = (1e-4, 1e-6, 1e-8)
    found, _ = errors(name, seed, tolerances)
    assert (np.array(found) < tolerances).all(), found


@pytest.mark.parametrize("name", CELLS)
def test_runs_may_be_split_and_recording_changes_nothing(name):
    p, events = drawn(name, _seed(name))
    variables = [variable for variable in getattr(sim, name).recordable if variable != "spikes"]
    times, _ = simulated(name, p, events, 1e-6)
    assert times.size >= 2
    recorded, signals = simulated(name, p, events, 1e-6, recorded=variables)
    assert np.array_equal(recorded, times) and set(signals) == set(variables)
    pieces, in_pieces = simulated(name, p, events, 1e-6, pieces=9, recorded=variables)
    np.testing.assert_allclose(pieces, times, rtol=0, atol=1e-6)
    for variable in variables:
        assert np.ptp(signals[variable]) > 0
        # A spike between two samples of which one is a tolerance away: v differs by a reset there.
        np.testing.assert_allclose(in_pieces[variable], signals[variable], rtol=1e-6, atol=1e-5, err_msg=variable)


@pytest.mark.parametrize("alpha", [False, True])
def test_recorded_conductances(alpha):
    """Those of their closed forms, at 0.5 ms; what arrives at the time of a sample is in it where it jumps."""
    name = "IF_cond_alpha" if alpha else "IF_cond_exp"
    p, events = drawn(name, 3)
    events = [(round(2 * time) / 2, side, weight) for time, side, weight in events]
    _, signals = simulated(name, p, events, 1e-6, recorded=("gsyn_exc", "gsyn_inh"))
    t = np.arange(0, T_STOP + 0.25, 0.5)
    for side, variable in enumerate(("gsyn_exc", "gsyn_inh")):
        expected, tau = np.zeros(t.size), p["tau_syn_E" if side == 0 else "tau_syn_I"]
        for time, which, weight in events:
            s = np.maximum(t - time, 0.0) / tau
            response = s * np.exp(1 - s) if alpha else np.exp(-s)
            expected += weight * np.where(t >= time, response, 0.0) * (which == side)
        assert expected.max() > 0
        np.testing.assert_allclose(signals[variable], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", WITH_REST)
def test_a_maximum_close_to_threshold(name):
    """One arrival, after which nothing comes: a membrane whose maximum is 1e-6 mV above threshold spikes, 1e-6 below it does not.
    The maximum is where a finer search of the recorded membrane finds it, of a cell that cannot spike."""
    detected = "v_spike" if name.startswith("EIF") else "v_thresh"
    p = {**getattr(sim, name).default_parameters, "tau_syn_E": 2.0}
    if detected == "v_spike":
        p |= {"v_thresh": -40.0}
    events = [(1.0, 0, 0.012 if not CELLS[name][1] else 0.006)]
    sim.setup(timestep=0.001, tolerance=1e-9)
    cell = sim.Population(1, getattr(sim, name)(**{**p, detected: 1e3 if detected == "v_thresh" else -35.0}))
    cell.initialize(v=p["v_rest"])
    cell.record("v")
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[events[0][0]]))
    sim.Projection(source, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=events[0][2], delay=0.0))
    sim.run(30.0)
    v = np.array(cell.get_data().segments[0].analogsignals[0])[:, 0]
    k = int(v.argmax())
    assert 1 < k < v.size - 2 and v[k] - p["v_rest"] > 1.0
    top = v[k] + (v[k + 1] - v[k - 1]) ** 2 / (8 * (2 * v[k] - v[k + 1] - v[k - 1]))  # of the parabola through three samples
    for above, spikes in ((1e-6, 0), (-1e-6, 1)):
        times, _ = simulated(name, {**p, detected: top + above}, events, 1e-9)
        assert times.size == spikes, (name, above)


@pytest.mark.parametrize("name, parameters, text", [
    ("IF_cond_exp", {"tau_m": 0.0}, "tau_m = 0 must be positive"),
    ("IF_cond_exp", {"v_reset": -40.0}, "v_reset = -40 mV must be"),
    ("IF_cond_alpha", {"tau_syn_I": -1.0}, "tau_syn_I = -1 must be positive"),
    ("IF_cond_exp", {"cm": np.inf}, "cm = inf must be"),
    ("EIF_cond_exp_isfa_ista", {"delta_T": 0.0}, "delta_T = 0 must be positive"),
    ("EIF_cond_exp_isfa_ista", {"v_reset": -30.0}, "must be below v_spike = -40 mV"),
    ("IF_cond_exp", {"tau_refrac": -1.0}, "tau_refrac = -1 must not be negative")])
def test_parameters_that_are_refused(name, parameters, text):
    sim.setup()
    with pytest.raises(ValueError, match=text):
        sim.Population(2, getattr(sim, name)(**parameters))


@pytest.mark.parametrize("tolerance", [0.0, -1e-6, np.inf, 1e-12, "fine"])
def test_tolerances_that_are_refused(tolerance):
    with pytest.raises(ValueError, match="tolerance = .* ms must be a time of at least 1e-10 ms"):
        sim.setup(tolerance=tolerance)


def test_what_cannot_be_recorded():
    sim.setup()
    with pytest.raises(Exception, match="isyn_exc|w"):
        sim.Population(1, sim.IF_cond_exp()).record("w")


@pytest.mark.parametrize("name", WITH_REST)
def test_a_recurrent_network_is_what_its_spikes_say(name):
    """Twelve cells that reach each other: each alone, driven by the recorded spikes of all, spikes as it did. Weights in this
    case are so that an error of 1e-9 ms stays one over 80 ms."""
    rng = np.random.default_rng(5)
    weights, delays = rng.uniform(0.0, 0.004, (12, 12)), rng.uniform(1.0, 4.0, (12, 12))
    times = [np.sort(rng.uniform(0, 60, 30)) for _ in range(6)]
    drive = rng.uniform(0.002, 0.012, (6, 12))

    def build(own=None):
        sim.setup(tolerance=1e-9)
        cells = sim.Population(12, getattr(sim, name)(cm=0.2, tau_refrac=1.0))
        cells.initialize(v=cells.get("v_rest"))
        cells.record("spikes")
        sources = sim.Population(6, sim.SpikeSourceArray(spike_times=times))
        sim.Projection(sources, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=drive, delay=0.5))
        others = cells if own is None else sim.Population(12, sim.SpikeSourceArray(spike_times=own))
        sim.Projection(others, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=weights, delay=delays),
                       receptor_type="excitatory")
        sim.run(80.0)
        return [np.array(train) for train in cells.get_data().segments[0].spiketrains]

    recurrent = build()
    driven = build(recurrent)
    assert sum(train.size for train in recurrent) > 20
    for one, other in zip(recurrent, driven, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-7)


def test_a_cycle_without_delay_and_current_sources():
    sim.setup()
    cells = sim.Population(2, sim.IF_cond_exp())
    cells.record(["spikes", "v"])
    sim.DCSource(amplitude=1.2, start=5.0, stop=60.0).inject_into(cells)
    sim.run(80.0)
    times = np.array(cells.get_data().segments[0].spiketrains[0])
    # Until the first spike v = v_rest + R I (1 - exp(-t/tau_m)), of 20 MOhm.
    assert times.size > 1 and times[0] == pytest.approx(5.0 - 20.0 * np.log(1 - 15.0 / 24.0), abs=1e-6)
    sim.setup()
    cells = sim.Population(2, sim.IF_cond_exp())
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.001, delay=0.0))
    with pytest.raises(ValueError, match="a cycle of connections without delay"):
        sim.run(5.0)
