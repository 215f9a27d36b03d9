"""What circuits are calibrated to, under the adapter's names and calix's, and the configuration that reaches it."""

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from ttfs_pynn.brainscales2 import neuron_fields
from ttfs_pynn.brainscales2.calibration import DEFAULT_TARGETS, calibrate, parameters_from_codes, refractory_clocks
from ttfs_pynn.brainscales2.chip import N_CIRCUITS, VirtualChip
from ttfs_pynn.brainscales2.dlens import coordinates, halco, lola
from ttfs_pynn.errors import unknown
from ttfs_pynn.units import in_unit

__all__ = ["CALIX_NAMES", "adapter_targets", "configuration_of"]

# calix's name: (the adapter's names, unit)
CALIX_NAMES: dict[str, tuple[tuple[str, ...], str]] = {
    "leak": (("v_rest",), "dimensionless"), "reset": (("v_reset",), "dimensionless"),
    "threshold": (("v_thresh",), "dimensionless"), "tau_mem": (("tau_m",), "us"),
    "tau_syn": (("tau_syn_E", "tau_syn_I"), "us"), "i_synin_gm": (("i_synin_gm_E", "i_synin_gm_I"), "dimensionless"),
    "membrane_capacitance": (("cm",), "dimensionless"), "refractory_time": (("tau_refrac",), "us"),
    "synapse_dac_bias": (("synapse_dac_bias",), "dimensionless")}
_UNITS = {"tau_m": "us", "tau_syn_E": "us", "tau_syn_I": "us", "tau_refrac": "us"}
_DEFAULT_CIRCUIT = neuron_fields.flatten(lola.AtomicNeuron())


def adapter_targets(targets: dict[str, Any]) -> dict[str, np.ndarray]:
    """Targets by the adapter's names, (512,) each, the default ones included; times in us.

    targets: a number, or 512, each, with a unit where it has one, by the adapter's or calix's names (CALIX_NAMES); of calix's
    tau_syn and i_synin_gm also 2, or (2, 512), the first excitatory. ValueError for what is none.
    """
    found = {}
    for name, value in targets.items():
        if name not in CALIX_NAMES and name not in DEFAULT_TARGETS:
            raise ValueError(unknown("target", name, list({**DEFAULT_TARGETS, **CALIX_NAMES})))
        names, unit = CALIX_NAMES.get(name, ((name,), _UNITS.get(name, "dimensionless")))
        values = np.asarray(in_unit(value, unit, f"target {name}"), dtype=float)
        sides = values if len(names) == 2 and values.ndim and len(values) == 2 else [values] * len(names)
        for each, side in zip(names, sides, strict=True):
            if each in found:
                raise ValueError(f"target {name}: {each} is given by another name too; give it once")
            found[each] = _of_circuits(name, np.asarray(side))
    return {name: found.get(name, np.full(N_CIRCUITS, value)) for name, value in DEFAULT_TARGETS.items()}


def _of_circuits(name, values):
    if values.shape not in ((), (N_CIRCUITS,)) or not np.isfinite(values).all():
        raise ValueError(f"target {name}: give a finite number or {N_CIRCUITS} of them, not those of shape {values.shape}")
    if (name.startswith("tau_") or name == "refractory_time") and values.min() <= 0:
        raise ValueError(f"target {name} = {values.min():g} us must be positive")
    return np.array(np.broadcast_to(values, N_CIRCUITS))


def configuration_of(targets: dict[str, np.ndarray], chip: VirtualChip,
                     gm: dict[str, np.ndarray] | None = None) -> lola.Chip:
    """The configuration in which the circuits of a chip reach targets (512,) by the adapter's names.

    gm: codes (512,) of i_bias_gm by name of CircuitCodes ("gm_bias_E", "gm_bias_I") that are set as they are.
    """
    clocks = refractory_clocks(targets["tau_refrac"])
    found = replace(calibrate(targets, chip, np.arange(N_CIRCUITS), clocks), **(gm or {}))
    codes = parameters_from_codes(found, clocks)
    configuration = lola.Chip()
    for k in range(N_CIRCUITS):
        own = {name: array[k] for name, array in codes.items()}
        configuration.neuron_block.atomic_neurons[k] = neuron_fields.unflatten({**_DEFAULT_CIRCUIT, **own})
    for coordinate in halco.iter_all(coordinates.CommonNeuronBackendConfigOnDLS):
        backend = configuration.neuron_block.backends[coordinate]
        backend.clock_scale_fast, backend.clock_scale_slow = clocks
        backend.enable_clocks = True
    for coordinate in halco.iter_all(coordinates.SynapseBlockOnDLS):
        configuration.synapse_blocks[coordinate].i_bias_dac.fill(int(targets["synapse_dac_bias"][0]))
    logging.getLogger("ttfs_pynn.brainscales2").info("512 circuits of the virtual chip %d are calibrated", chip.seed)
    return configuration
