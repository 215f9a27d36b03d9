"""calix, as programs use it to calibrate a chip: on an emulated one, in seconds, the same for the same chip.

Present is what programs for spiking networks touch: `common.base.StatefulConnection`, `common.cadc.calibrate`, and in `spiking`
targets, `calibrate`, and results that can be applied to a builder, looked at by neuron, and pickled.
"""

from ttfs_pynn.brainscales2.calix import common, spiking

__all__ = ["common", "spiking"]
