"""The settings of a whole chip."""

from ttfs_pynn.brainscales2.dlens import coordinates, hal
from ttfs_pynn.brainscales2.dlens.atomic_neuron import AtomicNeuron
from ttfs_pynn.brainscales2.dlens.container import Container, Field, TypedArray

__all__ = ["Chip", "NeuronBlock", "SynapseBlock", "SynapseWeightRow"]


def _per_block(code):
    return Field(TypedArray(coordinates.CapMemBlockOnDLS, hal.analog_value, code))


class NeuronBlock(Container):
    """All neuron circuits, the two backends that clock them, and bias currents that a block of circuits shares."""

    atomic_neurons = Field(TypedArray(coordinates.AtomicNeuronOnDLS, AtomicNeuron))
    backends = Field(TypedArray(coordinates.CommonNeuronBackendConfigOnDLS, hal.CommonNeuronBackendConfig))
    v_bias_casc_n = _per_block(250)
    i_bias_readout_amp = _per_block(110)
    i_bias_leak_source_follower = _per_block(100)
    i_bias_threshold_comparator = _per_block(200)
    i_bias_synin_drop = _per_block(300)


class SynapseWeightRow(Container):
    """The weights of a row of synapses, 0 to 63."""

    Weight = hal.SynapseWeightQuad.Value
    values = Field(TypedArray(coordinates.SynapseOnSynapseRow, Weight))


class SynapseBlock(Container):
    """What the synapses of a half share: the strength of their input current."""

    i_bias_dac = Field(TypedArray(coordinates.CapMemBlockOnHemisphere, hal.analog_value, 1022))


class _NeuronBypass:
    """A new chip each time it is asked for, so that nobody can change everybody's default."""

    def __get__(self, instance, owner):
        routing = AtomicNeuron.EventRouting(enable_bypass_excitatory=True, enable_bypass_inhibitory=True)
        chip = owner()
        chip.neuron_block.atomic_neurons.fill(AtomicNeuron(event_routing=routing))
        return chip


class Chip(Container):
    """The settings of a chip. Its parts are made where they are first asked for.

    Chip.default_neuron_bypass is a chip whose circuits pass every input event on as a spike: their thresholds are off and
    event_routing.enable_bypass_excitatory and _inhibitory are on.
    """

    neuron_block = Field(NeuronBlock)
    synapse_blocks = Field(TypedArray(coordinates.SynapseBlockOnDLS, SynapseBlock))
    crossbar = Field(hal.CrossbarOutputConfig)
    background_spike_sources = Field(TypedArray(coordinates.BackgroundSpikeSourceOnDLS, hal.BackgroundSpikeSource))
    default_neuron_bypass = _NeuronBypass()
