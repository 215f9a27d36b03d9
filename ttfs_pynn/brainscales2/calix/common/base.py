"""The connection that calibrations take, and what their results have in common."""

from abc import ABC, abstractmethod

from ttfs_pynn.brainscales2.chip import chip_from_seed, default_chip
from ttfs_pynn.brainscales2.dlens import hxcomm

__all__ = ["CalibResult", "StatefulConnection", "chip_of"]


class StatefulConnection:
    """A connection that knows the state of its chip, made of one of `hxcomm.ManagedConnection`."""

    def __init__(self, connection: hxcomm.ConnectionHandle) -> None:
        if not isinstance(connection, hxcomm.ConnectionHandle):
            raise TypeError(f"connection is {type(connection).__name__}; give what `with hxcomm.ManagedConnection() as "
                            "connection` opens")
        self.connection = connection

    def __getattr__(self, name):
        if name == "connection":  # while it is being unpickled
            raise AttributeError(name)
        return getattr(self.connection, name)


class CalibResult(ABC):
    """What a calibration found."""

    @abstractmethod
    def apply(self, builder) -> None:
        """Write it with a builder or a dumper of `dlens.sta`."""


def chip_of(connection):
    """The virtual chip at the other end of a connection. TypeError for what is none."""
    if not isinstance(connection, StatefulConnection | hxcomm.ConnectionHandle):
        raise TypeError(f"connection is {type(connection).__name__}; give a calix.common.base.StatefulConnection")
    return chip_from_seed(default_chip())
