"""Calibration for spiking networks: the CADC, then the neurons."""

from dataclasses import dataclass, field
from typing import Any

from ttfs_pynn.brainscales2.calix.common import cadc
from ttfs_pynn.brainscales2.calix.common.base import CalibResult
from ttfs_pynn.brainscales2.calix.spiking import neuron

__all__ = ["SpikingCalibOptions", "SpikingCalibResult", "SpikingCalibTarget", "calibrate", "neuron"]


@dataclass
class SpikingCalibTarget:
    """Targets of both calibrations."""

    cadc_target: cadc.CADCCalibTarget = field(default_factory=cadc.CADCCalibTarget)
    neuron_target: neuron.NeuronCalibTarget = field(default_factory=neuron.NeuronCalibTarget)

    def __post_init__(self) -> None:
        if not isinstance(self.neuron_target, neuron.NeuronCalibTarget):
            raise TypeError(f"neuron_target is {type(self.neuron_target).__name__}; give a NeuronCalibTarget")


@dataclass
class SpikingCalibOptions:
    """Options of both calibrations."""

    cadc_options: cadc.CADCCalibOptions = field(default_factory=cadc.CADCCalibOptions)
    neuron_options: neuron.NeuronCalibOptions = field(default_factory=neuron.NeuronCalibOptions)


@dataclass
class SpikingCalibResult(CalibResult):
    """What both calibrations found."""

    cadc_result: cadc.CADCCalibResult
    neuron_result: neuron.NeuronCalibResult

    def apply(self, builder: Any) -> None:
        """Write both."""
        self.cadc_result.apply(builder)
        self.neuron_result.apply(builder)


def calibrate(connection, target=None, options=None) -> SpikingCalibResult:
    """Calibrate the chip at a connection. target: SpikingCalibTarget; options: SpikingCalibOptions."""
    target = SpikingCalibTarget() if target is None else target
    options = SpikingCalibOptions() if options is None else options
    return SpikingCalibResult(cadc.calibrate(connection, target.cadc_target, options.cadc_options),
                              neuron.calibrate(connection, target.neuron_target, options.neuron_options))
