"""The containers that configure a chip: circuits, neurons made of several circuits, and the chip itself."""

from ttfs_pynn.brainscales2.dlens.atomic_neuron import AtomicNeuron
from ttfs_pynn.brainscales2.dlens.chip import Chip, NeuronBlock, SynapseBlock, SynapseWeightRow
from ttfs_pynn.brainscales2.dlens.morphology import LogicalNeuron, Morphology

__all__ = ["AtomicNeuron", "Chip", "LogicalNeuron", "Morphology", "NeuronBlock", "SynapseBlock", "SynapseWeightRow"]
