"""setup, run, reset, end, as the adapter has them."""

from dataclasses import dataclass, field
from enum import Enum, auto
from functools import wraps
from pathlib import Path
from warnings import warn

import numpy as np
from pyNN import common
from pyNN.common.control import DEFAULT_MAX_DELAY, DEFAULT_MIN_DELAY
from pyNN.recording import get_io

from ttfs_pynn.brainscales2 import simulator
from ttfs_pynn.brainscales2.chip import ChipError, VirtualChip, chip_from_seed, default_chip, load_chip
from ttfs_pynn.brainscales2.dlens import lola, sta
from ttfs_pynn.brainscales2.non_idealities import NonIdealities
from ttfs_pynn.brainscales2.placement import check_permutation
from ttfs_pynn.brainscales2.routing import BUSES, CIRCUITS
from ttfs_pynn.errors import unknown
from ttfs_pynn.units import in_unit

__all__ = ["InjectedConfiguration", "InjectedReadout", "RunCommand", "end", "get_backend_statistics", "get_current_time",
           "get_max_delay", "get_min_delay", "get_post_realtime_read", "get_pre_realtime_read", "get_time_step", "initialize",
           "num_processes", "preprocess", "rank", "reset", "run", "run_for", "run_until", "setup", "will_it_map"]


class ConfigurationTypeError(TypeError, AttributeError):
    """An argument of setup() is of another type; the adapter notices where it misses an attribute."""


@dataclass
class InjectedConfiguration:
    """Low-level configuration that is written beside the network's. Accepted; it does not change the emulation."""

    pre_non_realtime: object = field(default_factory=dict)
    pre_realtime: object = field(default_factory=dict)
    inside_realtime_begin: object = field(default_factory=dict)
    inside_realtime: object = field(default_factory=sta.AbsoluteTimePlaybackProgramBuilder)
    inside_realtime_end: object = field(default_factory=dict)
    post_realtime: object = field(default_factory=dict)
    ppu_symbols: dict = field(default_factory=dict)

    def __bool__(self):
        return any(bool(value) for name, value in vars(self).items() if name != "inside_realtime")


@dataclass
class InjectedReadout:
    """Coordinates that are read beside the experiment. Event counters of the crossbar's outputs can be."""

    pre_realtime: set = field(default_factory=set)
    inside_realtime_begin: set = field(default_factory=set)
    inside_realtime_end: set = field(default_factory=set)
    post_realtime: set = field(default_factory=set)
    ppu_symbols: set = field(default_factory=set)


class RunCommand(Enum):
    """What run() does: PREPARE maps and calibrates; APPEND schedules a snippet; EXECUTE runs what is scheduled, after appending a
    last snippet if a time is given."""

    PREPARE = auto()
    APPEND = auto()
    EXECUTE = auto()


_KEYWORDS = ("timestep", "min_delay", "max_delay", "neuronPermutation", "backgroundPermutation", "enable_neuron_bypass",
             "initial_config", "injected_config", "injected_readout", "connection", "calibration_cache", "injected_calib_target",
             "injected_calib_options", "chip", "non_idealities", "seed", "record_at_once")
_MEANT = {"dt": "timestep", "mindelay": "min_delay", "maxdelay": "max_delay", "time_step": "timestep", "rng_seed": "seed"}


def setup(timestep=3.4e-5, min_delay=DEFAULT_MIN_DELAY, **extra_params):
    """Start a new experiment.

    Of the adapter: neuronPermutation, backgroundPermutation, enable_neuron_bypass, initial_config, injected_config,
    injected_readout, connection, calibration_cache, injected_calib_target, injected_calib_options, max_delay. The time step has
    no meaning on the chip. Of this emulation: chip (seed, VirtualChip or file; default
    `chip.default_chip`), non_idealities (NonIdealities),
    seed (of the noise of runs), record_at_once (True: record any number of membranes in one execution, which the chip cannot).
    KeyError for any other keyword.
    """
    for name in extra_params:
        if name not in _KEYWORDS:
            raise KeyError(unknown("keyword of setup()", name, _KEYWORDS, _MEANT.get(name)))
    state = simulator.State()
    max_delay = extra_params.pop("max_delay", DEFAULT_MAX_DELAY)
    for name, delay in (("min_delay", min_delay), ("max_delay", max_delay)):
        if delay != "auto" and not (isinstance(delay, int | float | np.number) and delay >= 0):
            raise ValueError(f"{name} = {delay!r} must be 'auto' or a time in ms, zero or more; leave it out")
    if min_delay != "auto" and min_delay > 0:
        warn(f"min_delay = {min_delay} ms becomes the delay of synapse types that are given none, and the chip has no delays; "
             "leave min_delay out", stacklevel=2)
    state.min_delay = 0 if min_delay == "auto" else min_delay
    state.max_delay = 0 if max_delay == "auto" else max_delay
    if "neuronPermutation" in extra_params:
        state.neuron_permutation = check_permutation(extra_params.pop("neuronPermutation"), CIRCUITS, "neuronPermutation")
    if "backgroundPermutation" in extra_params:
        buses = extra_params.pop("backgroundPermutation")
        state.background_permutation = check_permutation(buses, BUSES, "backgroundPermutation")
    state.injected_config = _of_type(extra_params, "injected_config", InjectedConfiguration) or InjectedConfiguration()
    state.injected_readout = _of_type(extra_params, "injected_readout", InjectedReadout) or InjectedReadout()
    state.initial_config = _of_type(extra_params, "initial_config", lola.Chip)
    for name in ("enable_neuron_bypass", "record_at_once"):
        if not isinstance(extra_params.get(name, False), bool | np.bool_):
            raise TypeError(f"{name} = {extra_params[name]!r} must be True or False")
    if extra_params.pop("enable_neuron_bypass", False):
        if state.initial_config is not None:
            state.log.INFO("setup(): enable_neuron_bypass overwrites the initial_config")
        state.initial_config = lola.Chip.default_neuron_bypass
    for name in ("connection", "calibration_cache", "injected_calib_target", "injected_calib_options"):
        if extra_params.pop(name, None) is not None and name.startswith("injected"):
            warn(f"{name} is accepted but has no effect on the emulated calibration", stacklevel=2)
    state.chip = _chip(extra_params.pop("chip", default_chip()), extra_params.pop("non_idealities", None))
    state.seed(extra_params.pop("seed", None))
    state.record_at_once = extra_params.pop("record_at_once", False)
    simulator.state = state
    return rank()


def _of_type(extra_params, name, kind):
    value = extra_params.pop(name, None)
    if value is not None and not isinstance(value, kind):
        raise ConfigurationTypeError(f"{name} = {value!r} must be of type {kind.__name__}; helper.chip_from_file() and "
                                     "helper.chip_from_nightly() make configurations of chips")
    return value


def _chip(chip, non_idealities):
    if not isinstance(chip, VirtualChip):
        if not isinstance(chip, int | np.integer | str | Path):
            raise ChipError(f"chip = {chip!r}: give the seed of a virtual chip (an integer, zero or more), a VirtualChip, or the "
                            "path of a file that VirtualChip.save() wrote")
        chip = chip_from_seed(chip) if isinstance(chip, int | np.integer) else load_chip(chip)
    if non_idealities is None:
        return chip
    if not isinstance(non_idealities, NonIdealities):
        raise TypeError(f"non_idealities = {non_idealities!r} must be NonIdealities, such as NonIdealities.off()")
    return chip.with_non_idealities(non_idealities)


def end(compatible_output=True):
    """Write the files that were asked for in `record(to_file=...)`. Recorded data stay readable."""
    if simulator.state is None:
        return
    for population, variables, filename in simulator.state.write_on_end:
        population.write_data(get_io(filename), variables)
    simulator.state.write_on_end = []
    simulator.state = None


def run(runtime, command=RunCommand.EXECUTE):
    """Prepare, schedule or execute, see RunCommand; runtime in ms of the chip, or None."""
    state = simulator.active("a run")
    runtime = in_unit(runtime, "ms", "runtime")
    if command is RunCommand.PREPARE:
        state.preprocess()
    elif command is RunCommand.APPEND:
        if runtime is None:
            raise ValueError("RunCommand.APPEND needs the time (ms) for which the network is to run as it is now")
        state.add(runtime)
    elif command is RunCommand.EXECUTE:
        if runtime is not None:
            state.add(runtime)
        elif not state.scheduled:
            raise ValueError("nothing is scheduled; give a time, or schedule snippets with RunCommand.APPEND before "
                             "(RunCommand.PREPARE only maps and calibrates)")
        state.run()
    else:
        raise ValueError(f"unknown command {command!r}; give one of RunCommand.PREPARE, APPEND, EXECUTE")


run_for = run


def preprocess():
    """An old name of run(None, RunCommand.PREPARE)."""
    warn("preprocess() is deprecated; use run(None, RunCommand.PREPARE)", DeprecationWarning, stacklevel=2)
    simulator.active("a run").preprocess()


def _within_experiment(function):
    """PyNN's function, with a clear error where there is no experiment."""
    @wraps(function)
    def wrapped(*args, **kwargs):
        simulator.active(f"{function.__name__}()")
        return function(*args, **kwargs)
    return wrapped


_, _run_until = map(_within_experiment, common.build_run(simulator))


def run_until(time_point, callbacks=None):
    """Run until `time_point` (ms of the chip)."""
    return _run_until(in_unit(time_point, "ms", "time_point"), callbacks)


reset = _within_experiment(common.build_reset(simulator))
initialize = common.initialize
get_current_time, get_time_step, get_min_delay, get_max_delay, num_processes, rank = map(
    _within_experiment, common.build_state_queries(simulator))


def get_backend_statistics():
    """How the network was mapped: `mapping.Mapping.statistics`. RuntimeError before setup() or before anything was mapped."""
    state = simulator.active("get_backend_statistics()")
    if state.mapping is None:
        raise RuntimeError("the network has not been mapped yet; call run(None, RunCommand.PREPARE) or run an experiment")
    return state.mapping.statistics


def will_it_map(network=None):
    """Rows, buses, weights and neurons that the network takes and leaves (`mapping.Mapping`); RuntimeError where it does not fit.

    Everything that was created since setup() counts; `network` is for readers. Nothing is run or calibrated:
    `print(will_it_map().report())` shows it.
    """
    return simulator.active("will_it_map()").place()


def get_pre_realtime_read():
    """{coordinate: container} of the injected readout before the run."""
    return simulator.active("get_pre_realtime_read()").counters("pre_realtime")


def get_post_realtime_read():
    """{coordinate: container} of the injected readout after the run."""
    return simulator.active("get_post_realtime_read()").counters("post_realtime")
