"""Parameters and initial values of populations, views, cells and assemblies."""

import gc

import numpy as np
import pytest
from pyNN import errors
from pyNN.random import NumpyRNG, RandomDistribution

from tests.exact.helpers import ONE_SPIKE, driven, spike_lists


@pytest.fixture
def cells(sim):
    return sim.Population(6, sim.IF_curr_exp(tau_m=lambda i: 10.0 + i, cm=0.5), label="cells")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyNN discourages these forms and still has them
def test_a_population_needs_no_parameters(sim):
    cells = sim.Population(2, sim.IF_curr_exp)
    assert cells.get("tau_m") == 20.0
    assert sim.Population(2, sim.IF_curr_exp, {"tau_m": 7.0}).get("tau_m") == 7.0


def test_equal_values_are_read_as_one_number(cells):
    assert cells.get("cm") == 0.5
    np.testing.assert_array_equal(cells.get("cm", simplify=False), [0.5] * 6)
    np.testing.assert_array_equal(cells.get(["tau_m", "cm"])[0], 10.0 + np.arange(6))


@pytest.mark.parametrize("value, expected", [
    (3.0, [3.0] * 6), ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]), (np.arange(1.0, 7), np.arange(1.0, 7)),
    (lambda i: 2.0 + i, 2.0 + np.arange(6))])
def test_set_numbers_lists_arrays_functions(cells, value, expected):
    cells.set(tau_m=value)
    np.testing.assert_array_equal(cells.get("tau_m", simplify=False), expected)


def test_set_a_random_distribution(cells):
    cells.set(tau_m=RandomDistribution("uniform", (5, 6), rng=NumpyRNG(3)))
    values = cells.get("tau_m")
    assert ((values >= 5) & (values <= 6)).all() and np.unique(values).size == 6


def test_views_write_to_their_population(cells):
    view = cells[1:5]
    view.set(tau_m=[1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(cells.get("tau_m"), [10, 1, 2, 3, 4, 15])
    inner = view[np.array([True, False, False, True])]
    inner.set(tau_m=100.0)
    np.testing.assert_array_equal(cells.get("tau_m"), [10, 100, 2, 3, 100, 15])
    assert inner.get("tau_m") == 100.0
    np.testing.assert_array_equal(view[[1, 2]].get("tau_m"), [2, 3])
    cells[::-1].set(tau_m=np.arange(1.0, 7.0))
    np.testing.assert_array_equal(cells.get("tau_m"), [6, 5, 4, 3, 2, 1])
    np.testing.assert_array_equal(cells[4:1:-1].get("tau_m"), [2, 3, 4])


def test_a_cell_has_its_parameters_as_attributes(cells):
    cells[2].tau_m = 33.0
    assert cells[2].tau_m == 33.0
    assert cells[1:4][1].tau_m == 33.0
    np.testing.assert_array_equal(cells.get("tau_m"), [10, 11, 33, 13, 14, 15])
    cells[2].set_parameters(tau_m=1.0, cm=2.0)
    assert cells[2].get_parameters()["cm"] == 2.0


def test_assemblies_read_and_write_all_their_parts(sim, cells):
    other = sim.Population(2, sim.IF_curr_exp(tau_m=1.0))
    assembly = cells[:2] + other
    np.testing.assert_array_equal(assembly.get("tau_m"), [10, 11, 1, 1])
    assembly.set(tau_m=5.0)
    np.testing.assert_array_equal(cells.get("tau_m"), [5, 5, 12, 13, 14, 15])
    assert other.get("tau_m") == 5.0


def test_parameters_that_only_fit_together_are_set_together(cells):
    cells.set(v_thresh=10.0, v_reset=5.0)
    cells.set(v_reset=-80.0, v_thresh=-70.0)
    assert cells.get("v_thresh") == -70.0


@pytest.mark.parametrize("change, error", [
    (dict(tau_m=-1.0), errors.InvalidParameterValueError), (dict(tau_m={}), errors.InvalidParameterValueError),
    (dict(tau_m="x"), errors.InvalidParameterValueError), (dict(v_reset=0.0), errors.InvalidParameterValueError),
    (dict(tau=1.0), errors.NonExistentParameterError), (dict(tau_m=[1.0, 2.0]), ValueError)])
def test_invalid_values_are_refused_and_change_nothing(sim, cells, change, error):
    before = cells.get(["tau_m", "v_reset"])
    with pytest.raises(error):
        cells.set(**change)
    np.testing.assert_array_equal(cells.get("tau_m"), before[0])
    assert cells.get("v_reset") == before[1]
    with pytest.raises(error):
        sim.Population(6, sim.IF_curr_exp(**change))


def test_an_unknown_attribute_of_a_cell_is_an_attribute_error(cells):
    assert hasattr(cells[0], "tau_m")
    assert not hasattr(cells[0], "gain")
    assert not hasattr(cells[0], "__array__")
    assert getattr(cells[0], "gain", None) is None
    with pytest.raises(errors.NonExistentParameterError, match="valid parameters"):
        cells[0].gain  # noqa: B018
    assert np.array(list(cells)).dtype.kind == "i"


def test_a_cell_outlives_the_name_of_its_population_but_not_its_simulation(sim):
    cell = sim.Population(1, sim.IF_curr_exp(tau_m=7.0))[0]
    gc.collect()
    assert cell.tau_m == 7.0
    sim.setup()
    gc.collect()
    with pytest.raises(ReferenceError, match="earlier setup"):
        cell.tau_m  # noqa: B018


def test_initial_values_of_populations_views_and_cells(sim):
    cells = sim.Population(4, sim.IF_curr_exp(**ONE_SPIKE), initial_values={"v": -60.0})
    np.testing.assert_array_equal(cells.group.get_state()["v"], [-60.0] * 4)
    cells.initialize(v=lambda i: -60.0 - i)
    cells[1:3].initialize(v=-55.0)
    cells[[0, 3]][1:].initialize(v=-54.0, isyn_exc=2.0)
    np.testing.assert_array_equal(cells.group.get_state()["v"], [-60, -55, -55, -54])
    np.testing.assert_array_equal(cells.initial_values["v"].evaluate(), [-60, -55, -55, -54])
    np.testing.assert_array_equal(cells.group.get_state()["isyn_exc"], [0, 0, 0, 2])
    cells[0].set_initial_value("v", -53.0)
    assert cells[0].get_initial_value("v") == cells.group.get_state()["v"][0] == -53.0
    (cells[:1] + cells[3:]).initialize(v=RandomDistribution("uniform", (-52, -51), rng=NumpyRNG(1)))
    v = cells.group.get_state()["v"]
    assert (v[[0, 3]] > -52).all() and (v[1:3] == -55).all()
    with pytest.raises(errors.NonExistentParameterError):
        cells.initialize(w=1.0)
    with pytest.raises(errors.InvalidParameterValueError, match="not a number"):
        cells.initialize(v=np.nan)
    with pytest.raises(errors.NonExistentParameterError, match="valid parameters"):
        cells.get("tau")


def test_sources_ignore_initial_values(sim):
    sources = sim.Population(2, sim.SpikeSourceArray())
    sources[:1].initialize(v=1.0)
    sources.initialize(v=1.0)


def test_the_initial_voltage_is_pynns_whatever_v_rest(sim):
    """PyNN's default is -65 mV: a neuron that rests at 0 mV climbs to it, and fires where that is above threshold."""
    neurons = sim.Population(2, sim.IF_curr_exp(v_rest=[0.0, -65.0], v_reset=-70.0, v_thresh=-50.0, tau_m=10.0, tau_refrac=1.0))
    neurons.record("spikes")
    sim.run(100.0)
    fires, silent = spike_lists(neurons.get_data())
    assert silent == []
    np.testing.assert_allclose(fires[0], 10.0 * np.log(65.0 / 50.0), rtol=1e-12)
    np.testing.assert_allclose(np.diff(fires), 1.0 + 10.0 * np.log(70.0 / 50.0), rtol=1e-12)


def test_a_network_that_rests_at_zero_is_the_shifted_network(sim):
    spikes = []
    for shift in (0.0, 65.0):
        sim.setup()
        _, neurons, _ = driven(sim, v_rest=-65.0 + shift, v_reset=-68.0 + shift, v_thresh=-50.0 + shift)
        neurons.initialize(v=-65.0 + shift)
        sim.run(130.0)
        spikes.append(spike_lists(neurons.get_data()))
    assert [len(train) for train in spikes[0]] == [2, 2, 2]
    np.testing.assert_allclose(*spikes, rtol=0, atol=1e-11)  # ulps of -65 mV against those of 0


def test_cells_are_numbered_without_gaps(sim, cells):
    more = sim.Population(2, sim.SpikeSourceArray())
    assert [int(cell) for cell in more] == [6, 7]
    assert cells.id_to_index(cells[4]) == 4
    assert cells[1:4].id_to_index(cells[2]) == 1
    assert (cells + more).id_to_index(more[1]) == 7


def test_an_assembly_offers_receptor_types_in_the_order_of_the_model(sim, cells):
    """PyNN's own order follows the hash seed; the first is what a projection without receptor_type takes as excitatory."""
    other = sim.Population(2, sim.IF_curr_exp())
    assembly = cells + other
    assert assembly.receptor_types == ["excitatory", "inhibitory"]
    sources = sim.Population(1, sim.SpikeSourceArray())
    for weight, expected in ((0.1, "excitatory"), (-0.1, "inhibitory")):
        projection = sim.Projection(sources, assembly, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight))
        assert projection.receptor_type == expected
    with pytest.raises(errors.ConnectionError):
        sim.Projection(cells, cells + sources, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0))


def test_models_of_other_simulators_say_what_there_is(sim):
    with pytest.raises(NotImplementedError, match="IF_curr_exp, IF_curr_delta, IF_cond_exp, .*SpikeSourceArray"):
        sim.GIF_cond_exp()
    with pytest.raises(NotImplementedError, match="StaticSynapse"):
        sim.TsodyksMarkramSynapse()
    assert sim.list_standard_models() == ["IF_curr_exp", "IF_curr_delta", "IF_cond_exp", "IF_cond_alpha",
                                          "EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "IF_cond_exp_gsfa_grr",
                                          "IF_facets_hardware1", "Izhikevich", "HH_cond_exp", "SpikeSourceArray",
                                          "SpikeSourcePoisson"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyNN discourages these forms and still has them
def test_create_and_connect(sim):
    sources = sim.create(sim.SpikeSourceArray(spike_times=[1.0]), n=2)
    neuron = sim.create(sim.IF_curr_exp, {"tau_m": 3.0})
    projection = sim.connect(sources, neuron, weight=1.0, delay=0.5)
    assert projection.get("weight", "list") == [(0, 0, 1.0), (1, 0, 1.0)]
    sim.set(neuron, tau_m=4.0)
    assert neuron.get("tau_m") == 4.0


@pytest.mark.parametrize("make", [
    lambda sim: sim.Population(2, sim.IF_curr_exp(tau_m=-1.0)), lambda sim: sim.Population(2, sim.IF_curr_exp(tau_m={})),
    lambda sim: sim.Population(1, sim.SpikeSourceArray(spike_times=[3.0, 1.0])), lambda sim: sim.Population(0, sim.IF_curr_exp()),
    lambda sim: sim.Population(2, sim.IF_curr_exp(), initial_values={"w": 1.0})])
def test_of_a_population_that_could_not_be_made_nothing_is_left(sim, cells, make):
    state = sim.simulator.state
    with pytest.raises((errors.InvalidParameterValueError, errors.NonExistentParameterError, IndexError)):
        make(sim)
    assert state.recorders == {cells.recorder} and state.network.groups == [cells.group]
    assert int(sim.Population(1, sim.IF_curr_exp())[0]) == 6
    sim.run(1.0)
    sim.reset()
