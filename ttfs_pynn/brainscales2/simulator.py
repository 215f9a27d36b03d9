"""The state of an emulated experiment: what was configured, what is scheduled, what came back."""

from ttfs_pynn.brainscales2.state import ID, State

__all__ = ["ID", "NoExperimentError", "State", "active", "name", "state"]

name = "HX"
state = None  # made by setup(), taken away by end()


class NoExperimentError(RuntimeError, AttributeError):
    """setup() was not called, or end() was: the adapter has RuntimeErrors and AttributeErrors for it."""


def active(what):
    """The state of the running experiment; NoExperimentError, which says what needs one, where there is none."""
    if state is None:
        raise NoExperimentError(f"{what} needs an experiment; call setup() first")
    return state
