"""A virtual chip: what makes one chip different from another, named by a seed and fixed over runs."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from ttfs_pynn.brainscales2.non_idealities import NonIdealities
from ttfs_pynn.errors import ResultsError, TTFSError
from ttfs_pynn.files.sealed import read_arrays, write_arrays

__all__ = ["ChipError", "ENVIRONMENT", "N_CIRCUITS", "VirtualChip", "chip_from_seed", "default_chip", "load_chip"]

ENVIRONMENT = "TTFS_PYNN_CHIP"  # the variable that names the chip of scripts that name none

N_CIRCUITS = 512
_DRAWS = ("leak", "reset", "threshold", "tau_m", "tau_syn_E", "tau_syn_I", "gain_E", "gain_I")
_NAMES = (*(f"raw_{name}" for name in _DRAWS), *(f"residual_{name}" for name in _DRAWS), "cadc")


class ChipError(TTFSError, ValueError):
    """A virtual chip cannot be made or read."""


@dataclass(frozen=True, eq=False)
class VirtualChip:
    """Deviations of 512 neuron circuits in standard deviations (`draws`: name -> (512,)), and how large those are.

    raw_*: of a circuit from the mean one; residual_*: of what a calibration reaches from its target. `seed` names it.
    """

    seed: int
    draws: dict = field(repr=False)
    non_idealities: NonIdealities

    def __eq__(self, other):
        return isinstance(other, VirtualChip) and self.non_idealities == other.non_idealities \
            and all(np.array_equal(self.draws[name], other.draws[name]) for name in _NAMES)

    def __hash__(self):
        return hash((self.seed, self.non_idealities))

    def deviation(self, kind, name):
        """(512,): 'raw' or 'residual' deviations of a quantity, in the unit of the non-ideality of that name."""
        size = getattr(self.non_idealities, f"{kind}_{_shared(name)}")
        return size * self.draws[f"{kind}_{name}"]

    @property
    def cadc_offsets(self):
        """Offset of each column's CADC after calibration (LSB)."""
        return self.non_idealities.cadc_offset * self.draws["cadc"]

    def with_non_idealities(self, non_idealities):
        """The same circuits with other sizes of deviation."""
        return VirtualChip(self.seed, self.draws, non_idealities)

    def save(self, path, overwrite=False):
        """Write it to a file (.npz); an existing file is kept unless `overwrite`."""
        if Path(path).exists() and not overwrite:
            raise ChipError(f"{path} exists; give another name, or overwrite=True")
        write_arrays(path, self.draws, {"seed": self.seed, "non_idealities": asdict(self.non_idealities)})


def _shared(name):
    return name[:-2] if name.endswith(("_E", "_I")) else name


def chip_from_seed(seed, non_idealities=None):
    """The chip of that seed (an integer >= 0): the same on every machine and in every run."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ChipError(f"chip {seed!r}: a chip is named by an integer, zero or more")
    rng = np.random.default_rng([20211, int(seed)])
    draws = {name: rng.standard_normal(N_CIRCUITS) for name in _NAMES}
    return VirtualChip(int(seed), draws, NonIdealities() if non_idealities is None else non_idealities)


def default_chip():
    """The seed of the chip that is there where a script names none: that of the environment variable TTFS_PYNN_CHIP, or 0."""
    text = os.environ.get(ENVIRONMENT, "0")
    if not text.isdecimal():
        raise ChipError(f"{ENVIRONMENT} = {text!r}: give the number of a virtual chip, zero or more")
    return int(text)


def load_chip(path):
    """A chip that was saved; ChipError where the file is none."""
    try:
        stored, meta = read_arrays(path)
        draws = {name: stored[name] for name in _NAMES}
        chip = VirtualChip(meta["seed"], draws, NonIdealities(**meta["non_idealities"]))
    except (ResultsError, KeyError, TypeError, ValueError) as error:
        raise ChipError(f"no chip in {path} ({error}); write one with chip_from_seed(N).save(PATH)") from None
    if any(array.shape != (N_CIRCUITS,) or not np.isfinite(array).all() for array in draws.values()):
        raise ChipError(f"{path} does not hold finite deviations of {N_CIRCUITS} circuits")
    return chip
