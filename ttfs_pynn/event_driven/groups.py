"""Groups of neurons: their parameters, their state, and how one of them is advanced over known input."""

import numpy as np

from ttfs_pynn.event_driven import driven_kernels, kernels
from ttfs_pynn.event_driven.arrangement import Arrangement
from ttfs_pynn.event_driven.currents import Injections
from ttfs_pynn.event_driven.mixed_kernels import run_mixed
from ttfs_pynn.event_driven.sorting import sorted_by_time
from ttfs_pynn.event_driven.sparse_kernels import run_rows
from ttfs_pynn.event_driven.stretch_kernels import run_stretches
from ttfs_pynn.membrane.ranges import LARGEST, all_below

__all__ = ["LIFGroup", "NeuronGroup", "SimulationError", "endless", "room_for"]

_SHARED_ROOM = 2**21  # spikes of a group
_MOST_EVENTS = 2**22  # of one group at a time
_TABLE_FROM = {True: 0.3, False: 0.05}  # connectivity from which on zeros in a table cost less than rows, of neurons alike or not


class SimulationError(ValueError):
    """The network cannot be simulated as described."""


def endless(t, t_stop):
    """The error of a neuron that fires without end."""
    apart = np.spacing(float(t_stop))
    late = f" (so late, floats of time are {apart:.3g} ms apart)" if apart > 1e-3 else ""
    return SimulationError(f"a neuron fires more than {kernels.MOST_SPIKES} times between {t:g} and {t_stop:g} ms{late}; "
                           "give it a tau_refrac > 0, a lower v_reset or less input, or run in shorter pieces")


def room_for(counts):
    """Room for twice the spikes that neurons had, and for any of them to be as busy as the busiest, within limits."""
    return 2 * np.maximum(counts, min(counts.max(), _SHARED_ROOM // counts.size + 8))


def _column(name, value, size):
    array = np.array(np.broadcast_to(np.asarray(value, dtype=float), (size,)))
    if np.isnan(array).any():
        raise SimulationError(f"{name} is not a number for {int(np.isnan(array).sum())} of {size} neurons; give finite values")
    return array


class NeuronGroup:
    """`size` neurons: parameters by PyNN's names, initial values, what reaches them. Subclasses have the equations.

    A subclass has PARAMETERS, VARIABLES, `_check`, `_compile`, `_restore`, `state`, `get_state`, `reset` and `advance`. `driven`:
    whether a recurrent network is to be advanced in steps of its smallest delay. `table`: parameters as compiled loops want them.
    """

    PARAMETERS: tuple[str, ...] = ()
    VARIABLES: tuple[str, ...] = ()
    STATE: tuple[str, ...] = ()  # variables of which only VARIABLES can be set; default: they
    DEFAULT_INITIAL: dict[str, str | float] = {"v": "v_rest"}  # a parameter, or a value; others begin at 0
    JUMPS = False  # whether a weight is a step of v (mV) instead of a current (nA) or a conductance (uS)
    label = None  # what errors call it

    def __init__(self, size, parameters, initial=None):
        self.size = int(size)
        self._parameters = {}
        missing = [name for name in self.PARAMETERS if name not in parameters]
        if missing:
            raise SimulationError(f"missing parameters {missing}; a {type(self).__name__} needs {list(self.PARAMETERS)}")
        self.arrangement = Arrangement(self.size)
        self.probe = None  # a Probe, where anything but spikes is recorded
        self._injections = Injections(self.size)
        self.room = np.full(self.size, 16)  # for how many spikes of each neuron, before a run is repeated with more
        self.set_parameters(**parameters)
        begins = {name: self.DEFAULT_INITIAL.get(name, 0.0) for name in self.STATE or self.VARIABLES}
        self._initial = {name: self._parameters[begin].copy() if isinstance(begin, str) else np.full(self.size, begin)
                         for name, begin in begins.items()}
        self.set_initial(**(initial or {}))
        self.reset()

    def get_parameters(self):
        return {name: array.copy() for name, array in self._parameters.items()}

    def set_parameters(self, **parameters):
        unknown = set(parameters) - set(self.PARAMETERS)
        if unknown:
            raise SimulationError(f"unknown parameters {sorted(unknown)}; known: {list(self.PARAMETERS)}")
        new = dict(self._parameters)
        new.update({name: _column(name, value, self.size) for name, value in parameters.items()})
        new = self._completed(new)
        self._check(new, {name for name, array in new.items() if array is not self._parameters.get(name)})
        self._change(new)

    def _completed(self, parameters):
        """With those that a subclass does not have."""
        return parameters

    def _change(self, new):
        """Use these parameters, which were checked, from now on."""
        self._parameters = new
        self._compile()

    def set_initial(self, **values):
        """Set values of VARIABLES that `reset` restores; they also hold from now on."""
        unknown = set(values) - set(self.VARIABLES)
        if unknown:
            raise SimulationError(f"unknown variables {sorted(unknown)}; known: {list(self.VARIABLES)}")
        values = {name: _column(name, value, self.size) for name, value in values.items()}
        for name, array in values.items():
            if not all_below(array):
                raise SimulationError(f"{name} = {array[np.abs(array) > LARGEST][0]:g} is out of range; give at most {LARGEST:g}")
        self._initial.update(values)
        for name in values:
            self._restore(name)

    def get_initial(self):
        return {name: array.copy() for name, array in self._initial.items()}

    @property
    def table(self):
        """(size, parameters): as the compiled loops want them."""
        return self._table

    @table.setter
    def table(self, array):
        self._table = array

    @property
    def incoming(self):
        """All Synapses onto these neurons."""
        return self.arrangement.synapses

    def connect(self, synapses):
        self.arrangement.connect(synapses)

    def inject(self, current, indices):
        """Let a current of `ttfs_pynn.event_driven.currents` flow into the neurons `indices`, in addition to what does."""
        self._injections.add(current, np.asarray(indices, dtype=np.int64))

    def pieces(self, t, t_stop):
        """Into how many pieces [t, t_stop) is cut so that arrivals of one fit in memory: it is to grow with spikes only."""
        arrivals = sum([synapses.count_events() for synapses in self.incoming]) + self._injections.count(t, t_stop)
        return int(arrivals // _MOST_EVENTS) + 1

    def _drive(self, times, rows, t_stop):
        """All input as a driven_kernels.Drive."""
        if self.arrangement.all_matrices:
            inhibitory, weights = self.arrangement.table()
            n_rows, size = weights.shape
            connections = inhibitory, np.arange(n_rows + 1) * size, np.empty(0, dtype=np.int64), weights.reshape(-1)
        else:
            connections = self.arrangement.rows()
        times, rows, injected = self._injections.merge_into(times, rows, connections[0].size, self.t, t_stop)
        return driven_kernels.Drive(times, rows, *connections, self.JUMPS, *injected)


class LIFGroup(NeuronGroup):
    """`size` neurons:  cm dv/dt = -(cm/tau_m) (v - v_rest) + i_offset + isyn_exc + isyn_inh;  disyn/dt = -isyn/tau_syn.

    Where v reaches v_thresh it is recorded as a spike and held at v_reset for tau_refrac while the currents run on. Parameters
    have PyNN's names and units (ms, mV, nF, nA), scalars or arrays of length `size`; tau_m may be inf where i_offset is 0.
    """

    PARAMETERS: tuple[str, ...] = ("tau_m", "cm", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset", "tau_syn_E",
                                   "tau_syn_I")
    VARIABLES: tuple[str, ...] = ("v", "isyn_exc", "isyn_inh")
    STATE = ("v", "isyn_exc", "isyn_inh")

    def _change(self, new):
        v = self._u + self._parameters["v_rest"] if self._parameters else None
        super()._change(new)
        if v is not None:
            self._u = v - new["v_rest"]

    def _check(self, p, changed):
        for name in ("tau_m", "cm", "tau_syn_E", "tau_syn_I"):
            if name in changed and (p[name] <= 0).any():
                raise SimulationError(f"{name} = {p[name].min():g} must be positive")
        if (p["tau_refrac"] < 0).any():
            raise SimulationError(f"tau_refrac = {p['tau_refrac'].min():g} must not be negative")
        if (p["v_reset"] >= p["v_thresh"]).any():
            worst = np.argmax(p["v_reset"] - p["v_thresh"])
            raise SimulationError(f"v_reset = {p['v_reset'][worst]:g} mV must be below v_thresh = {p['v_thresh'][worst]:g} mV, "
                                  "else a neuron fires without end")
        for name in ("cm", "tau_syn_E", "tau_syn_I", "v_rest", "v_reset", "i_offset", "tau_refrac"):
            if name in changed and np.isinf(p[name]).any():
                raise SimulationError(f"{name} = {p[name][np.isinf(p[name])][0]:g} must be finite")
        for name in self.PARAMETERS:
            if name not in changed:
                continue
            finite = p[name][np.isfinite(p[name])]  # tau_m and v_thresh may be inf
            wrong = np.abs(finite) > LARGEST
            if name in ("tau_m", "cm", "tau_syn_E", "tau_syn_I"):
                wrong |= finite < 1 / LARGEST
            if wrong.any():
                raise SimulationError(f"{name} = {finite[wrong][0]:g} is out of range; give at most {LARGEST:g}, and for time "
                                      f"constants and cm at least {1 / LARGEST:g}")
        if (np.isinf(p["tau_m"]) & (p["i_offset"] != 0)).any():
            raise SimulationError("tau_m = inf (no leak) together with i_offset != 0 is not supported; give one of them up")
        if np.isinf(p["tau_m"][self._injections.indices]).any():
            raise SimulationError("tau_m = inf (no leak) together with an injected current is not supported; give one of them up")

    def _compile(self):
        p = self._parameters
        table = np.empty((self.size, kernels.N_PARAMETERS))
        table[:, kernels.RATE_M] = 1 / p["tau_m"]
        table[:, kernels.RATE_E] = 1 / p["tau_syn_E"]
        table[:, kernels.RATE_I] = 1 / p["tau_syn_I"]
        table[:, kernels.INVERSE_CM] = 1 / p["cm"]
        table[:, kernels.THRESHOLD] = p["v_thresh"] - p["v_rest"]
        table[:, kernels.RESET] = p["v_reset"] - p["v_rest"]
        table[:, kernels.TAU_REFRAC] = p["tau_refrac"]
        finite_tau_m = np.where(p["i_offset"] == 0, 1.0, p["tau_m"])  # 0 * inf would be a warning and NaN
        table[:, kernels.U_INF] = p["i_offset"] * finite_tau_m / p["cm"]
        self._table = table
        rates = table[:, [kernels.RATE_M, kernels.RATE_E, kernels.RATE_I]]
        self._one_kind = bool((rates == rates[0]).all() and rates[0, 1] == rates[0, 2]) if self.size else False

    def _restore(self, name):
        if name == "v":
            self._u = self._initial["v"] - self._parameters["v_rest"]
        elif name == "isyn_exc":
            self._i_exc = self._initial["isyn_exc"].copy()
        else:
            self._i_inh = self._initial["isyn_inh"].copy()

    @property
    def state(self):
        """(u, i_exc, i_inh, clamped_until) of the compiled loops, see `kernels`."""
        return self._u, self._i_exc, self._i_inh, self._clamped_until

    @state.setter
    def state(self, arrays):
        self._u, self._i_exc, self._i_inh, self._clamped_until = arrays

    def get_state(self):
        """The present v (mV), isyn_exc and isyn_inh (nA)."""
        return {"v": self._u + self._parameters["v_rest"], "isyn_exc": self._i_exc.copy(), "isyn_inh": self._i_inh.copy()}

    def reset(self):
        for name in self.STATE:
            self._restore(name)
        self._clamped_until = np.full(self.size, -np.inf)
        self.t = 0.0
        for synapses in self.incoming:
            synapses.clear()

    def inject(self, current, indices):
        indices = np.asarray(indices, dtype=np.int64)
        if np.isinf(self._parameters["tau_m"][indices]).any():
            raise SimulationError("a current cannot be injected where tau_m = inf (no leak); give a finite tau_m")
        super().inject(current, indices)

    @property
    def driven(self):
        """Whether these neurons have what only `driven_kernels` can simulate."""
        return self.JUMPS or bool(self._injections)

    def _kernel(self):
        """(compiled loop, whether it takes the table of weights): of what is connected, and of neurons alike or not."""
        if self.driven:
            return driven_kernels.run_driven, self.arrangement.all_matrices
        if self.arrangement.all_matrices or self.arrangement.connectivity > _TABLE_FROM[self._one_kind]:
            return (run_stretches if self._one_kind else run_mixed), True
        return (run_rows if self._one_kind else kernels.run_sparse), False

    def trace(self, t_stop, index, time):
        """Let the probe see [t, t_stop), with these spikes, of a group that is advanced by somebody else afterwards."""
        order = np.lexsort((time, index))
        self.probe.follow(self._drive(*self.arrangement.events(t_stop), t_stop), self.t, float(t_stop),
                          [array.copy() for array in self.state], self._table, self._parameters["v_rest"],
                          time[order], np.searchsorted(index[order], np.arange(self.size + 1)))

    def advance(self, t_stop):
        """Deliver the events before t_stop. Returns the spikes of [t, t_stop): (index, time), in time order."""
        arrangement = self.arrangement
        kernel, table = self._kernel()
        whole = self.driven or self.probe is not None  # every arrival by itself
        together = arrangement.together(table, kernel not in (kernels.run_sparse, driven_kernels.run_driven),
                                        signed=kernel is run_stretches and not whole)
        times, rows = arrangement.events(t_stop, None if whole else together.alone)
        if whole:
            drive = self._drive(times, rows, t_stop)
            if not self.driven:
                times, rows = times[together.alone[rows]], rows[together.alone[rows]]
        if self.driven:
            heard = (drive,)
        elif table:
            heard = times, rows, *(arrangement.signed_table(together) if kernel is run_stretches else arrangement.table()), \
                together.partner
        else:
            heard = times, rows, *arrangement.rows()
            if kernel is run_rows:
                heard = *heard, arrangement.tiles(together.partner), together.partner
        while True:
            state = (self._u.copy(), self._i_exc.copy(), self._i_inh.copy(), self._clamped_until.copy())
            noted, out_times = kernels.blank(self.room)
            changed = (driven_kernels.State(*state),) if self.driven else state
            if not kernel(*heard, self.t, float(t_stop), *changed, self._table, out_times, noted):
                raise endless(self.t, t_stop)
            if kernels.fits(noted):
                break
            self.room = room_for(noted[:, kernels.COUNT])
        start, index, time = kernels.noted_spikes(noted, out_times)
        if self.probe is not None:
            self.probe.follow(drive, self.t, float(t_stop), self.state, self._table, self._parameters["v_rest"],
                              time, start)
        self.state = state
        self.t = float(t_stop)
        return sorted_by_time(index, time)
