"""setup, run, reset, end."""

import numpy as np
from pyNN import common
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY, DEFAULT_TIMESTEP
from pyNN.recording import get_io

from ttfs_pynn.errors import ConfigurationError, unknown
from ttfs_pynn.event_driven.integrated_groups import DEFAULT_TOLERANCE
from ttfs_pynn.event_driven.state import DEFAULT_SEED
from ttfs_pynn.exact import simulator
from ttfs_pynn.units import in_unit

__all__ = ["end", "get_current_time", "get_max_delay", "get_min_delay", "get_time_step", "initialize", "num_processes", "rank",
           "reset", "run", "run_for", "run_until", "setup"]


# Names of the seed on this simulator and on others: NEST has rng_seed, formerly the next three, NEURON the last.
_SEEDS = ("seed", "rng_seed", "grng_seed", "rng_seeds", "rng_seeds_seed", "native_rng_baseseed")

# Keywords of other simulators that cannot change an exact result: scripts that run there too may have them.
_WITHOUT_EFFECT = {
    "threads": "NEST: how fast, not what", "verbosity": "NEST: messages", "recording_precision": "NEST: digits of recorded data",
    "spike_precision": "NEST: spikes on a grid, of which there is none here", "rng_type": "NEST: its random generator",
    "t_flush": "NEST: how long a reset takes; here it is complete", "use_cvode": "NEURON: its integrator",
    "rtol": "NEURON: error of its integrator", "atol": "NEURON: error of its integrator",
    "default_maxstep": "NEURON: messages between processes", "n_chips_required": "SpiNNaker: size of the machine",
    "n_boards_required": "SpiNNaker: size of the machine", "time_scale_factor": "SpiNNaker: how fast, not what",
    "debug": "messages", "logfile": "messages", "loglevel": "messages", "quit_on_end": "NEURON: whether its window closes",
    "file": "NeuroML: name of a file", "filename": "NeuroML: name of a file", "label": "NeuroML: name of the network",
    "rank": "processes", "num_processes": "processes"}


_SMALLEST_TOLERANCE = 1e-10  # ms; below, rounding is larger


def setup(timestep=DEFAULT_TIMESTEP, min_delay=DEFAULT_MIN_DELAY, **extra_params):
    """Start a new simulation; whatever network there was is dropped.

    timestep (ms) does not enter the dynamics: it is the default delay where min_delay is 'auto', as in PyNN, the default interval
    of recorded signals, and the interval in which ACSource and NoisyCurrentSource change. Any delay from 0 to max_delay is
    simulated as given. seed (an integer or several; default 42): of Poisson and noise sources; a script gives the same spikes
    each time it is run. NEST's rng_seed and NEURON's native_rng_baseseed mean the same.

    tolerance (ms; default 1e-6): of the spike times of cells that have no closed form and are integrated (conductances,
    adaptation), given their input, where the membrane rises by 1 mV/ms or more; what differs by so little may part later in a
    network that is chaotic. Keywords of other simulators that cannot change an exact result (threads, verbosity, use_cvode, ...)
    are accepted; ConfigurationError for any other.
    """
    max_delay = extra_params.pop("max_delay", DEFAULT_MAX_DELAY)
    times = {"timestep": timestep, "min_delay": min_delay, "max_delay": max_delay}
    for name, value in times.items():
        times[name] = value = in_unit(value, "ms", name)
        auto = name != "timestep" and isinstance(value, str) and value == "auto"
        if not auto and not (isinstance(value, int | float | np.number) and 0 < value < np.inf):
            allowed = "" if name == "timestep" else ", or 'auto'"
            raise ConfigurationError(f"{name} = {value!r} ms must be positive and finite{allowed}")
    tolerance = in_unit(extra_params.pop("tolerance", DEFAULT_TOLERANCE), "ms", "tolerance")
    if not (isinstance(tolerance, int | float | np.number) and _SMALLEST_TOLERANCE <= tolerance < np.inf):
        raise ConfigurationError(f"tolerance = {tolerance!r} ms must be a time of at least {_SMALLEST_TOLERANCE:g} ms")
    seed = _seed(extra_params)
    for name in extra_params:
        if name not in _WITHOUT_EFFECT:
            known = ("timestep", "min_delay", "max_delay", "tolerance", *_SEEDS, *_WITHOUT_EFFECT)
            raise ConfigurationError(unknown("keyword of setup()", name, known, _MEANT.get(name)))
    common.setup(times["timestep"], times["min_delay"], max_delay=times["max_delay"])
    state = simulator.State()  # recorders keep the one before: their data stay readable
    state.dt = times["timestep"]
    state.min_delay, state.max_delay = times["min_delay"], times["max_delay"]
    state.rng, state.tolerance = np.random.default_rng(seed), float(tolerance)
    simulator.state = state
    return rank()


_MEANT = {"dt": "timestep", "mindelay": "min_delay", "maxdelay": "max_delay", "time_step": "timestep"}


def _seed(extra_params):
    """The seed among the keywords, which it is taken from: an integer, or several where several are given."""
    given = []
    for name in _SEEDS:
        value = extra_params.pop(name, None)
        several = isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1
        for one in value if several else [] if value is None else [value]:
            if not isinstance(one, int | np.integer) or isinstance(one, bool) or one < 0:
                raise ConfigurationError(f"{name} = {value!r} must be an integer, zero or more, or several of them")
            given.append(int(one))
    given = list(dict.fromkeys(given)) or [DEFAULT_SEED]
    return given[0] if len(given) == 1 else given


def end(compatible_output=True):
    """Write the files that were asked for in `record(to_file=...)`. Recorded data stay readable."""
    for population, variables, filename in simulator.state.write_on_end:
        population.write_data(get_io(filename), variables)
    simulator.state.write_on_end = []


_, _run_until = common.build_run(simulator)


def run_until(time_point, callbacks=None):
    """Advance to `time_point` (ms). callbacks: functions of the time that return when they are to be called next (ms)."""
    return _run_until(in_unit(time_point, "ms", "time_point"), callbacks)


def run(simtime, callbacks=None):
    """Advance by `simtime` (ms). callbacks: as in `run_until`. ValueError where it is too short to be added to the present."""
    t, simtime = simulator.state.t, in_unit(simtime, "ms", "simtime")
    if simtime > 0 and not t + simtime > t:  # PyNN's would do nothing, silently
        raise ValueError(f"cannot run for {simtime} ms from {t:g} ms on, where floats of time are {np.spacing(t):g} ms apart; "
                         "give a longer time, or begin anew with reset()")
    return run_until(t + simtime, callbacks)


run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
get_current_time, get_time_step, get_min_delay, get_max_delay, num_processes, rank = common.build_state_queries(simulator)
