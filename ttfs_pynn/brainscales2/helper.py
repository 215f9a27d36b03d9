"""Calibrated chip configurations, and the names of a circuit's parameters."""

from pathlib import Path

from ttfs_pynn.brainscales2 import neuron_fields, simulator
from ttfs_pynn.brainscales2.chip import chip_from_seed, default_chip
from ttfs_pynn.brainscales2.dlens import hxcomm, lola, sta
from ttfs_pynn.brainscales2.targets import adapter_targets, configuration_of
from ttfs_pynn.files.sealed import regular_file

__all__ = ["ATOMIC_NEURON_MEMBERS", "chip_from_file", "chip_from_nightly", "chip_from_portable_binary", "chip_from_targets",
           "decompose_in_member_names", "get_unique_identifier", "get_values_of_atomic_neuron", "nightly_calib_path",
           "nightly_calib_url"]

_LARGEST = 2**26  # bytes of a file; one chip has about a megabyte
_DEFAULTS = neuron_fields.flatten(lola.AtomicNeuron())
ATOMIC_NEURON_MEMBERS = sorted(name for name in dir(lola.AtomicNeuron()) if not name.startswith("_") and name.islower()
                               and any(parameter.startswith(name + "_") for parameter in _DEFAULTS))


def chip_from_targets(chip=None, **targets):
    """A `lola.Chip` whose 512 circuits are calibrated to targets: a number, or 512 of them, with a unit or without.

    Names are those of the parameters of CalibHXNeuronCuba, or those of calix (`targets.CALIX_NAMES`): tau_m or tau_mem, in us.
    chip: seed of the virtual chip, or a VirtualChip; give the same one to setup(). Other targets are the default ones.
    """
    chip = default_chip() if chip is None else chip
    return configuration_of(adapter_targets(targets), chip_from_seed(chip) if isinstance(chip, int) else chip)


def chip_from_nightly():
    """The default calibration of the virtual chip of the running experiment; before setup() of the default chip."""
    return chip_from_targets(None if simulator.state is None else simulator.state.chip)


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
