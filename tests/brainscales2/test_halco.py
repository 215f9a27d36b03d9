import pickle

import pytest

from ttfs_pynn.brainscales2.dlens import halco


def test_a_circuit_is_a_column_and_a_row():
    circuit = halco.AtomicNeuronOnDLS(halco.NeuronColumnOnDLS(3), halco.NeuronRowOnDLS(1))
    assert circuit == halco.AtomicNeuronOnDLS(halco.NeuronRowOnDLS(1), halco.NeuronColumnOnDLS(3))
    assert circuit == halco.AtomicNeuronOnDLS(halco.common.Enum(259)) == halco.AtomicNeuronOnDLS(halco.EnumRanged_512_(259))
    assert circuit.toNeuronColumnOnDLS() == halco.NeuronColumnOnDLS(3)
    assert circuit.toNeuronRowOnDLS() == halco.NeuronRowOnDLS.bottom
    assert halco.AtomicNeuronOnDLS() == 0 and halco.AtomicNeuronOnDLS.size == 512
    assert circuit.toEnum() == halco.AtomicNeuronOnDLS.enum_type(259)


@pytest.mark.parametrize("value, error", [(512, OverflowError), (-1, TypeError), (1.0, TypeError), ("a", TypeError)])
def test_a_place_off_the_chip(value, error):
    for make in (halco.AtomicNeuronOnDLS, halco.AtomicNeuronOnDLS.enum_type):
        with pytest.raises(error, match="whole number from 0 to 511"):
            make(value)


def test_places_of_different_kinds_are_different():
    """They are keys of one dictionary in an injected configuration."""
    places = {halco.AtomicNeuronOnDLS(): "circuit", halco.CrossbarOutputConfigOnDLS(): "crossbar"}
    assert len(places) == 2 and places[halco.CrossbarOutputConfigOnDLS()] == "crossbar"
    assert halco.NeuronColumnOnDLS(3) != halco.CrossbarOutputOnDLS(3)


def test_all_places_in_order():
    assert list(halco.iter_all(halco.CrossbarOutputOnDLS)) == [halco.CrossbarOutputOnDLS(number) for number in range(12)]


def test_event_outputs_and_backends_follow_the_column():
    circuits = [halco.AtomicNeuronOnDLS(number) for number in (31, 32, 127, 128, 255, 256)]
    assert [int(circuit.toNeuronColumnOnDLS().toNeuronEventOutputOnDLS()) for circuit in circuits] == [0, 1, 3, 4, 7, 0]
    assert [int(circuit.toCommonNeuronBackendConfigOnDLS()) for circuit in circuits] == [0, 0, 0, 1, 1, 0]


def test_a_place_is_kept():
    place = halco.AtomicNeuronOnDLS(7)
    copied = pickle.loads(pickle.dumps([place, place.toEnum()]))
    assert copied == [place, place.toEnum()] and [type(part) for part in copied] == [type(place), halco.EnumRanged_512_]


def test_neurons_of_several_circuits_are_placed_at_their_left_upper_circuit():
    shape = halco.LogicalNeuronCompartments({0: [2], halco.CompartmentOnLogicalNeuron(1): [3, 131]})
    placed = halco.LogicalNeuronOnDLS(shape, halco.AtomicNeuronOnDLS(10))
    assert placed.get_placed_compartments() == {0: [10], 1: [11, 267]}
    with pytest.raises(RuntimeError, match="column 128"):
        halco.LogicalNeuronOnDLS(shape, halco.AtomicNeuronOnDLS(127))
    with pytest.raises(RuntimeError, match="more than one compartment"):
        halco.LogicalNeuronCompartments({0: [1], 1: [1]})


def test_a_column_alone_is_no_circuit():
    with pytest.raises(TypeError, match="give both"):
        halco.AtomicNeuronOnDLS(halco.NeuronColumnOnDLS(3))
