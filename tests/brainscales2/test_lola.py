import copy
import pickle

import numpy as np
import pytest

from ttfs_pynn.brainscales2.dlens import hal, halco, lola


def test_a_new_circuit_is_silent():
    neuron = lola.AtomicNeuron()
    assert neuron.leak.v_leak == 0 and not neuron.threshold.enable and not neuron.excitatory_input.enable
    assert neuron.excitatory_input.enable_small_capacitance and neuron.bayesian.to_post_pulse
    assert neuron.event_routing == lola.AtomicNeuron.EventRouting.disabled


def test_codes_are_checked():
    neuron = lola.AtomicNeuron()
    neuron.leak.v_leak = np.int64(1022)
    assert isinstance(neuron.leak.v_leak, hal.CapMemCell.Value)
    neuron.leak.v_leak = 1023
    assert isinstance(neuron.leak.v_leak, hal.CapMemCell.DisableRefresh)
    with pytest.raises(OverflowError, match="Leak.v_leak cannot be 1024"):
        neuron.leak.v_leak = 1024
    with pytest.raises(TypeError, match="-1"):
        neuron.leak.v_leak = -1
    with pytest.raises(TypeError, match="0.5"):
        neuron.leak.v_leak = 0.5
    with pytest.raises(OverflowError, match="from 0 to 63"):
        neuron.membrane_capacitance.capacitance = 64
    with pytest.raises(OverflowError, match="from 0 to 255"):
        neuron.refractory_period.refractory_time = 256
    with pytest.raises(TypeError, match="ReadoutSource.adaptation"):
        neuron.readout.source = 3
    with pytest.raises(TypeError, match="True or False"):
        neuron.threshold.enable = "yes"
    assert neuron.leak.v_leak == 1023, "a refused value leaves what was there"


def test_a_misspelt_name_is_an_error():
    with pytest.raises(AttributeError, match="v_leak"):
        lola.AtomicNeuron().leak.v_rest = 3


def test_circuits_are_compared_and_copied_by_value():
    neuron = lola.AtomicNeuron()
    other = copy.deepcopy(neuron)
    assert neuron == other == pickle.loads(pickle.dumps(neuron))
    other.leak.i_bias = 5
    assert neuron != other and neuron.leak.i_bias == 0
    neuron.leak = other.leak
    other.leak.i_bias = 6
    assert neuron.leak.i_bias == 5


def test_named_settings():
    assert str(lola.AtomicNeuron.Readout.Source.membrane) == "membrane"
    assert lola.AtomicNeuron.Readout.Source is hal.NeuronConfig.ReadoutSource
    assert float(lola.AtomicNeuron.EventRouting.AnalogOutputMode.normal) == 1.0


def test_a_chip_keeps_what_is_set():
    chip = lola.Chip()
    coordinate = halco.AtomicNeuronOnDLS(halco.common.Enum(1))
    backend = halco.CommonNeuronBackendConfigOnDLS(halco.common.Enum(0))
    chip.neuron_block.atomic_neurons[coordinate].leak.i_bias = 666
    chip.neuron_block.backends[backend].clock_scale_fast = 2
    assert chip != lola.Chip()
    copied = copy.deepcopy(chip)
    assert copied == chip and copied.neuron_block.atomic_neurons[coordinate].leak.i_bias == 666
    copied.neuron_block.backends[backend].clock_scale_fast = 3
    assert chip.neuron_block.backends[backend].clock_scale_fast == 2
    for number, neuron in enumerate(chip.neuron_block.atomic_neurons):
        neuron.leak.v_leak = number
    assert chip.neuron_block.atomic_neurons[halco.AtomicNeuronOnDLS(511)].leak.v_leak == 511


def test_looking_at_a_chip_does_not_change_it():
    chip = lola.Chip()
    assert chip.neuron_block.atomic_neurons[halco.AtomicNeuronOnDLS()] == lola.AtomicNeuron()
    assert chip == lola.Chip()


def test_the_bypass_is_on_in_every_circuit_and_nobody_can_change_it_for_others():
    chip = lola.Chip.default_neuron_bypass
    assert all(neuron.event_routing.enable_bypass_excitatory for neuron in chip.neuron_block.atomic_neurons)
    chip.neuron_block.atomic_neurons[halco.AtomicNeuronOnDLS()].event_routing.enable_bypass_excitatory = False
    assert chip != lola.Chip.default_neuron_bypass


def test_arrays_over_places():
    config = hal.CrossbarOutputConfig()
    config.enable_event_counter[halco.CrossbarOutputOnDLS(8)] = True
    assert config.enable_event_counter.to_numpy().nonzero()[0].tolist() == [8]
    with pytest.raises(ValueError, match="shape"):
        config.enable_event_counter.from_numpy(np.zeros(3, bool))
    row = lola.SynapseWeightRow()
    row.values[halco.SynapseOnSynapseRow(3)] = 63
    assert row.values.to_numpy().sum() == 63
    with pytest.raises(OverflowError):
        row.values[halco.SynapseOnSynapseRow(3)] = 64
    assert hal.Timer.Value.fpga_clock_cycles_per_us == 125 and hal.SynapseWeightQuad.Value.max == 63


def test_texts():
    neuron = lola.AtomicNeuron()
    neuron.leak.v_leak = 5
    assert repr(neuron.leak) == "AtomicNeuron.Leak(v_leak=CapMemCell.Value(5))"
    assert "\n    v_leak: CapMemCell.Value(5)" in str(neuron) and "source: membrane" in str(neuron)
