"""Register values and small containers.

Values are whole numbers with a range (see ranged), containers records of them (see container); both only keep what is given.
"""

from ttfs_pynn.brainscales2.dlens.container import Container, Field, NamedValue, TypedArray
from ttfs_pynn.brainscales2.dlens.coordinates import CrossbarOutputOnDLS, NeuronEventOutputOnDLS
from ttfs_pynn.brainscales2.dlens.ranged import Ranged

__all__ = ["BackgroundSpikeSource", "Barrier", "CapMemCell", "CommonNeuronBackendConfig", "Container", "CrossbarOutputConfig",
           "CrossbarOutputEventCounter", "EventRecordingConfig", "MADCControl", "NeuronBackendConfig", "NeuronConfig",
           "SynapseQuad", "SynapseWeightQuad", "SystimeSync", "Timer", "analog_value"]


class _CapMemValue(Ranged, maximum=1022):
    """Code of an analog cell, 10 bit."""

    __qualname__ = "CapMemCell.Value"


class _CapMemDisableRefresh(Ranged, maximum=1023, minimum=1023):
    """The code at which a cell is not refreshed any more: its voltage drifts, its current is off."""

    __qualname__ = "CapMemCell.DisableRefresh"


_ANALOG_VALUES = {code: _CapMemValue(code) for code in range(_CapMemValue.size)} | {1023: _CapMemDisableRefresh()}


def analog_value(value, name="CapMemCell"):
    """The code of an analog cell: a CapMemCell.Value (0 to 1022) or, for 1023, a CapMemCell.DisableRefresh.

    Raises OverflowError for a larger one, TypeError where it is negative or not a whole number.
    """
    if isinstance(value, float) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} cannot be {value!r}; give a whole number from 0 to 1022, or 1023 to switch the cell off")
    number = value.__index__()
    if number not in _ANALOG_VALUES:
        raise (TypeError if number < 0 else OverflowError)(
            f"{name} cannot be {number}; give a whole number from 0 to 1022, or 1023 to switch the cell off")
    return _ANALOG_VALUES[number]


class CapMemCell(Container):
    """A cell of analog memory."""

    Value = _CapMemValue
    DisableRefresh = _CapMemDisableRefresh
    value = Field(analog_value)

    def __init__(self, value=0):
        self.value = value


class NeuronConfig:
    """Types of a neuron circuit's analog settings."""

    class ReadoutSource(NamedValue):
        """The voltage that is read out."""

        membrane, exc_synin, inh_synin, adaptation = range(4)

    class MembraneCapacitorSize(Ranged, maximum=63):
        """Membrane capacitance; 63 is about 2.2 pF, smaller codes in proportion."""


class NeuronBackendConfig:
    """Types of a neuron circuit's digital settings."""

    class AddressOut(Ranged, maximum=255):
        """Lower 8 bit of the address that spikes carry."""

    class InputClock(Ranged, maximum=1):
        """The clock of the refractory counter: 0 slow, 1 fast."""

    class RefractoryTime(Ranged, maximum=255):
        """Refractory time in ticks of the chosen clock."""

    class ResetHoldoff(Ranged, maximum=15):
        """How long before the end of the refractory time the membrane is released."""


class CommonNeuronBackendConfig(Container):
    """The clocks of half the neuron circuits: clock_scale s divides 250 MHz by 2^(s + 1)."""

    class ClockScale(Ranged, maximum=15):
        """Exponent of a clock divider."""

    class WaitGlobalPostPulse(Ranged, maximum=255, default=1):
        """A waiting time."""

    class WaitSpikeCounterReset(Ranged, maximum=255, default=4):
        """A waiting time."""

    class WaitSpikeCounterRead(Ranged, maximum=255, default=112):
        """A waiting time."""

    class WaitFireNeuron(Ranged, maximum=255, default=4):
        """A waiting time."""

    enable_event_registers = Field(bool, True)
    force_reset = Field(bool)
    enable_clocks = Field(bool, True)
    clock_scale_slow = Field(ClockScale)
    clock_scale_fast = Field(ClockScale)
    clock_scale_adaptation_pulse = Field(ClockScale)
    clock_scale_post_pulse = Field(ClockScale)
    sample_positive_edge = Field(TypedArray(NeuronEventOutputOnDLS, bool, True))
    wait_global_post_pulse = Field(WaitGlobalPostPulse)
    wait_spike_counter_reset = Field(WaitSpikeCounterReset)
    wait_spike_counter_read = Field(WaitSpikeCounterRead)
    wait_fire_neuron = Field(WaitFireNeuron)


class CrossbarOutputConfig(Container):
    """Switches of the crossbar outputs."""

    enable_event_counter = Field(TypedArray(CrossbarOutputOnDLS, bool))
    enable_slow = Field(TypedArray(CrossbarOutputOnDLS, bool))


class CrossbarOutputEventCounter:
    """How many events passed an output of the crossbar: `value`."""

    def __init__(self, value=0):
        self.value = int(value)

    def __int__(self):
        return self.value

    def __repr__(self):
        return f"CrossbarOutputEventCounter({self.value})"


class SynapseWeightQuad:
    """Type of synaptic weights."""

    class Value(Ranged, maximum=63):
        """Weight, 6 bit."""


class SynapseQuad:
    """Types of a synapse's settings."""

    Weight = SynapseWeightQuad.Value

    class Label(Ranged, maximum=63):
        """Address that a synapse answers to, 6 bit."""


class BackgroundSpikeSource(Container):
    """Generator of regular or Poisson spikes."""

    class Period(Ranged, maximum=2**16 - 1):
        """Clock cycles between two spikes, or between two draws."""

    class Rate(Ranged, maximum=2**8 - 1):
        """A draw gives a spike with probability (Rate + 1)/256."""

    class Seed(Ranged, maximum=2**32 - 1):
        """Seed of the draws."""

    class Mask(Ranged, maximum=2**8 - 1):
        """Which bits of the spike's address are drawn."""

    enable = Field(bool)
    enable_random = Field(bool)
    period = Field(Period)
    rate = Field(Rate)
    seed = Field(Seed)
    mask = Field(Mask)


class Barrier(Container):
    """What a program waits for."""

    enable_omnibus = Field(bool)
    enable_jtag = Field(bool)
    enable_systime = Field(bool)
    enable_multi_fpga = Field(bool)
    enable_systime_correction = Field(bool)


for _name in ("omnibus", "jtag", "systime", "multi_fpga", "systime_correction"):
    setattr(Barrier, _name, Barrier(**{f"enable_{_name}": True}))


class Timer(Container):
    """The timer of an experiment, in cycles of the controller's clock (125 MHz, 8 ns)."""

    class Value(Ranged, maximum=2**32 - 1):
        """A time in clock cycles."""

    value = Field(Value)

    def __init__(self, value=0):
        self.value = value


Timer.Value.fpga_clock_cycles_per_us = Timer.Value(125)


class SystimeSync(Container):
    """Synchronisation of the clocks of chip and controller."""

    do_sync = Field(bool, True)

    def __init__(self, do_sync=True):
        self.do_sync = do_sync


class EventRecordingConfig(Container):
    """Switch of event recording."""

    enable_event_recording = Field(bool)


class MADCControl(Container):
    """Control of the fast analog-to-digital converter."""

    enable_iconv_amplifier = Field(bool)
    enable_pre_amplifier = Field(bool)
    enable_continuous_sampling = Field(bool)
    enable_power_down_after_sampling = Field(bool)
    stop_recording = Field(bool)
    start_recording = Field(bool)
    wake_up = Field(bool)
