"""Coordinates of the circuits of the chip.

The names and ranges are those of the vendor's halco library.
"""

from ttfs_pynn.brainscales2.dlens.ranged import Coordinate


class HemisphereOnDLS(Coordinate, maximum=1):
    """Upper or lower half of the chip."""


HemisphereOnDLS.top, HemisphereOnDLS.bottom = HemisphereOnDLS(0), HemisphereOnDLS(1)


class CapMemBlockOnDLS(Coordinate, maximum=3):
    """One of the four blocks of analog memory."""


class CapMemBlockOnHemisphere(Coordinate, maximum=1):
    """A block of analog memory within its half."""


class CommonNeuronBackendConfigOnDLS(Coordinate, maximum=1):
    """The digital backend of half the columns."""


class NeuronEventOutputOnDLS(Coordinate, maximum=7):
    """One of the outputs by which neurons reach the crossbar; 32 columns share one."""


class SynapseOnSynapseRow(Coordinate, maximum=255):
    """A synapse within its row."""


class SynramOnDLS(Coordinate, maximum=1):
    """The synapse array of a half."""


class SynapseBlockOnDLS(Coordinate, maximum=1):
    """The synapse array of a half and what belongs to it."""


class SynapseRowOnSynram(Coordinate, maximum=255):
    """A row within its synapse array."""


class SynapseWeightRowOnDLS(Coordinate, grid=(SynapseRowOnSynram, SynramOnDLS)):
    """The weights of one row of synapses."""


class SynapseRowOnDLS(Coordinate, grid=(SynapseRowOnSynram, SynramOnDLS)):
    """One row of synapses; the running number counts array by array."""

    def toSynapseRowOnSynram(self):
        return self.x()

    def toSynramOnDLS(self):
        return self.y()

    def toSynapseWeightRowOnDLS(self):
        return SynapseWeightRowOnDLS(int(self))


class NeuronRowOnDLS(Coordinate, maximum=1):
    """Row of neuron circuits."""


NeuronRowOnDLS.top, NeuronRowOnDLS.bottom = NeuronRowOnDLS(0), NeuronRowOnDLS(1)


class NeuronColumnOnDLS(Coordinate, maximum=255):
    """Column of neuron circuits."""

    def toSynapseOnSynapseRow(self):
        return SynapseOnSynapseRow(int(self))

    def toNeuronEventOutputOnDLS(self):
        return NeuronEventOutputOnDLS(int(self) // (NeuronColumnOnDLS.size // NeuronEventOutputOnDLS.size))


class AtomicNeuronOnDLS(Coordinate, grid=(NeuronColumnOnDLS, NeuronRowOnDLS)):
    """One of the 512 neuron circuits: 0 to 255 are the upper row, 256 to 511 the lower one."""

    def toNeuronColumnOnDLS(self):
        return self.x()

    def toNeuronRowOnDLS(self):
        return self.y()

    def toSynramOnDLS(self):
        return SynramOnDLS(int(self.y()))

    def toCommonNeuronBackendConfigOnDLS(self):
        """The backend that clocks this circuit: one serves the left columns of both rows, one the right ones."""
        columns = NeuronColumnOnDLS.size // CommonNeuronBackendConfigOnDLS.size
        return CommonNeuronBackendConfigOnDLS(int(self.x()) // columns)


class PADIBusOnPADIBusBlock(Coordinate, maximum=3):
    """One of the four event buses into a synapse array."""


class PadOnDLS(Coordinate, maximum=1):
    """Analog output pad."""


class CrossbarOutputOnDLS(Coordinate, maximum=11):
    """Output of the event crossbar: 0 to 7 into the synapse arrays, 8 to 11 off the chip."""


class CrossbarOutputConfigOnDLS(Coordinate, maximum=0):
    """The settings of all crossbar outputs."""


class BackgroundSpikeSourceOnDLS(Coordinate, maximum=7):
    """Generator of regular or Poisson spikes on the chip."""


class ChipOnDLS(Coordinate, maximum=0):
    """The whole chip."""


class TimerOnDLS(Coordinate, maximum=0):
    """The timer of the experiment."""


class BarrierOnFPGA(Coordinate, maximum=0):
    """The place where a program waits for others."""


class SystimeSyncOnFPGA(Coordinate, maximum=0):
    """The synchronisation of the clocks of chip and controller."""


class EventRecordingConfigOnFPGA(Coordinate, maximum=0):
    """The switch of event recording."""


class MADCControlOnDLS(Coordinate, maximum=0):
    """The control of the fast analog-to-digital converter."""


class MADCConfigOnDLS(Coordinate, maximum=0):
    """The settings of the fast analog-to-digital converter."""


__all__ = [name for name, value in list(globals().items()) if isinstance(value, type) and value.__module__ == __name__]
