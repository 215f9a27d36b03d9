"""Hardware time and energy of a classification on the chip: energy = chip power x hardware time / samples.

The host, the FPGA and the board are left out, since no public source that we know gives their power for these experiments.
"""

import math
from dataclasses import dataclass

from ttfs_pynn.errors import ConfigurationError

__all__ = ["PowerModel", "classification_costs"]


@dataclass(frozen=True)
class PowerModel:
    """Power of the chip in mW, the same whatever the network does.

    The default of 175 mW is what Goeltz, Kriener et al., "Fast and energy-efficient neuromorphic deep learning with first-spike
    times", Nature Machine Intelligence 3 (2021) 823-835, state for their chip: 175 mW x 48 us = 8.4 uJ per MNIST image. That the
    power does not depend on the activity is an assumption of ours. Error: ConfigurationError unless positive and finite.
    """

    chip_milliwatt: float = 175.0

    def __post_init__(self):
        if not (math.isfinite(self.chip_milliwatt) and self.chip_milliwatt > 0):
            raise ConfigurationError(f"chip_milliwatt is {self.chip_milliwatt!r}; give a positive power in mW, such as 175")


def classification_costs(n_samples, hardware_time, power=None):
    """Costs of presenting `n_samples` samples within `hardware_time` ms of hardware time, under `power` (default `PowerModel()`).

    Returns a dict of floats: `hardware_us_per_sample` (us), `samples_per_second` (1/s of hardware time),
    `microjoule_per_sample` (uJ) and `chip_milliwatt` (mW). Transfer and configuration between runs take no part in it: on the
    wall clock the experiments of the paper took longer. Error: ConfigurationError where there is no sample or no time.
    """
    if not n_samples >= 1:
        raise ConfigurationError(f"n_samples is {n_samples!r}; the costs of a sample need at least one sample")
    if not (math.isfinite(hardware_time) and hardware_time > 0):
        raise ConfigurationError(f"hardware_time is {hardware_time!r}; give the positive hardware time of the presentation in ms")
    power = PowerModel() if power is None else power
    microseconds = 1e3 * hardware_time / n_samples
    return {
        "hardware_us_per_sample": microseconds,
        "samples_per_second": 1e6 / microseconds,
        "microjoule_per_sample": 1e-3 * power.chip_milliwatt * microseconds,
        "chip_milliwatt": float(power.chip_milliwatt),
    }
