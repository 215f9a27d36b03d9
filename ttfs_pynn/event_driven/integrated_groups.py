"""Groups of cells without a closed form, integrated with a controlled error (`ttfs_pynn.integration`)."""

import numpy as np

from ttfs_pynn.event_driven import kernels
from ttfs_pynn.event_driven.groups import NeuronGroup, SimulationError, endless, room_for
from ttfs_pynn.event_driven.integrated_kernels import run_integrated
from ttfs_pynn.event_driven.sorting import sorted_by_time
from ttfs_pynn.integration import cells, hodgkin_huxley
from ttfs_pynn.integration.stepping import Gated, Kind, Recorded
from ttfs_pynn.membrane.ranges import LARGEST

__all__ = ["DEFAULT_TOLERANCE", "AdExGroup", "ConductanceGroup", "HodgkinHuxleyGroup", "IntegratedGroup", "IzhikevichGroup",
           "RefractoryGroup"]

DEFAULT_TOLERANCE = 1e-6  # ms of spike time
_STEP = 1e-2  # mV of each step, for a tolerance of 1 ms: a hundred steps of a membrane that rises by 1 mV/ms are within it
_POSITIVE = ("tau_m", "cm", "tau_syn_E", "tau_syn_I", "tau_w", "delta_T", "tau_sfa", "tau_rr", "g_leak")


class IntegratedGroup(NeuronGroup):
    """`size` cells whose membrane is integrated from event to event.

    tolerance (ms): of spike times, where the membrane rises through threshold by 1 mV/ms or more; each step has an error of at
    most tolerance/100 mV. What is not promised: that two solutions which differ so little do not part later, as they do in
    networks that are chaotic, and where a maximum of the membrane is closer to threshold than the tolerance.
    """

    _OF_LOOP: type = Kind  # or Gated
    N_STATE = cells.N_STATE
    KIND = cells.LIF
    CHANNELS = 2
    DETECTED = "v_thresh"  # the parameter that says where a spike is found
    PLACES: dict[str, int] = {"v": cells.V, "gsyn_exc": cells.G, "gsyn_inh": cells.G + 1}
    SCALES: dict[str, float] = {}  # of variables in other units than those of `integration.cells`
    driven = True

    def __init__(self, size, parameters, alpha=False, tolerance=DEFAULT_TOLERANCE, initial=None):
        if not 0 < tolerance < np.inf:
            raise SimulationError(f"tolerance = {tolerance} ms must be positive and finite")
        self.alpha, self.tolerance = alpha, float(tolerance)
        super().__init__(size, parameters, initial)

    def _check(self, p, changed):
        for name in self.PARAMETERS:
            if name not in changed:
                continue
            finite = np.isfinite(p[name]) | (np.isposinf(p[name]) if name in ("v_thresh", "v_spike") else False)
            if not finite.all():
                raise SimulationError(f"{name} = {p[name][~finite][0]:g} must be finite")
            values = np.where(np.isinf(p[name]), 0.0, p[name])
            large = np.abs(values) > LARGEST
            if large.any():
                raise SimulationError(f"{name} = {values[large][0]:g} is out of range; give at most {LARGEST:g}")
            if name in _POSITIVE and (p[name] < 1 / LARGEST).any():
                raise SimulationError(f"{name} = {p[name].min():g} must be positive")
        if "tau_refrac" in p and (p["tau_refrac"] < 0).any():
            raise SimulationError(f"tau_refrac = {p['tau_refrac'].min():g} must not be negative")
        self._check_reset(p)

    def _check_reset(self, p):
        detected = self.DETECTED
        if (p["v_reset"] >= p[detected]).any():
            worst = np.argmax(p["v_reset"] - p[detected])
            raise SimulationError(f"v_reset = {p['v_reset'][worst]:g} mV must be below {detected} = {p[detected][worst]:g} mV, "
                                  "else a neuron fires without end")

    def _compile(self):
        p, table = self._parameters, np.zeros((self.size, cells.N_PARAMETERS))
        table[:, cells.CM], table[:, cells.G_LEAK], table[:, cells.E_LEAK] = p["cm"], p["cm"] / p["tau_m"], p["v_rest"]
        table[:, cells.CURRENT], table[:, cells.DETECT] = p["i_offset"], p[self.DETECTED]
        table[:, cells.RESET], table[:, cells.TAU_REFRAC] = p["v_reset"], p["tau_refrac"]
        for channel, side in enumerate("EI"):
            table[:, cells.RATE + channel] = 1 / p[f"tau_syn_{side}"]
            table[:, cells.REVERSAL + channel] = p[f"e_rev_{side}"]
        self._table = table

    @property
    def state(self):
        """(rows of `integration.cells`, clamped_until)."""
        return self._rows, self._clamped_until

    @state.setter
    def state(self, arrays):
        self._rows, self._clamped_until = arrays

    def _restore(self, name):
        if hasattr(self, "_rows"):
            self._rows[:, self.PLACES[name]] = self._initial[name] / self.SCALES.get(name, 1.0)

    def get_state(self):
        """The present values of VARIABLES."""
        return {name: self._rows[:, place] * self.SCALES.get(name, 1.0) for name, place in self.PLACES.items()}

    def reset(self):
        self._rows = np.zeros((self.size, self.N_STATE))
        for name in self.VARIABLES:
            self._restore(name)
        self._clamped_until = np.full(self.size, -np.inf)
        self.t = 0.0
        for synapses in self.incoming:
            synapses.clear()

    def advance(self, t_stop):
        """Deliver the events before t_stop. Returns the spikes of [t, t_stop): (index, time), in time order."""
        drive = self._drive(*self.arrangement.events(t_stop), t_stop)
        kind = self._OF_LOOP(self.KIND, self.CHANNELS, self.alpha, _STEP * self.tolerance)
        times, columns = (np.empty(0), np.empty((0, self.size), dtype=np.int64)) if self.probe is None \
            else (self.probe.times_until(self.t, t_stop), self.probe.columns)
        places = np.array(list(self.PLACES.values()) if self.probe is not None else [], dtype=np.int64)
        recorded_cells = int(columns.max(initial=-1)) + 1
        while True:
            rows, clamped_until = self._rows.copy(), self._clamped_until.copy()
            noted, out_times = kernels.blank(self.room)
            recorded = Recorded(times, places, columns, np.zeros((places.size, times.size, recorded_cells)),
                                np.zeros(self.size, dtype=np.int64))
            if not run_integrated(kind, drive, self.t, float(t_stop), rows, clamped_until, self._table, recorded, out_times,
                                  noted):
                raise endless(self.t, t_stop)
            if kernels.fits(noted):
                break
            self.room = room_for(noted[:, kernels.COUNT])
        _, index, time = kernels.noted_spikes(noted, out_times)
        if self.probe is not None:
            for table, name in zip(recorded.tables, self.PLACES, strict=False):
                table *= self.SCALES.get(name, 1.0)
            self.probe.keep(times, t_stop, recorded.tables)
        self._rows, self._clamped_until = rows, clamped_until
        self.t = float(t_stop)
        return sorted_by_time(index, time)


class ConductanceGroup(IntegratedGroup):
    """`size` neurons:  cm dv/dt = (cm/tau_m) (v_rest - v) + g_E (e_rev_E - v) + g_I (e_rev_I - v) + i_offset.

    An arrival of weight w (uS) adds to a conductance g(t) = w exp(-t/tau_syn), or, where alpha, w (t/tau_syn) exp(1 - t/tau_syn).
    Where v reaches v_thresh a spike is recorded, and v is held at v_reset for tau_refrac while conductances run on.
    """

    PARAMETERS: tuple[str, ...] = ("tau_m", "cm", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset", "tau_syn_E",
                                   "tau_syn_I", "e_rev_E", "e_rev_I")
    VARIABLES: tuple[str, ...] = ("v", "gsyn_exc", "gsyn_inh")


class AdExGroup(IntegratedGroup):
    """`size` neurons of Brette and Gerstner (2005), with g_leak = cm/tau_m:

        cm dv/dt = g_leak (v_rest - v) + g_leak delta_T exp((v - v_thresh)/delta_T) - w + g_E (e_rev_E - v) + g_I (e_rev_I - v)
                   + i_offset,                                          tau_w dw/dt = a (v - v_rest) - w

    At v_spike a spike is recorded, v becomes v_reset, where it is held for tau_refrac, and w grows by b (nA). While v is held w
    follows its equation with that v. a is in nS. Above v_thresh + delta_T ln(10 tau_m/tolerance) the spike is less than a tenth
    of the tolerance away, and taken for reached.
    """

    KIND = cells.ADEX
    PARAMETERS = ("tau_m", "cm", "v_rest", "v_reset", "v_thresh", "v_spike", "tau_refrac", "i_offset", "tau_syn_E", "tau_syn_I",
                  "e_rev_E", "e_rev_I", "a", "b", "delta_T", "tau_w")
    VARIABLES = ("v", "w", "gsyn_exc", "gsyn_inh")
    PLACES = {"v": cells.V, "w": cells.W, "gsyn_exc": cells.G, "gsyn_inh": cells.G + 1}
    DETECTED = "v_spike"

    def _compile(self):
        super()._compile()
        p, table = self._parameters, self._table
        highest = p["v_thresh"] + p["delta_T"] * np.log(10 * p["tau_m"] / self.tolerance)
        table[:, cells.DETECT] = np.maximum(np.minimum(p["v_spike"], highest), np.nextafter(p["v_reset"], np.inf))
        table[:, cells.A], table[:, cells.JUMP] = 1e-3 * p["a"], p["b"]
        table[:, cells.DELTA], table[:, cells.V_T], table[:, cells.RATE_W] = p["delta_T"], p["v_thresh"], 1 / p["tau_w"]


class RefractoryGroup(ConductanceGroup):
    """`ConductanceGroup` with spike-frequency adaptation and relative refractoriness, Muller et al. (2007): two more
    conductances, g_s with the reversal potential e_rev_sfa and g_r with e_rev_rr,

        dg_s/dt = -g_s/tau_sfa,    dg_r/dt = -g_r/tau_rr,

    which grow by q_sfa and q_rr (nS) at each spike.
    """

    CHANNELS = 4
    PARAMETERS = (*ConductanceGroup.PARAMETERS, "tau_sfa", "e_rev_sfa", "q_sfa", "tau_rr", "e_rev_rr", "q_rr")
    VARIABLES = ("v", "gsyn_exc", "gsyn_inh", "g_s", "g_r")
    PLACES = {**IntegratedGroup.PLACES, "g_s": cells.G + 2, "g_r": cells.G + 3}
    SCALES = {"g_s": 1e3, "g_r": 1e3}  # nS

    def _compile(self):
        super()._compile()
        for channel, name in ((2, "sfa"), (3, "rr")):
            self._table[:, cells.RATE + channel] = 1 / self._parameters[f"tau_{name}"]
            self._table[:, cells.REVERSAL + channel] = self._parameters[f"e_rev_{name}"]
            self._table[:, cells.JUMPS + channel] = 1e-3 * self._parameters[f"q_{name}"]


class IzhikevichGroup(IntegratedGroup):
    """`size` neurons of Izhikevich (2003):

        dv/dt = 0.04 v^2 + 5 v + 140 - u + I,    du/dt = a (b v - u)

    At 30 mV a spike is recorded, v becomes c and u grows by d. An arrival moves v by its weight (mV). A current of 1 nA is an I
    of 1000 mV/ms, as NEST, NEURON and Brian2 have it: the capacitance is 1 pF.
    """

    KIND = cells.IZHIKEVICH
    CHANNELS = 0
    PARAMETERS = ("a", "b", "c", "d", "i_offset")
    VARIABLES = ("v", "u")
    PLACES = {"v": cells.V, "u": cells.W}
    DEFAULT_INITIAL = {"v": -70.0, "u": -14.0}
    JUMPS = True
    _PEAK, _CAPACITANCE = 30.0, 1e-3  # mV, nF

    def _check_reset(self, p):
        if (p["c"] >= self._PEAK).any():
            raise SimulationError(f"c = {p['c'].max():g} mV must be below {self._PEAK:g} mV, else a neuron fires without end")

    def _compile(self):
        p, table = self._parameters, np.zeros((self.size, cells.N_PARAMETERS))
        table[:, cells.CM], table[:, cells.CURRENT], table[:, cells.DETECT] = self._CAPACITANCE, p["i_offset"], self._PEAK
        table[:, cells.RESET], table[:, cells.A], table[:, cells.B], table[:, cells.JUMP] = p["c"], p["a"], p["b"], p["d"]
        self._table = table


class HodgkinHuxleyGroup(IntegratedGroup):
    """`size` neurons of `integration.hodgkin_huxley`; spikes are v rising through -40 mV. Conductances decay exponentially."""

    _OF_LOOP = Gated
    N_STATE = hodgkin_huxley.N_GATED
    PARAMETERS = ("gbar_Na", "gbar_K", "g_leak", "cm", "v_offset", "e_rev_Na", "e_rev_K", "e_rev_leak", "e_rev_E", "e_rev_I",
                  "tau_syn_E", "tau_syn_I", "i_offset")
    VARIABLES = ("v", "gsyn_exc", "gsyn_inh", "m", "h", "n")
    PLACES = {**IntegratedGroup.PLACES, "m": hodgkin_huxley.M, "h": hodgkin_huxley.H, "n": hodgkin_huxley.N}
    DEFAULT_INITIAL = {"v": "e_rev_leak", "h": 1.0}

    def _check_reset(self, p):
        pass

    def _compile(self):
        p, table = self._parameters, np.zeros((self.size, cells.N_PARAMETERS))
        for column, name in ((cells.CM, "cm"), (cells.G_LEAK, "g_leak"), (cells.E_LEAK, "e_rev_leak"),
                             (cells.CURRENT, "i_offset"), (hodgkin_huxley.G_NA, "gbar_Na"), (hodgkin_huxley.E_NA, "e_rev_Na"),
                             (hodgkin_huxley.G_K, "gbar_K"), (hodgkin_huxley.E_K, "e_rev_K"),
                             (hodgkin_huxley.V_OFFSET, "v_offset")):
            table[:, column] = p[name]
        table[:, cells.DETECT] = hodgkin_huxley.THRESHOLD
        for channel, side in enumerate("EI"):
            table[:, cells.RATE + channel] = 1 / p[f"tau_syn_{side}"]
            table[:, cells.REVERSAL + channel] = p[f"e_rev_{side}"]
        self._table = table
