"""setup, run, reset, end."""

import functools

import numpy as np
from pyNN import common
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP
from pyNN.recording import get_io

from ttfs_pynn.exact import simulator

__all__ = ["end", "get_current_time", "get_max_delay", "get_min_delay", "get_time_step", "initialize", "num_processes", "rank",
           "reset", "run", "run_for", "run_until", "setup"]


def setup(timestep=DEFAULT_TIMESTEP, min_delay=DEFAULT_MIN_DELAY, **extra_params):
    """Start a new simulation; whatever network there was is dropped.

    timestep (ms) does not enter the dynamics: it is the default delay where min_delay is 'auto', as in PyNN, the default interval
    of recorded signals, and the interval in which ACSource and NoisyCurrentSource change. Any delay >= 0 is simulated as given.
    extra_params: max_delay; seed (int) of Poisson and noise sources; keywords of other simulators are ignored.
    """
    if not 0 < timestep < np.inf:
        raise ValueError(f"timestep = {timestep} ms must be positive")
    common.setup(timestep, min_delay, **extra_params)
    state = simulator.State()  # recorders keep the one before: their data stay readable
    state.dt = timestep
    state.min_delay = min_delay
    state.max_delay = extra_params.get("max_delay", DEFAULT_MAX_DELAY)
    state.rng = np.random.default_rng(extra_params.get("seed"))
    simulator.state = state
    return rank()


def end(compatible_output=True):
    """Write the files that were asked for in `record(to_file=...)`. Recorded data stay readable."""
    for population, variables, filename in simulator.state.write_on_end:
        population.write_data(get_io(filename), variables)
    simulator.state.write_on_end = []


_run, run_until = common.build_run(simulator)


@functools.wraps(_run)
def run(simtime, callbacks=None):
    t = simulator.state.t
    if simtime > 0 and not t + simtime > t:  # PyNN's would do nothing, silently
        raise ValueError(f"cannot run for {simtime} ms from {t:g} ms on, where floats of time are {np.spacing(t):g} ms apart; "
                         "give a longer time, or begin anew with reset()")
    return _run(simtime, callbacks)


run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
get_current_time, get_time_step, get_min_delay, get_max_delay, num_processes, rank = common.build_state_queries(simulator)
