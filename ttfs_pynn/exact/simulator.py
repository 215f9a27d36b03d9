"""The one simulation of this backend."""

from ttfs_pynn.event_driven.state import ID, State

__all__ = ["ID", "State", "name", "state"]

name = "exact"
state = State()
