"""What users of PyNN expect of a backend, and scripts for the adapter of this one."""


import numpy as np
import pytest

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import IDEAL, connect, recorded, source_and_neurons, spikes
from ttfs_pynn.brainscales2 import RunCommand


def test_names_that_scripts_import():
    names = {}
    exec("from ttfs_pynn.brainscales2 import *", names)  # noqa: S102
    for name in ("setup", "run", "run_until", "run_for", "reset", "end", "create", "connect", "set", "record", "initialize",
                 "Population", "PopulationView", "Assembly", "Projection", "AllToAllConnector", "OneToOneConnector",
                 "FromListConnector", "ArrayConnector", "FixedProbabilityConnector", "HXNeuron", "CalibHXNeuronCuba",
                 "SpikeSourceArray", "SpikeSourcePoisson", "StaticSynapse", "RunCommand", "NumpyRNG", "RandomDistribution",
                 "Space", "cells", "synapses", "logger", "helper", "list_standard_models", "get_current_time",
                 "get_backend_statistics", "preprocess", "random", "space", "errors", "simulator"):
        assert name in names, name
    assert [model.__name__ for model in pynn.list_standard_models()] == ["HXNeuron", "CalibHXNeuronCuba", "CalibHXNeuronCoba"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyNN's own, of its functions
def test_functions_of_the_procedural_interface(tmp_path):
    pynn.setup(non_idealities=IDEAL)
    source = pynn.create(pynn.cells.SpikeSourceArray(spike_times=[0.01]))
    neurons = pynn.create(pynn.cells.CalibHXNeuronCuba, {"v_thresh": 120}, 4)
    projection = pynn.connect(source, neurons, weight=150, delay=0, receptor_type="excitatory")
    assert len(projection) == 4 and set(projection.get("weight", format="list", with_address=False)) == {150.0}
    pynn.set(neurons, v_thresh=110)
    assert neurons.get("v_thresh") == 110
    pynn.record("spikes", neurons, str(tmp_path / "spikes.pkl"))
    assert pynn.run_until(0.05) == pynn.get_current_time() == 0.05
    assert len(spikes(neurons)) == 4 and all(train.size == 1 for train in spikes(neurons))
    assert pynn.get_time_step() == pytest.approx(3.4e-5) and pynn.get_min_delay() == 0 and pynn.rank() == 0
    pynn.end()
    assert (tmp_path / "spikes.pkl").stat().st_size > 0


def test_views():
    neurons = recorded(6)
    pynn.reset()
    view = neurons[1:5]
    assert view.size == 4 and view[0:2].size == 2 and view[[0, 3]].size == 2 and neurons.sample(2).size == 2
    view.set(v_thresh=100)
    view[0:1].set(tau_m=5, v_rest=70)
    assert neurons.get("v_thresh").tolist() == [125, 100, 100, 100, 100, 125]
    assert neurons.get("tau_m").tolist() == [10, 5, 10, 10, 10, 10]
    assert view.get("v_rest").tolist() == [70, 80, 80, 80]
    neurons[3].v_thresh = 105
    assert neurons[3].v_thresh == 105 and view.get("v_thresh")[2] == 105
    pynn.run(0.1)
    assert len(view.get_data().segments[-1].spiketrains) == 4
    assert [train.annotations["source_index"] for train in view.get_data().segments[-1].spiketrains] == [1, 2, 3, 4]
    first = spikes(neurons)
    assert first[2][0] < first[0][0] and first[0][0] == first[5][0]
    with pytest.raises(IndexError):
        neurons[6]


def test_a_view_records_its_own_cells_and_forgets_for_all():
    source, neurons = source_and_neurons(4, (0.01,), non_idealities=IDEAL)
    connect(source[0:1], neurons, 300)
    neurons[1:3].record("spikes")
    pynn.run(0.1)
    assert len(neurons.get_data().segments[0].spiketrains) == 2
    assert sorted(neurons.get_spike_counts().values()) == [1, 1]
    pynn.reset()
    neurons[0:1].record(None)
    pynn.run(0.1)
    assert len(neurons.get_data().segments[-1].spiketrains) == 0


@pytest.mark.parametrize("name, given", [("SpikeSourceArray", {"spike_times": [0.01]}), ("CalibHXNeuronCuba", {"tau_m": 7.0}),
                                         ("HXNeuron", {"threshold_v_threshold": 300})])
def test_one_cell_type_for_several_populations(name, given):
    """Each population has parameters of its own, which start from those given, as in PyNN; the first keeps the handle."""
    pynn.setup()
    cell = getattr(pynn.cells, name)(**given)
    populations = [pynn.Population(size, cell) for size in (2, 3)]
    (parameter, value), = given.items()
    populations[0].set(**{parameter: [0.02] if name == "SpikeSourceArray" else value + 1})
    populations.append(pynn.Population(2, populations[0].celltype))
    assert populations[0].celltype is cell and len({id(p.celltype) for p in populations}) == 3
    for k, population in enumerate(populations):
        found = population.get(parameter, simplify=False)
        assert len(found) == population.size
        expected = value[0] if name == "SpikeSourceArray" else value
        assert all((getattr(f, "value", [f])[0] == expected) == (k > 0) for f in found)


def test_an_assembly_is_a_target():
    source, neurons = source_and_neurons(2, (0.01,), non_idealities=IDEAL)
    others = pynn.Population(3, pynn.cells.CalibHXNeuronCuba())
    both = pynn.Assembly(neurons, others)
    projection = connect(source[0:1], both, 100)
    assert projection.get("weight", format="array").shape == (1, 5)
    projection.set(weight=np.array([[300, 0, 300, 0, 300]]))
    both.record("spikes")
    pynn.run(0.1)
    assert [train.size for train in (*spikes(neurons), *spikes(others))] == [1, 0, 1, 0, 1]
    assert sorted(both.get_spike_counts().values()) == [0, 0, 1, 1, 1]


def test_weights_as_lists_and_arrays():
    source, neurons = source_and_neurons(2)
    projection = connect(source, neurons, 42.5)
    assert (projection.get("weight", format="array") == 42).all()  # Python's round: to even
    projection.set(weight=np.array([[1, 2], [3, 4]]))
    assert projection.get("weight", format="list") == [(0, 0, 1.0), (0, 1, 2.0), (1, 0, 3.0), (1, 1, 4.0)]
    projection.set(weight=[5, 6, 7, 8])
    assert projection.get("weight", format="array").tolist() == [[5, 6], [7, 8]]
    assert projection.get(["weight", "delay"], format="list")[0] == (0, 0, 5.0, 0.0)
    projection.setWeights(9)
    assert (projection.get("weight", format="array") == 9).all()
    projection.set(weight=pynn.RandomDistribution("uniform", low=1, high=60, rng=pynn.NumpyRNG(seed=3)))
    random = projection.get("weight", format="array")
    assert (random == np.round(random)).all() and np.ptp(random) > 0
    array = projection.get("weight", format="array")
    array[:] = -1  # a copy: what is read does not change what is set
    assert (projection.get("weight", format="array") == random).all()


def test_connections_are_row_major_and_writable():
    source, neurons = source_and_neurons(3)
    projection = connect(source, neurons, 1)
    ends = [(c.presynaptic_index, c.postsynaptic_index) for c in projection]
    assert ends == [(i, j) for i in range(3) for j in range(3)]
    for k, connection in enumerate(projection.connections):
        connection.weight = 10 * k + 0.4
    assert projection.get("weight", format="array").tolist() == [[0, 10, 20], [30, 40, 50], [60, 70, 80]]
    assert projection[8].weight == 80 and projection[8].as_tuple("weight", "delay") == (80.0, 0.0)


def test_a_larger_weight_of_one_connection_takes_more_rows():
    source, neurons = source_and_neurons(2)
    projection = connect(source, neurons, 63)
    before = pynn.will_it_map()
    projection[0].weight = 800
    after = pynn.will_it_map()
    assert before.largest_chunks == 1 and after.largest_chunks == 13
    pynn.run(None, RunCommand.PREPARE)
    assert "MappedTopologyStatistics" in str(pynn.get_backend_statistics())


def test_weights_above_63_act_as_they_say():
    """Twice 63 acts as two synapses of 63."""
    source, neurons = source_and_neurons(2, (0.01,), non_idealities=IDEAL)
    connect(source[0:1], neurons[0:1], 252)
    for _ in range(4):
        connect(source[0:1], neurons[1:2], 63)
    neurons.record("spikes")
    pynn.run(0.1)
    one, other = spikes(neurons)
    assert one.size == 1 and np.array_equal(one, other)


def test_two_projections_form_signed_weights():
    source, neurons = source_and_neurons(1, (0.01,), non_idealities=IDEAL)
    connect(source, neurons, 300)
    inhibition = connect(source, neurons, -300, "inhibitory")
    neurons.record("spikes")
    pynn.run(0.1)
    assert spikes(neurons)[0].size == 0
    pynn.reset()
    inhibition.set(weight=0)
    pynn.run(0.1)
    assert spikes(neurons)[0].size == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyNN's own, of initialize()
def test_initial_values_are_ignored():
    """As on the chip, where nothing can set a membrane."""
    first = spikes(recorded(2))
    source, neurons = source_and_neurons(2, (0.01,), non_idealities=IDEAL)
    connect(source[0:1], neurons, 300)
    neurons.initialize(v=120)
    neurons[0:1].initialize(v=120)
    pynn.initialize(neurons, v=120)
    neurons.record("spikes")
    pynn.run(0.1)
    assert all(np.array_equal(a, b) for a, b in zip(first, spikes(neurons), strict=True))
