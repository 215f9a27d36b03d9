"""All cell types."""

from ttfs_pynn.brainscales2.standardmodels.neurons import CalibHXNeuronCoba, CalibHXNeuronCuba, CalibPairCuba, HXNeuron
from ttfs_pynn.brainscales2.standardmodels.sources import (
    OffChipSource,
    SpikeSourceArray,
    SpikeSourcePoisson,
    SpikeSourcePoissonOnChip,
)

__all__ = ["CalibHXNeuronCoba", "CalibHXNeuronCuba", "CalibPairCuba", "HXNeuron", "OffChipSource", "SpikeSourceArray",
           "SpikeSourcePoisson", "SpikeSourcePoissonOnChip"]
