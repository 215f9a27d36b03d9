"""The state of an emulated experiment: what was configured, what is scheduled, what came back."""

from ttfs_pynn.brainscales2.state import ID, State

__all__ = ["ID", "State", "name", "state"]

name = "HX"
state = None  # made by setup(), taken away by end()
