"""A neuron circuit's settings as one flat dictionary: the parameters of the cell type HXNeuron."""

from ttfs_pynn.brainscales2.dlens import hal
from ttfs_pynn.brainscales2.dlens.container import NamedValue
from ttfs_pynn.brainscales2.dlens.lola import AtomicNeuron

__all__ = ["NOT_CONFIGURABLE", "defaults", "flatten", "member_and_field", "unflatten"]

NOT_CONFIGURABLE = ("event_routing_analog_output", "event_routing_enable_digital", "leak_reset_i_bias_source_follower",
                    "readout_enable_amplifier", "readout_enable_buffered_access", "readout_i_bias", "readout_source")
"""Names that the cell type keeps to itself: the adapter sets what they stand for from what is connected and recorded."""

_FIELDS = {f"{member}_{name}": (member, name, field.kind, field.default)
           for member, part in sorted(AtomicNeuron.fields.items()) for name, field in sorted(part.kind.fields.items())}


def _known_values(kind):
    """{number: what a field of this kind stores}: a look-up is ten times faster than a check."""
    if kind is hal.analog_value:
        return {code: kind(code) for code in range(1024)}
    return {int(value): value for value in (kind if issubclass(kind, NamedValue) else map(kind, range(kind.size)))}


_KNOWN = {kind: _known_values(kind) for kind in {field[2] for field in _FIELDS.values()} - {bool}}


def flatten(atomic_neuron, exclude=()):
    """{"adaptation_enable": False, ..., "leak_v_leak": 668.0, ...}: every field of every member, "<member>_<field>".

    Switches are bool, codes and the numbers of named settings float. The order is always the same. Names in `exclude`, for
    example NOT_CONFIGURABLE, are left out.
    """
    members = {name: vars(getattr(atomic_neuron, name)) for name in AtomicNeuron.fields}
    values = {}
    for key, (member, name, kind, default) in _FIELDS.items():
        value = members[member].get(name, default)
        values[key] = value if kind is bool else float(value)
    for key in exclude:
        values.pop(key, None)
    return values


def unflatten(values):
    """The AtomicNeuron that flatten() gave the dictionary of; what is missing has its default. Fractions are cut off.

    Raises KeyError for a name that no circuit has, OverflowError for too large and TypeError for negative values.
    """
    neuron = AtomicNeuron()
    members = {name: vars(getattr(neuron, name)) for name in AtomicNeuron.fields}
    for key, value in values.items():
        try:
            member, name, kind, _ = _FIELDS[key]
        except KeyError:
            raise KeyError(f"no neuron circuit has {key!r}; see flatten(AtomicNeuron()) for the names") from None
        if kind is bool:
            members[member][name] = bool(value)
            continue
        stored = _KNOWN[kind].get(value)
        members[member][name] = _checked(key, kind, value) if stored is None else stored
    return neuron


def _checked(key, kind, value):
    number = int(value)
    if number in _KNOWN[kind]:
        return _KNOWN[kind][number]
    raise (TypeError if number < 0 else OverflowError)(f"{key} cannot be {value!r}; give a whole number "
                                                       f"from 0 to {max(_KNOWN[kind])}")


def defaults():
    """The settings of a new, silent circuit, without NOT_CONFIGURABLE: the default parameters of the cell type."""
    return flatten(AtomicNeuron(), NOT_CONFIGURABLE)


def member_and_field(name):
    """("leak", "v_leak") for "leak_v_leak"; raises KeyError for a name that no circuit has."""
    try:
        return _FIELDS[name][:2]
    except KeyError:
        raise KeyError(f"no neuron circuit has {name!r}; see flatten(AtomicNeuron()) for the names") from None
