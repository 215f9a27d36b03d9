"""Calibration of the CADC, the slow converter that reads membranes of all columns.

Offsets of the emulated chip's CADC are those that are left after a calibration (`NonIdealities.cadc_offset`), so this finds
nothing to write: it says that all channels succeeded.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ttfs_pynn.brainscales2.calix.common.base import CalibResult, chip_of

__all__ = ["CADCCalibOptions", "CADCCalibResult", "CADCCalibTarget", "calibrate"]

_CHANNELS = 1024  # 256 columns, causal and acausal, in two halves


@dataclass
class CADCCalibTarget:
    """Where the dynamic range lies, as ranges of capmem codes. Kept; it does not change the emulation."""

    dynamic_range: tuple[float, float] = (150.0, 500.0)
    read_range: tuple[float, float] = (20.0, 220.0)


@dataclass
class CADCCalibOptions:
    """How to calibrate. Kept; it does not change the emulation."""

    calibrate_offsets: bool = True


@dataclass
class CADCCalibResult(CalibResult):
    """success (channels,): whether each channel was calibrated."""

    target: CADCCalibTarget
    options: CADCCalibOptions
    success: np.ndarray = field(default_factory=lambda: np.ones(_CHANNELS, dtype=bool))

    def apply(self, builder: Any) -> None:
        """Writes nothing: see the module."""


def calibrate(connection, target=None, options=None) -> CADCCalibResult:
    """Calibrate all channels of the chip at a connection."""
    chip_of(connection)
    return CADCCalibResult(CADCCalibTarget() if target is None else target, CADCCalibOptions() if options is None else options)
