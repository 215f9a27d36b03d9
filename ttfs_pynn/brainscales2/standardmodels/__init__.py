"""Cell and synapse types under the adapter's names."""

from ttfs_pynn.brainscales2.standardmodels import cells, synapses

__all__ = ["cells", "synapses"]
