"""The containers that configure a chip: circuits, neurons made of several circuits, and the chip itself."""

from ttfs_pynn.brainscales2.dlens.atomic_neuron import AtomicNeuron
from ttfs_pynn.brainscales2.dlens.chip import Chip, NeuronBlock, SynapseBlock, SynapseWeightRow

__all__ = ["AtomicNeuron", "Chip", "NeuronBlock", "SynapseBlock", "SynapseWeightRow"]
