"""Current sources as PyNN's users have them: what they do to cells, what can be changed, what is recorded of them."""

import numpy as np
import pytest
from pyNN import errors
from pyNN.random import NumpyRNG

PASSIVE = dict(tau_m=20.0, cm=1.0, v_rest=-60.0, v_reset=-60.0, v_thresh=0.0)
RESISTANCE = 20.0  # MOhm


def passive(sim, n, **parameters):
    cells = sim.Population(n, sim.IF_curr_exp(**{**PASSIVE, **parameters}))
    cells.initialize(v=-60.0)
    cells.record("v")
    return cells


def voltage(cells):
    (signal,) = cells.get_data().segments[-1].analogsignals
    return np.asarray(signal)


def pulse(t, start, stop, amplitude):
    """v - v_rest (mV) under a constant current from start to stop: the textbook's charge and discharge."""
    charge = RESISTANCE * amplitude * (1 - np.exp(-np.clip(t - start, 0, stop - start) / 20.0))
    return charge * np.exp(-np.clip(t - stop, 0, None) / 20.0)


def test_a_pulse_charges_and_discharges_the_membrane(sim):
    cells = passive(sim, 2)
    cells[:1].inject(sim.DCSource(amplitude=0.7, start=10.0, stop=20.33))  # of no name, and off the grid
    sim.run(50.0)
    v = voltage(cells)
    t = np.arange(501) * 0.1
    np.testing.assert_allclose(v[:, 0], -60.0 + pulse(t, 10.0, 20.33, 0.7), rtol=0, atol=1e-12)
    assert v[100, 0] == -60.0 and v[101, 0] > -59.97
    assert (v[:, 1] == -60.0).all()


def test_spikes_under_a_pulse_are_where_the_membrane_equation_has_them(sim):
    cells = passive(sim, 1, v_thresh=-50.0, tau_refrac=3.0)
    cells.inject(sim.DCSource(amplitude=1.0, start=5.0, stop=100.0))
    cells.record("spikes")
    sim.run(200.0)
    (train,) = cells.get_data().segments[0].spiketrains
    rise = 20.0 * np.log(20.0 / 10.0)
    expected = 5.0 + rise + (3.0 + rise) * np.arange(6)
    expected = expected[expected < 100.0]
    assert expected.size == 5
    np.testing.assert_allclose(train.magnitude, expected, rtol=0, atol=1e-11)  # ulps of t that add up


def test_currents_at_zero_are_taken_into_account(sim):
    cells = passive(sim, 3)
    cells[0].i_offset = 1.0
    cells[1].inject(sim.DCSource(amplitude=1.0, start=0.0))
    cells[2].inject(sim.StepCurrentSource(times=[0.0], amplitudes=[1.0]))
    sim.run(20.0)
    v = voltage(cells)
    assert v[1, 0] > -60.0
    np.testing.assert_array_equal(v[:, 1], v[:, 2])
    np.testing.assert_array_equal(v[:, 1], v[:, 0])


def test_steps_are_pulses_that_add_up(sim):
    cells = passive(sim, 1)
    cells.inject(sim.StepCurrentSource(times=[5.0, 17.77, 30.0], amplitudes=[0.3, -0.2, 0.1]))
    sim.run_until(50.0)
    t = np.arange(501) * 0.1
    expected = -60.0 + pulse(t, 5.0, 17.77, 0.3) + pulse(t, 17.77, 30.0, -0.2) + pulse(t, 30.0, 1e9, 0.1)
    np.testing.assert_allclose(voltage(cells)[:, 0], expected, rtol=0, atol=1e-12)


def test_population_view_assembly_list_and_cell(sim):
    one, two = passive(sim, 3), passive(sim, 2)
    source = sim.DCSource(amplitude=0.1)
    source.inject_into(one)
    source.inject_into(one[[2]])
    source.inject_into([two[1], one[2]])
    source.inject_into(one[1:2] + two)
    source.inject_into(two[0])
    sim.run(10.0)
    times = np.concatenate([voltage(one)[-1], voltage(two)[-1]]) + 60.0
    np.testing.assert_allclose(times / pulse(10.0, 0.0, 1e9, 0.1), [1, 2, 3, 2, 2], rtol=1e-12)


def test_spike_sources_take_no_current(sim):
    cells = passive(sim, 2)
    for spikes in (sim.Population(2, sim.SpikeSourceArray()), sim.Population(1, sim.SpikeSourcePoisson())):
        source = sim.DCSource(amplitude=1.0)
        for target in (spikes, spikes[:1], cells + spikes, [cells[0], spikes[0]]):
            with pytest.raises(TypeError, match="spike source"):
                source.inject_into(target)
        with pytest.raises(TypeError, match="spike source"):
            spikes.inject(source)
    sim.run(1.0)
    assert (voltage(cells) == -60.0).all()  # nothing was injected into some of them


def test_parameters_are_read_and_changed(sim):
    cells = passive(sim, 1)
    source = sim.DCSource(amplitude=0.5, start=2.0)
    source.inject_into(cells)
    assert source.amplitude == 0.5 and source.start == 2.0 and source.stop == 1e12
    sim.run(10.0)
    source.amplitude += 0.25
    assert source.amplitude == 0.75
    sim.run(10.0)
    source.set_parameters(amplitude=-1.0, stop=25.0)
    sim.run(10.0)
    t = np.arange(301) * 0.1
    expected = pulse(t, 2.0, 10.0, 0.5) + pulse(t, 10.0, 20.0, 0.75) + pulse(t, 20.0, 25.0, -1.0)
    np.testing.assert_allclose(voltage(cells)[:, 0] + 60.0, expected, rtol=0, atol=1e-12)
    step = sim.StepCurrentSource(times=[1.0, 2.0], amplitudes=[3.0, 4.0])
    assert step.times[1] == 2.0 and step.amplitudes[0] == 3.0
    step.times = [1.0, 2.0, 3.0]
    step.amplitudes = [1.0, 2.0, 3.0]
    assert step.times[2] == 3.0
    with pytest.raises(errors.NonExistentParameterError):
        assert step.frequency
    with pytest.raises(AttributeError, match="set_parameters"):
        step.set(times=[1.0])
    with pytest.raises(errors.NonExistentParameterError):
        sim.DCSource(current=1.0)
    assert not hasattr(step, "__array__")


@pytest.mark.parametrize("name, parameters, message", [
    ("StepCurrentSource", dict(times=[-1.0, 1.0], amplitudes=[1.0, 1.0]), "negative"),
    ("StepCurrentSource", dict(times=[2.0, 1.0], amplitudes=[1.0, 1.0]), "increasing"),
    ("StepCurrentSource", dict(times=[1.0, 1.0], amplitudes=[1.0, 1.0]), "increasing"),
    ("StepCurrentSource", dict(times=[1.0], amplitudes=[1.0, 1.0]), "one amplitude a time"),
    ("NoisyCurrentSource", dict(stdev=-1.0), "stdev"), ("NoisyCurrentSource", dict(dt=0.0), "positive"),
    ("ACSource", dict(frequency=np.nan), "finite"), ("DCSource", dict(amplitude=np.nan), "numbers")])
def test_parameters_that_make_no_current_are_refused(sim, name, parameters, message):
    with pytest.raises(ValueError, match=message):
        getattr(sim, name)(**parameters)
    sim.run(1.0)  # what was refused is not kept


def test_times_and_amplitudes_that_do_not_fit_stop_the_run_before_it_begins(sim):
    cells = passive(sim, 1)
    source = sim.StepCurrentSource(times=[1.0], amplitudes=[1.0])
    cells.inject(source)
    with pytest.raises(ValueError, match="increasing"):
        source.times = [2.0, 1.0]
    assert source.times[0] == 1.0
    source.times = [1.0, 2.0]
    with pytest.raises(ValueError, match="2 times and 1 amplitudes"):
        sim.run(10.0)
    assert sim.get_current_time() == 0.0
    source.amplitudes = [1.0, 0.0]
    sim.run(10.0)
    np.testing.assert_allclose(voltage(cells)[-1, 0], -60.0 + pulse(10.0, 1.0, 2.0, 1.0), rtol=0, atol=1e-12)


def test_a_sine_begins_with_its_phase_and_is_constant_within_a_time_step(sim):
    cells = passive(sim, 2)
    sources = [sim.ACSource(start=5.0, stop=20.0, amplitude=1.0, offset=0.2, frequency=100.0, phase=p) for p in (0.0, 90.0)]
    for cell, source in zip(cells, sources, strict=True):
        cell.inject(source)
        source.record()
    sim.run(25.0)
    k = np.arange(150)
    t = np.arange(251) * 0.1
    v = voltage(cells)
    for n, source in enumerate(sources):
        expected = 0.2 + np.sin(2 * np.pi * 0.01 * k + n * np.pi / 2)
        times, current = source._get_data()
        np.testing.assert_array_equal(times, t)
        np.testing.assert_allclose(current, np.concatenate([np.zeros(50), expected, np.zeros(51)]), rtol=0, atol=1e-12)
        u = np.zeros(251)
        for j in range(250):
            u[j + 1] = u[j] * np.exp(-0.1 / 20) + RESISTANCE * current[j] * -np.expm1(-0.1 / 20)
        np.testing.assert_allclose(v[:, n] + 60.0, u, rtol=0, atol=1e-12)


def test_noise_has_the_mean_deviation_and_interval_asked_for(sim):
    cells = passive(sim, 2)
    sources = [sim.NoisyCurrentSource(mean=0.5, stdev=0.25, start=25.0, stop=2025.0), sim.NoisyCurrentSource(dt=1.0)]
    for cell, source in zip(cells, sources, strict=True):
        source.inject_into([cell])
        source.record()
    sim.run(2100.0)
    current, slow = (source._get_data()[1] for source in sources)
    assert current.size == slow.size == 21001
    assert (current[:250] == 0).all() and (current[20250:] == 0).all()
    inside = current[250:20250]
    assert np.unique(inside).size == inside.size == 20000
    assert abs(inside.mean() - 0.5) < 5 * 0.25 / np.sqrt(20000)  # five standard errors
    assert abs(inside.std() - 0.25) < 5 * 0.25 / np.sqrt(40000)
    assert abs(np.corrcoef(inside[1:], inside[:-1])[0, 1]) < 5 / np.sqrt(20000)
    assert (slow[:21000].reshape(2100, 10) == slow[:21000:10, None]).all()
    v = voltage(cells)[:, 0]
    assert (v[:251] == -60.0).all() and v[251] != -60.0 and (np.diff(v[20250:]) < 0).all()


def test_noise_follows_the_seed_and_is_new_after_a_reset(sim):
    def course(seed, rng=None, pieces=1):
        sim.setup(timestep=0.1, seed=seed)
        source = sim.NoisyCurrentSource(stdev=1.0, rng=None if rng is None else NumpyRNG(rng))
        passive(sim, 1).inject(source)
        source.record()
        for _ in range(pieces):
            sim.run(20.0 / pieces)
        return source
    one = course(1).get_data().magnitude
    assert one.std() > 0.5
    np.testing.assert_array_equal(course(1, pieces=7).get_data().magnitude, one)
    assert not (course(2).get_data().magnitude == one).any()
    mine = course(1, rng=5).get_data().magnitude
    assert not (mine == one).any()
    np.testing.assert_array_equal(course(2, rng=5).get_data().magnitude, mine)
    source = course(1)
    sim.reset()
    sim.run(20.0)
    again = source.get_data()
    assert again.shape == one.shape and float(again.t_start) == 0.0 and not (again.magnitude == one).any()


def test_one_noise_is_the_same_for_all_its_cells(sim):
    one, two = passive(sim, 2), passive(sim, 1)
    source = sim.NoisyCurrentSource(stdev=1.0)
    (one + two).inject(source)
    sim.run(20.0)
    v = voltage(one)
    assert v.std() > 0.1
    np.testing.assert_array_equal(v[:, 0], v[:, 1])
    np.testing.assert_array_equal(v[:, :1], voltage(two))


def test_the_recorded_current_is_what_flowed(sim):
    source = sim.DCSource(amplitude=1.0, start=1.0, stop=6.0)
    passive(sim, 1).inject(source)
    with pytest.raises(errors.NothingToWriteError, match="record"):
        source.get_data()
    source.record()
    sim.run(4.0)
    source.amplitude = 2.0
    sim.run(4.0)
    signal = source.get_data()
    assert signal.shape == (81, 1) and str(signal.dimensionality) == "nA"
    assert float(signal.t_start) == 0.0 and float(signal.sampling_period) == pytest.approx(0.1)
    expected = np.repeat([0.0, 1.0, 2.0, 0.0], [10, 30, 20, 21])
    np.testing.assert_array_equal(signal.magnitude[:, 0], expected)
    sim.reset()
    sim.run(2.0)
    np.testing.assert_array_equal(source.get_data().magnitude[:, 0], np.repeat([0.0, 2.0], [10, 11]))
    late = sim.DCSource(amplitude=3.0)
    late.record()
    sim.run(1.0)
    assert float(late.get_data().t_start) == pytest.approx(2.0) and late.get_data().shape == (11, 1)


def test_a_current_reaches_a_recurrent_network_in_steps(sim):
    def run(pieces):
        sim.setup(timestep=0.1, seed=1)
        cells = passive(sim, 2, v_thresh=-55.0, tau_refrac=2.0)
        synapse = sim.StaticSynapse(weight=3.0, delay=0.7)
        sim.Projection(cells, cells, sim.AllToAllConnector(allow_self_connections=False), synapse, receptor_type="excitatory")
        source = sim.StepCurrentSource(times=[3.3, 40.0], amplitudes=[0.6, 0.0])
        cells[:1].inject(source)
        cells.record(["spikes", "isyn_exc"])
        for _ in range(pieces):
            sim.run(60.0 / pieces)
        segment = cells.get_data().segments[0]
        return np.asarray(segment.spiketrains.multiplexed[1]), *(np.asarray(signal) for signal in segment.analogsignals)
    one, many = run(1), run(13)
    assert one[0].size > 5 and one[1].shape == one[2].shape == (601, 2)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name, parameters", [
    ("DCSource", {}), ("StepCurrentSource", {"times": [1.0], "amplitudes": [1.0]}), ("ACSource", {}), ("NoisyCurrentSource", {})])
def test_sources_and_cells_of_an_earlier_setup(sim, name, parameters):
    old_cells = sim.Population(1, sim.IF_curr_exp(), label="old")
    source = getattr(sim, name)(**parameters)
    source.inject_into(old_cells)
    source.record()
    sim.run(5.0)
    expected = source.get_data().magnitude
    sim.setup(timestep=1.0)
    cells = passive(sim, 1)
    for use in (lambda: cells.inject(source), source.record, lambda: source.set_parameters(**(parameters or {"start": 3.0}))):
        with pytest.raises(RuntimeError, match=f"a {name} was made before the last setup.*make it again"):
            use()
    for target in (old_cells, old_cells[:1], old_cells[0], cells + old_cells):
        with pytest.raises(RuntimeError, match="old.*belongs to a simulation before"):
            getattr(sim, name)(**parameters).inject_into(target)
    assert not cells.group.driven
    sim.run(3.0)
    np.testing.assert_array_equal(source.get_data().magnitude, expected)


@pytest.mark.parametrize("times", [{"start": np.nan}, {"stop": np.nan}])
@pytest.mark.parametrize("name", ["DCSource", "ACSource", "NoisyCurrentSource"])
def test_times_that_are_no_numbers_are_refused(sim, name, times):
    with pytest.raises(ValueError, match="nan"):
        getattr(sim, name)(**times)
    source = getattr(sim, name)(start=1.0, stop=2.0)
    with pytest.raises(ValueError, match="nan"):
        source.set_parameters(**times)
    assert source.start == 1.0 and source.stop == 2.0


@pytest.mark.parametrize("name", ["DCSource", "ACSource", "NoisyCurrentSource"])
def test_no_current_flows_where_start_is_not_before_stop(sim, name):
    """As in PyNN; so the two can be set one after the other."""
    cells = passive(sim, 1)
    source = getattr(sim, name)(start=10.0, stop=5.0)
    cells.inject(source)
    sim.run(20.0)
    assert (voltage(cells) == -60.0).all()
    sim.reset()
    source.stop = 15.0
    sim.run(20.0)
    assert (voltage(cells)[:101] == -60.0).all() and (voltage(cells)[151:] != -60.0).any()
