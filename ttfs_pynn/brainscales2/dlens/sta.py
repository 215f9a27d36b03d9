"""Programs for the chip as scripts build them: lists of what is written and read. Nothing here executes them.

A dumped program can be kept as bytes and read back; the format is this package's own (JSON behind a heading), and files that
the vendor's library wrote are not read.
"""

import copy
import json
from dataclasses import dataclass, field

from ttfs_pynn.brainscales2.dlens import hal, halco, lola
from ttfs_pynn.brainscales2.dlens.ranged import Coordinate

__all__ = ["AbsoluteTimePlaybackProgramBuilder", "ContainerTicket", "DumperDone", "PlaybackProgram", "PlaybackProgramBuilder",
           "PlaybackProgramBuilderDumper", "convert_to_builder", "convert_to_chip", "from_json", "from_portablebinary", "run",
           "to_json", "to_portablebinary"]

_HEADING = b"ttfs_pynn BrainScaleS-2 configuration 1\n"


@dataclass
class DumperDone:
    """What a program writes: pairs of coordinate and container, in order."""

    values: list = field(default_factory=list)

    def tolist(self):
        """A copy of the pairs."""
        return list(self.values)


class ContainerTicket:
    """Stands for a result that only a chip could give."""

    valid = False

    def __init__(self, coordinate):
        self.coordinate = coordinate

    def get(self):
        raise NotImplementedError(f"{self.coordinate!r} was never read: programs are kept, not executed, in this emulation")


@dataclass
class PlaybackProgram:
    """A finished program: (instruction, coordinate, what) in order."""

    instructions: list


class PlaybackProgramBuilder:
    """Keeps what is written, read and waited for, in order."""

    def __init__(self):
        self.instructions = []

    def write(self, coordinate, container, *options):
        """Write a copy of the container to the coordinate; `options`, as the vendor's choice of backend, are unused."""
        self.instructions.append(("write", _as_coordinate(coordinate), copy.deepcopy(container)))

    def read(self, coordinate, *options):
        """Returns a ContainerTicket, whose get() raises NotImplementedError."""
        self.instructions.append(("read", _as_coordinate(coordinate), None))
        return ContainerTicket(coordinate)

    def block_until(self, coordinate, condition):
        """Wait for a time (hal.Timer.Value) or a hal.Barrier."""
        self.instructions.append(("block_until", _as_coordinate(coordinate), condition))

    def merge_back(self, other):
        """Append what another builder holds, and empty that one."""
        self.copy_back(other)
        other.instructions.clear()

    def copy_back(self, other):
        """Append what another builder holds."""
        self.instructions.extend(other.instructions)

    def empty(self):
        """Whether nothing is in it."""
        return not self.instructions

    def done(self):
        """The finished program; the builder is empty afterwards."""
        program, self.instructions = PlaybackProgram(self.instructions), []
        return program


class PlaybackProgramBuilderDumper(PlaybackProgramBuilder):
    """A builder whose program is for keeping, not for running."""

    def done(self):
        """The DumperDone of what was written; the builder is empty afterwards."""
        program = super().done()
        return DumperDone([(coordinate, what) for kind, coordinate, what in program.instructions if kind == "write"])


class AbsoluteTimePlaybackProgramBuilder:
    """Keeps what is written and read at which time (hal.Timer.Value, cycles of 8 ns since the experiment began)."""

    def __init__(self):
        self.instructions = []

    def write(self, time, coordinate, container):
        """Write a copy of the container to the coordinate at that time."""
        self.instructions.append((hal.Timer.Value(time), "write", _as_coordinate(coordinate), copy.deepcopy(container)))

    def read(self, time, coordinate):
        """Returns a ContainerTicket, whose get() raises NotImplementedError."""
        self.instructions.append((hal.Timer.Value(time), "read", _as_coordinate(coordinate), None))
        return ContainerTicket(coordinate)

    def merge(self, other):
        """Add what another builder holds, and empty that one."""
        self.copy(other)
        other.instructions.clear()

    def copy(self, other):
        """Add what another builder holds."""
        self.instructions.extend(other.instructions)

    def empty(self):
        """Whether nothing is in it."""
        return not self.instructions


def run(connection, program):
    """Raises NotImplementedError: there is no chip at the other end."""
    raise NotImplementedError("programs are kept, not executed, in this emulation; describe the experiment with PyNN")


def convert_to_chip(dumper_done, previous=None):
    """The lola.Chip that a program leaves, on top of `previous` (default: a new chip).

    Raises ValueError for a write to what is no part of lola.Chip here.
    """
    chip = lola.Chip() if previous is None else copy.deepcopy(previous)
    parts = {halco.AtomicNeuronOnDLS: lambda: chip.neuron_block.atomic_neurons,
             halco.CommonNeuronBackendConfigOnDLS: lambda: chip.neuron_block.backends,
             halco.BackgroundSpikeSourceOnDLS: lambda: chip.background_spike_sources,
             halco.SynapseBlockOnDLS: lambda: chip.synapse_blocks}
    for coordinate, container in dumper_done.values:
        if isinstance(coordinate, halco.ChipOnDLS):
            chip = copy.deepcopy(container)
        elif isinstance(coordinate, halco.CrossbarOutputConfigOnDLS):
            chip.crossbar = container
        elif type(coordinate) in parts:
            parts[type(coordinate)]()[coordinate] = container
        else:
            raise ValueError(f"{coordinate!r} is no part of a chip here; write ChipOnDLS, CrossbarOutputConfigOnDLS or one of "
                             f"{', '.join(part.__name__ for part in parts)}")
    return chip


def convert_to_builder(dumper_done):
    """A PlaybackProgramBuilder that writes the same."""
    builder = PlaybackProgramBuilder()
    for coordinate, container in dumper_done.values:
        builder.write(coordinate, container)
    return builder


def to_json(dumper_done):
    """What a program writes as JSON text."""
    return json.dumps([{"coordinate": type(coordinate).__name__, "number": int(coordinate),
                        "container": type(container).__name__, "values": container.state()}
                       for coordinate, container in dumper_done.values])


def from_json(dumper_done, text):
    """Read the text of to_json() into a DumperDone. Raises ValueError for any other text."""
    try:
        values = []
        for entry in json.loads(text):
            module = lola if hasattr(lola, entry["container"]) else hal
            kind, coordinate = getattr(module, entry["container"]), getattr(halco, entry["coordinate"])
            # A text names classes: only those that hold settings may be called.
            if not (isinstance(kind, type) and hasattr(kind, "set_state") and issubclass(coordinate, Coordinate)):
                raise ValueError(f"{entry['container']} at {entry['coordinate']}")
            container = kind()
            container.set_state(entry["values"])
            values.append((coordinate(entry["number"]), container))
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"this is no configuration that to_json or to_portablebinary wrote: {error}") from error
    dumper_done.values = values


def to_portablebinary(dumper_done):
    """What a program writes as bytes; from_portablebinary reads them back."""
    return _HEADING + to_json(dumper_done).encode()


def from_portablebinary(dumper_done, data):
    """Read the bytes of to_portablebinary() into a DumperDone. Raises ValueError for bytes of any other origin."""
    if not bytes(data).startswith(_HEADING):
        raise ValueError("these bytes were not written by to_portablebinary of ttfs_pynn; configurations that the vendor's "
                         "library wrote belong to a chip and cannot be read here. Use helper.chip_from_nightly() instead")
    from_json(dumper_done, bytes(data)[len(_HEADING):].decode())


def _as_coordinate(coordinate):
    if not isinstance(coordinate, Coordinate):
        raise TypeError(f"cannot address {coordinate!r}; give a coordinate of halco")
    return coordinate
