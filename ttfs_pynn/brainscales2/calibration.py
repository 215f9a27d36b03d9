"""From the targets of calibrated cells to codes: the inverse of a circuit's forward model, found with noise and in 10 bits."""

from dataclasses import replace

import numpy as np

from ttfs_pynn.brainscales2.circuits import CLOCK_PERIOD, HIGHEST_CODE, CircuitCodes, codes_for

__all__ = ["DEFAULT_TARGETS", "calibrate", "codes_from_parameters", "parameters_from_codes", "refractory_clocks"]

DEFAULT_TARGETS = {"v_rest": 80.0, "v_reset": 70.0, "v_thresh": 125.0, "tau_m": 10.0, "tau_syn_E": 10.0, "tau_syn_I": 10.0,
                   "cm": 63.0, "tau_refrac": 2.0, "i_synin_gm_E": 500.0, "i_synin_gm_I": 500.0, "synapse_dac_bias": 600.0}
_RESIDUALS = {"v_rest": "leak", "v_reset": "reset", "v_thresh": "threshold", "tau_m": "tau_m", "tau_syn_E": "tau_syn_E",
              "tau_syn_I": "tau_syn_I", "i_synin_gm_E": "gain_E", "i_synin_gm_I": "gain_I"}
_HIGHEST_COUNT = 255
_SMALL_CAPACITANCE, _HIGH_RESISTANCE = 4.0, 4.0  # what these modes of the synaptic input do to tau_syn; a guess
_LEAST_PRECISE = 30.0  # codes; below, a mode is chosen in which the code is larger


def refractory_clocks(tau_refrac):
    """(scale of the fast clock, of the slow one) with which neurons of the whole chip reach these refractory times (us).

    A clock of scale s ticks each 8 ns * 2^s, and a neuron counts at most 255 ticks: longer times need a slower clock.
    """
    tau_refrac = np.asarray(tau_refrac, dtype=float)
    fast = tau_refrac <= np.mean(tau_refrac) * (1 + 1e-12)
    longest = tau_refrac[fast].max(initial=CLOCK_PERIOD), tau_refrac.max(initial=CLOCK_PERIOD)
    return tuple(int(np.clip(np.ceil(np.log2(t / (_HIGHEST_COUNT * CLOCK_PERIOD)) - 1e-9), 0, 15)) for t in longest)


def _ticks(tau_refrac, clocks):
    """(counts, us of a tick, True for the fast clock) of refractory times."""
    fast = tau_refrac <= _HIGHEST_COUNT * CLOCK_PERIOD * 2.0 ** clocks[0] * (1 + 1e-9)
    tick = CLOCK_PERIOD * 2.0 ** np.where(fast, *clocks)
    return np.clip(np.round(tau_refrac / tick), 1, _HIGHEST_COUNT), tick, fast


def calibrate(targets, chip, circuits, clocks):
    """CircuitCodes for `targets` (dict of arrays as DEFAULT_TARGETS) on the circuits with these numbers, given the scales of
    the refractory clocks.

    As a calibration does, it comes near a target up to the chip's fixed residual, and sets codes of 10 bits where the chip has
    that resolution.
    """
    reached = dict(targets)
    for name, quantity in _RESIDUALS.items():
        residual = chip.deviation("residual", quantity)[circuits]
        reached[name] = targets[name] + residual if name.startswith("v_") else targets[name] * np.exp(residual)
    codes = codes_for(reached, chip, circuits)
    return _rounded(codes, clocks) if chip.non_idealities.code_resolution else codes


def _round(codes):
    return np.clip(np.round(codes), 0, HIGHEST_CODE)


def _in_mode(effective, larger, smaller):
    """(codes, large mode, small mode): codes of 10 bits for an effective bias current, and the modes to set with them."""
    large = effective > HIGHEST_CODE
    small = effective < _LEAST_PRECISE
    return _round(effective / np.where(large, larger, np.where(small, 1 / smaller, 1.0))), large, small


def _effective(codes, large, small, larger, smaller):
    return codes * np.where(large, larger, 1.0) / np.where(small, smaller, 1.0)


def _rounded(codes, clocks):
    """With values that a circuit can be set to."""
    new = {}
    for name in ("v_leak", "v_reset", "v_threshold", "gm_bias_E", "gm_bias_I", "current", "capacitance"):
        new[name] = _round(getattr(codes, name))
    new["leak_bias"] = _effective(*_in_mode(codes.leak_bias, 8.0, 8.0), 8.0, 8.0)
    for name in ("tau_bias_E", "tau_bias_I"):
        new[name] = _effective(*_in_mode(getattr(codes, name), _SMALL_CAPACITANCE, _HIGH_RESISTANCE), _SMALL_CAPACITANCE,
                               _HIGH_RESISTANCE)
    counts, tick, _ = _ticks(codes.refractory_us, clocks)
    new["refractory_us"] = counts * tick
    return replace(codes, **new)


def parameters_from_codes(codes, clocks):
    """HXNeuron's parameters (dict of arrays) that set these codes, given the scales of the refractory clocks."""
    rounded = _rounded(codes, clocks)
    counts, _, fast = _ticks(rounded.refractory_us, clocks)
    leak_bias, multiplied, divided = _in_mode(rounded.leak_bias, 8.0, 8.0)
    values = {
        "leak_v_leak": rounded.v_leak, "leak_i_bias": leak_bias, "leak_enable_multiplication": multiplied,
        "leak_enable_division": divided, "reset_v_reset": rounded.v_reset,
        "reset_i_bias": np.full(leak_bias.shape, float(HIGHEST_CODE)), "reset_enable_multiplication": np.ones_like(divided),
        "threshold_v_threshold": rounded.v_threshold, "threshold_enable": rounded.threshold_enable,
        "constant_current_i_offset": np.abs(rounded.current), "constant_current_enable": rounded.current != 0,
        "membrane_capacitance_capacitance": rounded.capacitance,
        "refractory_period_refractory_time": counts,
        "refractory_period_input_clock": fast.astype(float), "event_routing_enable_bypass_excitatory": rounded.bypass}
    for member, side in (("excitatory_input", "E"), ("inhibitory_input", "I")):
        tau, small, resistive = _in_mode(getattr(rounded, f"tau_bias_{side}"), _SMALL_CAPACITANCE, _HIGH_RESISTANCE)
        values |= {f"{member}_enable": getattr(rounded, f"synapse_enable_{side}"), f"{member}_i_bias_tau": tau,
                   f"{member}_enable_small_capacitance": small, f"{member}_enable_high_resistance": resistive,
                   f"{member}_i_bias_gm": getattr(rounded, f"gm_bias_{side}")}
    return values


def codes_from_parameters(values, clocks, dac_bias):
    """CircuitCodes of circuits that are set to HXNeuron's parameters (dict of arrays), given the scales of the clocks (0..15)."""
    ticks = np.maximum(values["refractory_period_refractory_time"], 1.0)
    scale = np.where(values["refractory_period_input_clock"] > 0, *clocks)
    sign = np.where(values["constant_current_type"] > 0, -1.0, 1.0)
    sides = {}
    for member, side in (("excitatory_input", "E"), ("inhibitory_input", "I")):
        sides[f"tau_bias_{side}"] = _effective(
            values[f"{member}_i_bias_tau"], values[f"{member}_enable_small_capacitance"] > 0,
            values[f"{member}_enable_high_resistance"] > 0, _SMALL_CAPACITANCE, _HIGH_RESISTANCE)
        sides[f"gm_bias_{side}"] = values[f"{member}_i_bias_gm"]
        sides[f"synapse_enable_{side}"] = values[f"{member}_enable"] > 0
    return CircuitCodes(
        v_leak=values["leak_v_leak"],
        leak_bias=_effective(values["leak_i_bias"], values["leak_enable_multiplication"] > 0, values["leak_enable_division"] > 0,
                             8.0, 8.0),
        v_reset=values["reset_v_reset"], v_threshold=values["threshold_v_threshold"],
        threshold_enable=values["threshold_enable"] > 0,
        current=values["constant_current_i_offset"] * (values["constant_current_enable"] > 0) * sign,
        capacitance=values["membrane_capacitance_capacitance"], refractory_us=ticks * CLOCK_PERIOD * 2.0 ** scale,
        bypass=values["event_routing_enable_bypass_excitatory"] > 0, dac_bias=float(dac_bias), **sides)
