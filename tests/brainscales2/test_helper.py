"""Configurations of a chip from targets, bytes and files, and the coordinates and values that go with them."""

import copy

import numpy as np
import pytest

import ttfs_pynn.brainscales2 as pynn
from ttfs_pynn.brainscales2 import helper, morphology
from ttfs_pynn.brainscales2.dlens import halco, hxcomm, lola, sta


@pytest.fixture(scope="module")
def chip():
    return helper.chip_from_targets(chip=2, v_thresh=120.0)


def test_a_target_is_what_calibration_aims_at(chip):
    """A threshold of 120 instead of 125 LSB is a lower code of every circuit."""
    usual = helper.chip_from_targets(chip=2)
    codes = [[c.neuron_block.atomic_neurons[halco.AtomicNeuronOnDLS(k)].threshold.v_threshold for k in range(0, 512, 37)]
             for c in (chip, usual)]
    assert chip != usual and len(set(codes[1])) > 5, "circuits differ"
    assert len({int(a) < int(b) for a, b in zip(*codes, strict=True)}) == 1


@pytest.mark.parametrize("targets, text", [(dict(thresh=1.0), "unknown target"), (dict(v_rest=[1.0, 2.0]), "512"),
                                           (dict(v_rest=np.nan), "finite"), (dict(tau_m=0.0), "positive")])
def test_targets_that_are_none(targets, text):
    with pytest.raises(ValueError, match=text):
        helper.chip_from_targets(**targets)


def test_a_chip_is_read_from_bytes_and_files(chip, tmp_path):
    builder = sta.PlaybackProgramBuilderDumper()
    builder.write(halco.ChipOnDLS(), chip)
    data = sta.to_portablebinary(builder.done())
    assert helper.chip_from_portable_binary(data) == chip
    (tmp_path / "chip.pbin").write_bytes(data)
    assert helper.chip_from_file(tmp_path / "chip.pbin") == chip
    with pytest.raises(FileNotFoundError):
        helper.chip_from_file(tmp_path / "none.pbin")


def test_the_nightly_calibration_is_that_of_the_chip_in_use():
    identifier = helper.get_unique_identifier()[0]
    assert identifier in str(helper.nightly_calib_path()) and identifier in helper.nightly_calib_url()
    pynn.setup(chip=2)
    try:
        assert helper.chip_from_file(helper.nightly_calib_path()) == helper.chip_from_nightly() == helper.chip_from_targets(2)
    finally:
        pynn.end()


def test_values_of_a_circuit_by_name():
    neuron = lola.AtomicNeuron()
    neuron.leak.v_leak = 700
    values = helper.get_values_of_atomic_neuron(neuron, exclude=["threshold_v_threshold"])
    assert values["leak_v_leak"] == 700 and "threshold_v_threshold" not in values
    assert "threshold_v_threshold" in helper.get_values_of_atomic_neuron(neuron)
    assert helper.decompose_in_member_names("leak_v_leak") == ("leak", "v_leak")
    assert helper.decompose_in_member_names("nothing_known") == ("", "nothing_known")


def test_coordinates_of_neurons_are_values():
    shape = halco.LogicalNeuronCompartments({0: [0], 1: [1, 128]})
    same = halco.LogicalNeuronCompartments({1: [1, 128], 0: [0]})
    assert shape == same and hash(shape) == hash(same) and shape != halco.LogicalNeuronCompartments({0: [0]})
    placed = halco.LogicalNeuronOnDLS(shape, 10)
    assert placed == halco.LogicalNeuronOnDLS(same, 10) != halco.LogicalNeuronOnDLS(shape, 11)
    assert hash(placed) == hash(halco.LogicalNeuronOnDLS(same, 10))
    assert [int(c) for c in placed.get_atomic_neurons()] == [10, 11, 10 + 256]
    assert "CompartmentOnLogicalNeuron(1)" in repr(shape) and "CompartmentOnLogicalNeuron(1)" in repr(placed)
    with pytest.raises(RuntimeError, match="more than one compartment"):
        halco.LogicalNeuronCompartments({0: [0], 1: [0]})
    with pytest.raises(RuntimeError, match="columns here end"):
        halco.LogicalNeuronOnDLS(shape, 127)


def test_parameters_of_circuits_are_compared_by_value():
    value, same = (morphology.McCircuitParameters([[1.0, 2.0], [5.0]]) for _ in range(2))
    assert value == same and value != morphology.McCircuitParameters([[1.0], [5.0]])
    several = np.empty(2, dtype=object)
    several[:] = [value, morphology.McCircuitParameters([[0.0], [1.0]])]
    assert (value == several).tolist() == [True, False] and value != 3 and value.max() == 5.0
    assert repr(value) == "McCircuitParameters([[1.0, 2.0], [5.0]])"


def test_containers_and_their_arrays_are_values(chip):
    neuron = lola.AtomicNeuron()
    twin = copy.copy(neuron)
    twin.leak.v_leak = 3
    assert neuron != twin and neuron != 1 and neuron.leak.v_leak != 3
    bias = lola.Chip().neuron_block.v_bias_casc_n
    bias.fill(7)
    assert bias.to_numpy().tolist() == [7] * bias.size and bias != lola.Chip().neuron_block.v_bias_casc_n
    bias.from_numpy(np.arange(bias.size))
    assert bias[2] == 2 and "TypedArray" in repr(bias)
    with pytest.raises(ValueError, match="shape"):
        bias.from_numpy(np.arange(bias.size + 1))
    with pytest.raises(TypeError, match="give an array"):
        chip.neuron_block.v_bias_casc_n = 3
    with pytest.raises(AttributeError, match="it has"):
        neuron.no_such_field = 1


def test_programs_are_kept_and_not_run():
    with hxcomm.ManagedConnection() as connection, pytest.raises(NotImplementedError, match="describe the experiment"):
        sta.run(connection, sta.PlaybackProgramBuilder().done())
