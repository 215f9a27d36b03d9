"""Calibration of the 512 neuron circuits of a chip for spiking: membranes, synaptic inputs, thresholds, refractory times."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import quantities as pq

from ttfs_pynn.brainscales2.calix.common.base import CalibResult, chip_of
from ttfs_pynn.brainscales2.chip import N_CIRCUITS
from ttfs_pynn.brainscales2.dlens import coordinates, halco, lola
from ttfs_pynn.brainscales2.targets import CALIX_NAMES, adapter_targets, configuration_of

__all__ = ["NeuronCalibOptions", "NeuronCalibResult", "NeuronCalibTarget", "calibrate"]

_TIMES = {"tau_mem": (0.1, 200.0), "tau_syn": (0.1, 50.0), "refractory_time": (0.04, 130560.0),
          "holdoff_time": (0.0, np.inf)}  # us
_FEASIBLE = {"leak": (50, 160), "reset": (50, 160), "threshold": (50, 220), "i_synin_gm": (30, 800),
             "membrane_capacitance": (0, 63), "synapse_dac_bias": (30, 1022)}


def _microseconds(value):
    return field(default_factory=lambda: value * pq.us)


@dataclass
class NeuronCalibTarget:
    """What neurons are to have; a number, or one for each of the 512 circuits.

    leak, reset, threshold: CADC reads. tau_mem, tau_syn, refractory_time, holdoff_time: quantities with a unit; tau_syn also (2,)
    or (2, 512), the first excitatory. i_synin_gm: strength of the synaptic inputs; one number, or two, is what they are
    calibrated to, one a circuit are codes that are set as they are. membrane_capacitance: 63 are 2.2 pF. Conductance-based inputs
    (e_coba_reversal, e_coba_reference) and a holdoff time are not emulated, and are refused.
    """

    leak: Any = 80
    reset: Any = 70
    threshold: Any = 125
    tau_mem: Any = _microseconds(10.0)
    tau_syn: Any = _microseconds(10.0)
    i_synin_gm: Any = 500
    e_coba_reversal: Any = None
    e_coba_reference: Any = None
    membrane_capacitance: Any = 63
    refractory_time: Any = _microseconds(2.0)
    synapse_dac_bias: Any = 600
    holdoff_time: Any = _microseconds(0.0)

    def check(self) -> None:
        """TypeError for times without a unit, ValueError for values out of range or of a shape that does not fit, as calix;
        NotImplementedError for what the emulation has not."""
        for name in ("e_coba_reversal", "e_coba_reference"):
            if getattr(self, name) is not None and not np.isinf(np.asarray(getattr(self, name), dtype=float)).all():
                raise NotImplementedError(f"{name}: synaptic inputs with conductances are not emulated; leave it out")
        for name, (lowest, highest) in _TIMES.items():
            value = getattr(self, name)
            if not isinstance(value, pq.Quantity):
                raise TypeError(f"{name} = {value!r} must be a quantity with a unit, such as 10 * pq.us")
            self._in_range(name, value.rescale("us").magnitude, lowest, highest, " us")
        for name, (lowest, highest) in _FEASIBLE.items():
            self._in_range(name, np.asarray(getattr(self, name), dtype=float), lowest, highest, "")
        if np.any(self.holdoff_time > 0 * pq.us):
            raise NotImplementedError("holdoff_time: a neuron listens again when its refractory time is over; leave it out")

    def _in_range(self, name, values, lowest, highest, unit):
        sides = [(2,), (2, N_CIRCUITS)] if len(CALIX_NAMES.get(name, ("",))[0]) == 2 else []
        if values.shape not in ((), (N_CIRCUITS,), *sides):
            raise ValueError(f"{name} has shape {values.shape}; give one value or {N_CIRCUITS}")
        if name == "i_synin_gm" and N_CIRCUITS in values.shape:  # codes
            lowest, highest = 0, 1022
        if not ((values >= lowest) & (values <= highest)).all():
            wrong = values[~((values >= lowest) & (values <= highest))].ravel()[0]
            raise ValueError(f"{name} = {wrong:g}{unit} is out of range; give {lowest:g} to {highest:g}{unit}")


@dataclass
class NeuronCalibOptions:
    """readout_neuron: a neuron that is to be seen at a pad. Kept; it does not change the emulation."""

    readout_neuron: Any = None


@dataclass
class NeuronCalibResult(CalibResult):
    """neurons: {halco.AtomicNeuronOnDLS: lola.AtomicNeuron}. cocos: {coordinate: container} of what neurons share. success:
    {coordinate: True} of each neuron."""

    target: NeuronCalibTarget
    options: NeuronCalibOptions
    neurons: dict[Any, lola.AtomicNeuron]
    cocos: dict[Any, Any]
    success: dict[Any, bool]

    def apply(self, builder: Any) -> None:
        """Write all neurons and what they share with a builder or a dumper."""
        for coordinate, container in (*self.neurons.items(), *self.cocos.items()):
            builder.write(coordinate, container)


def calibrate(connection, target=None, options=None) -> NeuronCalibResult:
    """Calibrate all neurons of the chip at a connection to a NeuronCalibTarget."""
    target = NeuronCalibTarget() if target is None else target
    if not isinstance(target, NeuronCalibTarget):
        raise TypeError(f"target is {type(target).__name__}; give a calix.spiking.neuron.NeuronCalibTarget")
    target.check()
    gm = np.asarray(target.i_synin_gm, dtype=float)
    codes = None
    if N_CIRCUITS in gm.shape:
        codes = dict(zip(("gm_bias_E", "gm_bias_I"), gm if gm.ndim == 2 else (gm, gm), strict=True))
    targets = {entry.name: getattr(target, entry.name) for entry in fields(target) if entry.name in CALIX_NAMES}
    chip = configuration_of(adapter_targets(targets), chip_of(connection), codes)
    neurons = {coordinates.AtomicNeuronOnDLS(k): chip.neuron_block.atomic_neurons[k] for k in range(N_CIRCUITS)}
    cocos = {coordinate: chip.neuron_block.backends[coordinate]
             for coordinate in halco.iter_all(coordinates.CommonNeuronBackendConfigOnDLS)}
    cocos |= {coordinate: chip.synapse_blocks[coordinate] for coordinate in halco.iter_all(coordinates.SynapseBlockOnDLS)}
    options = NeuronCalibOptions() if options is None else options
    return NeuronCalibResult(target, options, neurons, cocos, dict.fromkeys(neurons, True))
