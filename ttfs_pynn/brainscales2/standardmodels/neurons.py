"""Neurons: one circuit with its codes (HXNeuron), or with targets that a calibration turns into codes."""

import copy
from warnings import warn

import numpy as np

from ttfs_pynn.brainscales2 import simulator
from ttfs_pynn.brainscales2.calibration import calibrate, codes_from_parameters, parameters_from_codes
from ttfs_pynn.brainscales2.dlens import lola
from ttfs_pynn.brainscales2.neuron_fields import NOT_CONFIGURABLE, flatten, unflatten
from ttfs_pynn.brainscales2.routing import COLUMNS
from ttfs_pynn.brainscales2.standardmodels.cells_base import ANALOG, NeuronCell, check_codes, same_names

__all__ = ["CalibHXNeuronCoba", "CalibHXNeuronCuba", "CalibPairCuba", "HXNeuron"]

_PLASTICITY = {"plasticity_rule_readout_source": 0.0, "plasticity_rule_enable_readout_source": False}
_CODES = {name: value for name, value in flatten(lola.AtomicNeuron()).items() if name not in NOT_CONFIGURABLE}
_UNITS = dict.fromkeys((*ANALOG, *_PLASTICITY), "dimensionless")


def _range(name):
    field = name.rsplit("_", 1)[-1]
    if name.startswith("membrane_capacitance"):
        return 0, 63
    if name in ("refractory_period_refractory_time", "event_routing_address"):
        return 0, 255
    return (0, 15) if field == "holdoff" else (0, 1023)


_RANGES = {name: _range(name) for name, value in _CODES.items() if not isinstance(value, bool)}
_TARGET_REGISTERS = {"cm": (0, 63), "i_synin_gm_E": (0, 1022), "i_synin_gm_I": (0, 1022), "synapse_dac_bias": (0, 1022)}


class HXNeuron(NeuronCell):
    """One neuron circuit. Parameters are the fields of `lola.AtomicNeuron` as member_field, all zero (silent) unless given:
    voltages and bias currents are codes from 0 to 1022. With an initial_config, values that were not given come from there when
    the network is mapped. Adaptation and exponential terms are accepted and have no effect.
    """

    default_parameters = {**_PLASTICITY, **_CODES}
    translations = same_names(default_parameters)
    units = _UNITS
    _NOT_CONFIGURABLE = NOT_CONFIGURABLE

    def __init__(self, plasticity_rule=None, **parameters):
        super().__init__(plasticity_rule, **parameters)
        self._given = tuple(parameters)
        self._applied = False

    @classmethod
    def get_default_values(cls):
        return dict(cls.default_parameters)

    def validate_parameter_space(self):
        if simulator.state is not None and simulator.state.initial_config is not None and not self._applied:
            raise RuntimeError("values come from the initial_config when the network is mapped, so they are not known yet; call "
                               "run(None, RunCommand.PREPARE) first, or give values when the cell type is made")

    @staticmethod
    def create_hw_entity(parameters):
        """An AtomicNeuron with these values (a dict)."""
        return unflatten({name: value for name, value in parameters.items() if name in _CODES})

    def configure(self, population, circuits, state):
        check_codes(population.group.values, _RANGES)
        if state.initial_config is None or self._applied:
            return
        neurons = state.initial_config.neuron_block.atomic_neurons
        rows = [flatten(neurons[int(circuit)]) for circuit in circuits]
        population.group.set_parameters(**{name: np.array([row[name] for row in rows], dtype=float) for name in _CODES
                                           if name not in self._given})
        self._applied = True

    def codes(self, population, state):
        chip = state.base_configuration()
        values = {name: np.trunc(array) for name, array in population.group.values.items()}  # registers hold integers
        codes = codes_from_parameters(values, _clocks(chip), state.dac_bias)
        if codes.bypass.any() and not codes.bypass.all():
            raise NotImplementedError(f"{population.label}: only some circuits of the population are in bypass; put them into a "
                                      "population of their own")
        for name in ("adaptation_enable", "exponential_enable", "excitatory_input_enable_coba_mode"):
            if values[name].any():
                warn(f"{population.label}: {name} has no effect, for that circuit is not emulated", stacklevel=2)
        return codes


def _clocks(chip):
    backend = chip.neuron_block.backends[0]
    return int(backend.clock_scale_fast), int(backend.clock_scale_slow)


class CalibHXNeuronCuba(NeuronCell):
    """A calibrated neuron with current-based synapses.

    v_rest, v_reset (50 to 160), v_thresh (50 to 220): LSB of the CADC. tau_m (0.5 to 60), tau_syn_E, tau_syn_I (0.3 to 30),
    tau_refrac (0.04 to 32): us. cm: 0 to 63. i_synin_gm_E, i_synin_gm_I (30 to 800): strength of synaptic inputs;
    synapse_dac_bias (30 to 1022): of synapses; these three must be equal on the whole chip. Outside of these ranges a warning is
    given, for the chip may not reach the target.
    """

    default_parameters = {"v_rest": 80.0, "v_reset": 70.0, "v_thresh": 125.0, "tau_m": 10.0, "tau_syn_E": 10.0, "tau_syn_I": 10.0,
                          "cm": 63.0, "tau_refrac": 2.0, "i_synin_gm_E": 500.0, "i_synin_gm_I": 500.0, "synapse_dac_bias": 600.0,
                          **_PLASTICITY}
    units = {**dict.fromkeys(default_parameters, "dimensionless"), **_UNITS,
             **dict.fromkeys(("tau_m", "tau_syn_E", "tau_syn_I", "tau_refrac"), "us")}
    translations = same_names(default_parameters)
    RANGES = {"v_rest": (50, 160), "v_reset": (50, 160), "v_thresh": (50, 220), "tau_m": (0.5, 60), "tau_syn_E": (0.3, 30),
              "tau_syn_I": (0.3, 30), "cm": (0, 63), "tau_refrac": (0.04, 32), "i_synin_gm_E": (30, 800),
              "i_synin_gm_I": (30, 800), "synapse_dac_bias": (30, 1022)}

    def configure(self, population, circuits, state):
        group = population.group
        clocks = state.refractory_clocks()
        key = (group.version, tuple(circuits), clocks, state.chip)
        if getattr(group, "calibrated_for", None) == key:
            return
        self._check_targets(population)
        targets = {name: group.values[name] for name in self.RANGES}
        for name in ("v_rest", "v_reset", "v_thresh", "i_synin_gm_E", "i_synin_gm_I", "synapse_dac_bias"):
            targets[name] = np.trunc(targets[name])  # the adapter takes the integer part
        targets = {name: np.tile(values, self.joined) for name, values in self._cuba_targets(targets, group.values).items()}
        group.calibrated = calibrate(targets, state.chip, circuits, clocks)
        group.clocks, group.calibrated_for = clocks, key
        group.calib_target = {name: group.values[name].copy() for name in self.default_parameters}
        group.hwparams = group.calib_hwparams = None
        state.calibrations += 1

    def _cuba_targets(self, targets, values):
        return targets

    def _check_targets(self, population):
        values = population.group.values
        check_codes(values, _TARGET_REGISTERS)
        if (values["tau_refrac"] < 0).any():
            raise ValueError(f"{population.label}: tau_refrac = {values['tau_refrac'].min():g} us must not be negative")
        for name, (lowest, highest) in self.RANGES.items():
            bad = values[name][(values[name] < lowest) | (values[name] > highest)]
            if name in ("tau_m", "tau_syn_E", "tau_syn_I") and (values[name] <= 0).any():
                raise ValueError(f"{population.label}: {name} = {values[name].min():g} us must be positive")
            if bad.size:
                warn(f"{population.label}: {name} = {bad[0]:g} is outside the range {lowest} to {highest} in which a calibration "
                     "works; the chip may not reach it", stacklevel=2)

    def codes(self, population, state):
        group = population.group
        if group.hwparams is None:
            return group.calibrated
        rows = [flatten(neuron) for neuron in group.hwparams]
        values = {name: np.array([row[name] for row in rows], dtype=float) for name in _CODES}
        return codes_from_parameters(values, group.clocks, group.calibrated.dac_bias)

    @staticmethod
    def _result(group, name):
        if getattr(group, "calibrated_for", None) is None:
            raise AttributeError(f"{name} is the result of a calibration; call run() or run(None, RunCommand.PREPARE) first")

    @classmethod
    def hardware_parameters(cls, group):
        """A list of AtomicNeurons with the calibrated codes, first circuits first; changing them changes what is run."""
        cls._result(group, "actual_hwparams")
        if group.hwparams is None:
            values = parameters_from_codes(group.calibrated, group.clocks)
            group.hwparams = [unflatten({**_CODES, **{name: array[k] for name, array in values.items()}})
                              for k in range(group.size * cls.joined)]
            group.calib_hwparams = copy.deepcopy(group.hwparams)
        return group.hwparams

    @classmethod
    def calibration_result(cls, group):
        """The codes as the calibration left them, a list of AtomicNeurons."""
        cls._result(group, "calib_hwparams")
        cls.hardware_parameters(group)
        return group.calib_hwparams

    @classmethod
    def calibration_target(cls, group):
        """{name: array}: what the last calibration aimed at."""
        cls._result(group, "calib_target")
        return group.calib_target


class CalibPairCuba(CalibHXNeuronCuba):
    """A calibrated neuron of two circuits, the upper and the lower one of a column, whose membranes are connected.

    Half of the sources of each population end at the upper circuit, half at the lower one, so that a neuron has 512 synapses
    instead of 256. Parameters are the targets of each circuit; capacitances (cm) add up, and the upper circuit alone decides on
    spikes. The chip has it and the vendor's cell types do not.
    """

    columns = joined = 2

    def configure(self, population, circuits, state):
        upper, lower = circuits.reshape(2, -1)
        if (upper >= COLUMNS).any() or (lower != upper + COLUMNS).any():
            wrong = np.flatnonzero((upper >= COLUMNS) | (lower != upper + COLUMNS))[0]
            raise RuntimeError(f"{population.label}: neuron {wrong} would be the circuits {upper[wrong]} and {lower[wrong]}, not "
                               f"one above the other; list pairs n, n + {COLUMNS} in neuronPermutation")
        super().configure(population, circuits, state)


class CalibHXNeuronCoba(CalibHXNeuronCuba):
    """A calibrated neuron with conductance-based synapses.

    The emulation keeps the driving force at its value at v_rest, so inputs act as currents of that size; a warning says so once.
    Reversal potentials e_rev_E, e_rev_I: LSB of the CADC; other parameters as CalibHXNeuronCuba. Weights must not be negative, so
    inhibitory ones can only be 0, as on the adapter.
    """

    conductance_based = True
    default_parameters = {**CalibHXNeuronCuba.default_parameters, "v_rest": 110.0, "v_reset": 100.0, "v_thresh": 160.0,
                          "e_rev_E": 300.0, "e_rev_I": 30.0, "i_synin_gm_E": 180.0, "i_synin_gm_I": 250.0,
                          "synapse_dac_bias": 400.0}
    units = {**CalibHXNeuronCuba.units, "e_rev_E": "dimensionless", "e_rev_I": "dimensionless"}
    translations = same_names(default_parameters)

    def _cuba_targets(self, targets, values):
        warn("CalibHXNeuronCoba: the driving force of synapses is kept at its value at v_rest", stacklevel=2)
        # The strength of a conductance-based input is calibrated where the driving force is 100 LSB; a guess.
        for side, name in (("E", "e_rev_E"), ("I", "e_rev_I")):
            force = np.abs(values[name] - values["v_rest"]) / 100.0
            targets[f"i_synin_gm_{side}"] = targets[f"i_synin_gm_{side}"] * 3.0 * force
        return targets
