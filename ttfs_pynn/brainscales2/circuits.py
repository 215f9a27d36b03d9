"""From the codes of a neuron circuit to the neuron that it is, and back: the one forward model of this emulation.

Voltages are in LSB of the CADC, times in us. A nominal circuit has

    v_leak      = 80 + 0.42 (code - 668)          v_reset = 80 + 0.42 (code - 673)          v_thresh = 150 + 0.30 (code - 411)
    tau_m       = 6 us * 164 / i_bias * C         (i_bias times 8 or through 8 with multiplication or division)
    tau_syn     = 6 us * 82 / i_bias_tau          (through 4 with the small capacitance, times 4 with the high resistance)
    dv/dt jumps by   e * 15.34 / tau_syn * (w / 63) (i_bias_gm / 500) (i_bias_dac / 600) / C      at an event of weight w,
    dv/dt       = 0.034 i_offset / C              from the constant current (LSB/us)

with C the membrane capacitance relative to that of code 63. Circuits that are joined share one membrane:

    dv/dt = sum_i s_i ( (v_leak_i - v) / tau_m_i + inputs of circuit i ),    s_i = C_i / (C_1 + C_2 + ...)

and the first one's comparator, reset and refractory counter are those of the neuron. Synaptic inputs of one sign decay with the
mean tau_syn of the circuits, the charge of each event being kept: a simplification.

The points through which the lines go are the mean codes of a
calibration of the paper's release, made for 80, 80 and 150 LSB and 6 us; slopes of the voltages are such that the demos spike
where their figures do. The size of a postsynaptic potential is that of the demos: weight 63 with default targets has 0.34 of
v_thresh - v_rest at its top, 15.34 LSB, independent of tau where tau_m = tau_syn. A circuit's own deviations come on top.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["CLOCK_PERIOD", "CircuitCodes", "Physics", "codes_for", "physics_of", "psp_height"]

CLOCK_PERIOD = 0.008  # us, of the refractory counter at scale 0 and of the FPGA
HIGHEST_CODE = 1022
LOWEST_VOLTAGE, HIGHEST_VOLTAGE = -35.0, 300.0  # LSB; the membrane saturates there

_LEAK, _RESET, _THRESHOLD = (80.0, 0.42, 668.0), (80.0, 0.42, 673.0), (150.0, 0.30, 411.0)
_TAU_M = 6.0 * 164.0  # us codes
_TAU_SYN = 6.0 * 82.0
_PSP = 15.34  # LSB
_CURRENT = 0.034  # LSB/us a code
_PARASITIC = 1.5  # codes of capacitance that are always there
_LOWEST_BIAS = 0.5  # codes; a bias of 0 leaves leakage


@dataclass(frozen=True)
class CircuitCodes:
    """What the digital side sets, arrays of equal length; names as HXNeuron's parameters without the member where it is clear."""

    v_leak: np.ndarray
    leak_bias: np.ndarray
    v_reset: np.ndarray
    v_threshold: np.ndarray
    threshold_enable: np.ndarray
    tau_bias_E: np.ndarray
    tau_bias_I: np.ndarray
    gm_bias_E: np.ndarray
    gm_bias_I: np.ndarray
    synapse_enable_E: np.ndarray
    synapse_enable_I: np.ndarray
    current: np.ndarray
    capacitance: np.ndarray
    refractory_us: np.ndarray
    bypass: np.ndarray
    dac_bias: float


@dataclass(frozen=True)
class Physics:
    """The neurons that circuits are. Voltages in LSB, times in us; gain_*: jump of dv/dt (LSB/us) of a weight of 1; current: the
    constant dv/dt (LSB/us); bypass: the circuit repeats each excitatory event instead of integrating. Of joined circuits, gain_*
    hold those of all first circuits, then of all second ones, ...; all else has one value a neuron."""

    tau_m: np.ndarray
    tau_syn_E: np.ndarray
    tau_syn_I: np.ndarray
    v_rest: np.ndarray
    v_reset: np.ndarray
    v_thresh: np.ndarray
    tau_refrac: np.ndarray
    gain_E: np.ndarray
    gain_I: np.ndarray
    current: np.ndarray
    bypass: np.ndarray


def _voltage(line, code):
    at, slope, code_at = line
    return at + slope * (code - code_at)


def _code(line, voltage):
    at, slope, code_at = line
    return code_at + (voltage - at) / slope


def _capacitance(code):
    return (code + _PARASITIC) / (63.0 + _PARASITIC)


def physics_of(codes, chip, circuits, several=1):
    """Physics of the circuits with these numbers (0..511) of a VirtualChip when their CircuitCodes are set; where `several` are
    a neuron, as in `joined`."""
    def raw(name):
        return chip.deviation("raw", name)[circuits]

    def spread(name):
        return np.exp(raw(name))

    capacitance = _capacitance(codes.capacitance)
    tau_syn_exc = _TAU_SYN / np.maximum(codes.tau_bias_E, _LOWEST_BIAS) * spread("tau_syn_E")
    tau_syn_inh = _TAU_SYN / np.maximum(codes.tau_bias_I, _LOWEST_BIAS) * spread("tau_syn_I")
    strength = np.e * _PSP / 63.0 * (codes.dac_bias / 600.0) / capacitance
    v_thresh = np.clip(_voltage(_THRESHOLD, codes.v_threshold + raw("threshold")), LOWEST_VOLTAGE + 1.0, None)
    v_thresh = np.where(codes.threshold_enable, v_thresh + chip.non_idealities.threshold_offset, np.inf)
    physics = Physics(
        tau_m=_TAU_M / np.maximum(codes.leak_bias, _LOWEST_BIAS) * capacitance * spread("tau_m"),
        tau_syn_E=tau_syn_exc, tau_syn_I=tau_syn_inh,
        v_rest=np.clip(_voltage(_LEAK, codes.v_leak + raw("leak")), LOWEST_VOLTAGE, HIGHEST_VOLTAGE),
        v_reset=np.clip(_voltage(_RESET, codes.v_reset + raw("reset")), LOWEST_VOLTAGE, HIGHEST_VOLTAGE),
        v_thresh=v_thresh, tau_refrac=np.maximum(codes.refractory_us, CLOCK_PERIOD),
        gain_E=codes.synapse_enable_E * strength * codes.gm_bias_E / 500.0 * spread("gain_E") / tau_syn_exc,
        gain_I=codes.synapse_enable_I * strength * codes.gm_bias_I / 500.0 * spread("gain_I") / tau_syn_inh,
        current=_CURRENT * codes.current / capacitance, bypass=np.asarray(codes.bypass, dtype=bool))
    return physics if several == 1 else joined(physics, capacitance, several)


def joined(physics, capacitance, several):
    """Physics of neurons that are `several` circuits each, from that of the circuits and their relative capacitances; arrays hold
    all first circuits, then all second ones, ... See the equations of this module."""
    def by_circuit(values):
        return np.reshape(values, (several, -1))

    share = by_circuit(capacitance) / by_circuit(capacitance).sum(axis=0)
    leaks = share / by_circuit(physics.tau_m)
    tau_m = 1.0 / leaks.sum(axis=0)
    new = {"tau_m": tau_m, "v_rest": tau_m * (leaks * by_circuit(physics.v_rest)).sum(axis=0),
           "current": (share * by_circuit(physics.current)).sum(axis=0)}
    for side in ("E", "I"):
        tau_syn, gain = by_circuit(getattr(physics, f"tau_syn_{side}")), by_circuit(getattr(physics, f"gain_{side}"))
        new[f"tau_syn_{side}"] = tau_syn.mean(axis=0)
        new[f"gain_{side}"] = (share * gain * tau_syn / tau_syn.mean(axis=0)).ravel()
    first = {name: by_circuit(getattr(physics, name))[0] for name in ("v_reset", "v_thresh", "tau_refrac", "bypass")}
    return Physics(**new, **first)


def psp_height(weight, i_synin_gm, synapse_dac_bias, cm=63.0, several=1):
    """Height (LSB) of the potential after an event of this weight where tau_m = tau_syn, on `several` joined circuits with
    capacitances of code cm."""
    return _PSP * (weight / 63.0) * (i_synin_gm / 500.0) * (synapse_dac_bias / 600.0) / (several * _capacitance(cm))


def codes_for(targets, chip, circuits):
    """CircuitCodes, not yet rounded, with which these circuits reach `targets`: a dict of arrays with the names of the calibrated
    cell's parameters (LSB, us, codes) and tau_refrac in us. The inverse of `physics_of`.
    """
    def raw(name):
        return chip.deviation("raw", name)[circuits]

    def spread(name):
        return np.exp(raw(name))

    size = len(circuits)
    on = np.ones(size, dtype=bool)
    return CircuitCodes(
        v_leak=_code(_LEAK, targets["v_rest"]) - raw("leak"),
        v_reset=_code(_RESET, targets["v_reset"]) - raw("reset"),
        v_threshold=_code(_THRESHOLD, targets["v_thresh"]) - raw("threshold"), threshold_enable=on,
        leak_bias=_TAU_M / targets["tau_m"] * _capacitance(targets["cm"]) * spread("tau_m"),
        tau_bias_E=_TAU_SYN / targets["tau_syn_E"] * spread("tau_syn_E"),
        tau_bias_I=_TAU_SYN / targets["tau_syn_I"] * spread("tau_syn_I"),
        # The strength per synaptic time constant is what is calibrated: the gain is divided by the circuit's own tau_syn.
        gm_bias_E=targets["i_synin_gm_E"] / spread("gain_E"), gm_bias_I=targets["i_synin_gm_I"] / spread("gain_I"),
        synapse_enable_E=on, synapse_enable_I=on, current=np.zeros(size), capacitance=targets["cm"],
        refractory_us=targets["tau_refrac"], bypass=~on, dac_bias=float(targets["synapse_dac_bias"][0]))
