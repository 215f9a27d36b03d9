"""Coordinates: where on the chip something is.

A coordinate is a whole number with a range (see ranged); too large a number raises OverflowError, a negative one TypeError.
"""

from types import SimpleNamespace

from ttfs_pynn.brainscales2.dlens import coordinates, logical_neuron
from ttfs_pynn.brainscales2.dlens.coordinates import *  # noqa: F403
from ttfs_pynn.brainscales2.dlens.logical_neuron import *  # noqa: F403
from ttfs_pynn.brainscales2.dlens.ranged import Coordinate, Enum, enum_ranged, iter_all

__all__ = ["Coordinate", "Enum", "EnumRanged_256_", "EnumRanged_512_", "common", "iter_all", *coordinates.__all__,
           *logical_neuron.__all__]

common = SimpleNamespace(Enum=Enum, iter_all=iter_all)
EnumRanged_256_ = enum_ranged(256)
EnumRanged_512_ = enum_ranged(512)
