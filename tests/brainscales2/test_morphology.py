import copy

import pyNN.mock as mock
import pytest
from pyNN.errors import NonExistentParameterError
from pyNN.standardmodels import StandardCellType

from ttfs_pynn.brainscales2.dlens import halco, lola
from ttfs_pynn.brainscales2.morphology import Compartment, McCircuitParameters, SharedLineConnection, create_mc_neuron

LINE = SharedLineConnection(start=0, stop=1, row=0)


def soma(**parameters):
    return Compartment(positions=[0], label="soma", connect_shared_line=[0], **parameters)


def dendrite(**parameters):
    return Compartment(positions=[1, 129], label="dendrite", connect_conductance=[(1, 200)], **parameters)


@pytest.mark.parametrize("wrong", [
    {"positions": [0, 0]}, {"positions": 0}, {"positions": [0.5]}, {"label": None}, {"connect_shared_line": 0},
    {"connect_shared_line": [0, 0]}, {"connect_shared_line": [2]}, {"connect_conductance": 0},
    {"connect_conductance": [(1, 100), (1, 200)]}, {"connect_conductance": [(2, 100)]}, {"connect_conductance": ([1], 100)},
    {"connect_conductance": [(1, 2, 3)]}])
def test_compartments_that_cannot_be(wrong):
    with pytest.raises(TypeError):
        Compartment(**{"positions": [0, 1], "label": "a", **wrong})


def test_a_cell_type_knows_its_compartments():
    Cell = create_mc_neuron("Cell", [soma(), dendrite()], [LINE])
    assert issubclass(Cell, StandardCellType) and Cell.__name__ == "Cell"
    assert Cell.get_labels() == ["soma", "dendrite"]
    assert Cell.get_label(halco.CompartmentOnLogicalNeuron(1)) == "dendrite"
    assert Cell.get_compartment_ids(["dendrite"]) == [halco.CompartmentOnLogicalNeuron(1)]
    assert Cell.logical_compartments.get_compartments() == {0: [0], 1: [1, 129]}
    assert Cell().can_record("v", location="soma") and not Cell().can_record("w")
    with pytest.raises(ValueError, match="elsewhere"):
        Cell.get_compartment_ids(["soma", "elsewhere"])
    with pytest.raises(KeyError):
        Cell.get_label(halco.CompartmentOnLogicalNeuron(4))


def test_lists_of_the_wrong_things():
    for compartments, connections in [(soma(), None), ([soma(), dendrite()], LINE), ([soma(), dendrite()], [(0, 1, 0)])]:
        with pytest.raises(TypeError, match="give a list of"):
            create_mc_neuron("Cell", compartments, connections)


def changed(**values):
    compartment = copy.deepcopy(dendrite())
    for name, value in values.items():
        setattr(compartment, name, value)
    return compartment


@pytest.mark.parametrize("other, connections, text", [
    (dendrite(), None, "in one piece"),
    (changed(connect_shared_line=[1], connect_conductance=[]), [LINE], "directly connected"),
    (changed(positions=[0, 1, 129]), [LINE], "in CompartmentOnLogicalNeuron"),
    (changed(connect_shared_line=[1]), [LINE], "both directly and"),
    (changed(positions=[1, 3]), [LINE], "do not touch"),
    (dendrite(leak_v_leak=[1, 2, 3]), [LINE], "3 values")])
def test_neurons_that_cannot_be_built(other, connections, text):
    with pytest.raises(RuntimeError, match=text):
        create_mc_neuron("Cell", [soma(), other], connections)


def test_parameters_have_a_value_for_each_circuit():
    Cell = create_mc_neuron("Cell", [soma(leak_v_leak=1), dendrite(leak_v_leak=[2, 3])], [LINE])
    assert Cell.default_parameters["leak_v_leak"] == McCircuitParameters([[1], [2, 3]]) != McCircuitParameters([[1], [2, 4]])
    assert Cell.default_parameters["multicompartment_i_bias_nmda"] == McCircuitParameters([[0], [200, 0]])
    assert "readout_source" not in Cell.default_parameters and "multicompartment_connect_soma" not in Cell.default_parameters
    mock.setup()
    assert mock.Population(5, Cell()).get("leak_v_leak") == Cell.default_parameters["leak_v_leak"]
    assert mock.Population(1, Cell(leak_v_leak=100)).get("leak_v_leak") == 100
    with pytest.raises(NonExistentParameterError):
        create_mc_neuron("Cell", [Compartment(positions=[0], label="soma", v_rest=3)])


def test_the_chips_configuration_gives_what_nobody_else_gave():
    Cell = create_mc_neuron("Cell", [soma(), dendrite(leak_v_leak=[5, 6])], [LINE], single_active_circuit=True)
    chip = lola.Chip()
    for number, neuron in enumerate(chip.neuron_block.atomic_neurons):
        neuron.leak.v_leak, neuron.leak.i_bias, neuron.reset.v_reset = number, 7, 8
    cell = Cell(reset_v_reset=300)
    cell.parameter_space.shape = (2,)
    cell.apply_config([halco.LogicalNeuronOnDLS(Cell.logical_compartments, anchor) for anchor in (0, 10)], chip)
    second = cell.get_logical_neuron(1).morphology
    assert [neuron.leak.v_leak for part in second.values() for neuron in part] == [10, 5, 6]
    assert [neuron.leak.i_bias for part in second.values() for neuron in part] == [7, 7, 0], "one active circuit a compartment"
    assert {int(neuron.reset.v_reset) for part in second.values() for neuron in part} == {300}
    assert second[1][0].multicompartment.i_bias_nmda == 200 and second[1][0].multicompartment.enable_conductance
    assert second[0][0].multicompartment.connect_soma and second[1][0].multicompartment.connect_vertical
