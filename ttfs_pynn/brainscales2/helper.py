"""Calibrated chip configurations, and the names of a circuit's parameters."""

from pathlib import Path

import numpy as np

from ttfs_pynn.brainscales2 import neuron_fields, simulator
from ttfs_pynn.brainscales2.calibration import DEFAULT_TARGETS, calibrate, parameters_from_codes, refractory_clocks
from ttfs_pynn.brainscales2.chip import N_CIRCUITS, chip_from_seed
from ttfs_pynn.brainscales2.dlens import halco, hxcomm, lola, sta
from ttfs_pynn.files.sealed import regular_file

__all__ = ["ATOMIC_NEURON_MEMBERS", "chip_from_file", "chip_from_nightly", "chip_from_portable_binary", "chip_from_targets",
           "decompose_in_member_names", "get_unique_identifier", "get_values_of_atomic_neuron", "nightly_calib_path",
           "nightly_calib_url"]

_LARGEST = 2**26  # bytes of a file; one chip has about a megabyte
_DEFAULTS = neuron_fields.flatten(lola.AtomicNeuron())
ATOMIC_NEURON_MEMBERS = sorted(name for name in dir(lola.AtomicNeuron()) if not name.startswith("_") and name.islower()
                               and any(parameter.startswith(name + "_") for parameter in _DEFAULTS))


def chip_from_targets(chip=0, **targets):
    """A `lola.Chip` whose 512 circuits are calibrated to targets, named as the parameters of CalibHXNeuronCuba (a number or 512).

    chip: seed of the virtual chip, or a VirtualChip; give the same one to setup(). Other targets are the default ones.
    """
    unknown = set(targets) - set(DEFAULT_TARGETS)
    if unknown:
        raise ValueError(f"unknown targets {sorted(unknown)}; known: {', '.join(DEFAULT_TARGETS)}")
    chip = chip_from_seed(chip) if isinstance(chip, int) else chip
    for name, value in targets.items():
        if np.shape(value) not in ((), (N_CIRCUITS,)) or not np.isfinite(value).all():
            raise ValueError(f"target {name}: give a finite number or {N_CIRCUITS} of them, not those of shape {np.shape(value)}")
        if name.startswith("tau_") and np.min(value) <= 0:
            raise ValueError(f"target {name} = {np.min(value):g} us must be positive")
    values = {name: np.array(np.broadcast_to(np.asarray(targets.get(name, value), dtype=float), (N_CIRCUITS,)))
              for name, value in DEFAULT_TARGETS.items()}
    clocks = refractory_clocks(values["tau_refrac"])
    codes = parameters_from_codes(calibrate(values, chip, np.arange(N_CIRCUITS), clocks), clocks)
    configuration = lola.Chip()
    for k in range(N_CIRCUITS):
        own = {name: array[k] for name, array in codes.items()}
        configuration.neuron_block.atomic_neurons[k] = neuron_fields.unflatten({**_DEFAULTS, **own})
    for coordinate in halco.iter_all(halco.CommonNeuronBackendConfigOnDLS):
        backend = configuration.neuron_block.backends[coordinate]
        backend.clock_scale_fast, backend.clock_scale_slow = clocks
        backend.enable_clocks = True
    for coordinate in halco.iter_all(halco.SynapseBlockOnDLS):
        configuration.synapse_blocks[coordinate].i_bias_dac.fill(int(values["synapse_dac_bias"][0]))
    return configuration


def chip_from_nightly():
    """The default calibration of the virtual chip of the running experiment (before setup(): of chip 0)."""
    return chip_from_targets(0 if simulator.state is None else simulator.state.chip)


def chip_from_portable_binary(data):
    """A chip configuration from bytes that `dlens.sta.to_portablebinary` made."""
    dumper = sta.DumperDone()
    sta.from_portablebinary(dumper, data)
    return sta.convert_to_chip(dumper)


def chip_from_file(path):
    """A chip configuration from a file; the path of the nightly calibration stands for `chip_from_nightly()`."""
    path = Path(path)
    if not path.exists() and path.name == nightly_calib_path().name:
        return chip_from_nightly()
    with regular_file(path, _LARGEST) as file:
        return chip_from_portable_binary(file.read())


def get_unique_identifier():
    with hxcomm.ManagedConnection() as connection:
        return connection.get_unique_identifier()


def nightly_calib_path():
    """Where the group keeps the calibration of a chip; here a name only, see chip_from_file."""
    return Path(f"/wang/data/calibration/hicann-dls-sr-hx/{get_unique_identifier()[0]}/stable/latest/spiking_cocolist.pbin")


def nightly_calib_url():
    return f"https://openproject.bioai.eu/data_calibration/hicann-dls-sr-hx/{get_unique_identifier()[0]}/stable/latest/" \
           "spiking_cocolist.pbin"


def get_values_of_atomic_neuron(atomic_neuron, exclude=None):
    """{member_field: value} of a circuit, without the names in `exclude`."""
    return {name: value for name, value in neuron_fields.flatten(atomic_neuron).items() if name not in (exclude or ())}


def decompose_in_member_names(composed_name):
    """('leak', 'v_leak') of 'leak_v_leak'."""
    member = max((m for m in ATOMIC_NEURON_MEMBERS if composed_name.startswith(m + "_")), key=len, default="")
    return member, composed_name[len(member) + 1:] if member else composed_name
