"""The settings of one neuron circuit."""

from ttfs_pynn.brainscales2.dlens import hal
from ttfs_pynn.brainscales2.dlens.container import Container, Field, NamedValue

__all__ = ["AtomicNeuron"]


class _Conductance(Container):
    i_bias = Field(hal.analog_value)
    enable_degeneration = Field(bool)
    enable_division = Field(bool)
    enable_multiplication = Field(bool)


class AtomicNeuron(Container):
    """The settings of one neuron circuit, grouped by what they act on.

    Voltages (v_...) and bias currents (i_...) are codes from 0 to 1022; 1023 switches the cell off. A new circuit is silent: its
    codes are 0, its threshold and synaptic inputs are off.
    """

    class SynapticInput(Container):
        """A synaptic input: time constant (i_bias_tau), strength (i_bias_gm) and offset (i_shift_reference)."""

        enable = Field(bool)
        i_bias_tau = Field(hal.analog_value)
        i_bias_coba = Field(hal.analog_value)
        i_shift_reference = Field(hal.analog_value)
        i_bias_gm = Field(hal.analog_value)
        v_rev_coba = Field(hal.analog_value)
        enable_small_capacitance = Field(bool, True)
        enable_high_resistance = Field(bool)
        enable_coba_mode = Field(bool)

    class Leak(_Conductance):
        """Conductance (i_bias, divided or multiplied by 8) towards v_leak."""

        v_leak = Field(hal.analog_value)

    class Reset(_Conductance):
        """Conductance towards v_reset during the refractory time."""

        v_reset = Field(hal.analog_value)

    class Threshold(Container):
        """The voltage at which the circuit spikes, if enabled."""

        enable = Field(bool)
        v_threshold = Field(hal.analog_value)

    class Multicompartment(Container):
        """Connections to other circuits: directly, or by a conductance (i_bias_nmda, divided or multiplied by 4)."""

        connect_soma = Field(bool)
        connect_soma_right = Field(bool)
        connect_right = Field(bool)
        connect_vertical = Field(bool)
        enable_conductance = Field(bool)
        enable_conductance_division = Field(bool)
        enable_conductance_multiplication = Field(bool)
        i_bias_nmda = Field(hal.analog_value)

    class ConstantCurrent(Container):
        """A constant current onto (source) or from (sink) the membrane."""

        class Type(NamedValue):
            source, sink = range(2)

        enable = Field(bool)
        i_offset = Field(hal.analog_value)
        type = Field(Type)

    class MembraneCapacitance(Container):
        """The membrane's capacitance."""

        CapacitorSize = hal.NeuronConfig.MembraneCapacitorSize
        capacitance = Field(CapacitorSize)

    class Adaptation(Container):
        """The adaptation current of an AdEx neuron."""

        enable = Field(bool)
        enable_pulse = Field(bool)
        invert_a = Field(bool)
        invert_b = Field(bool)
        v_ref = Field(hal.analog_value)
        i_bias_tau = Field(hal.analog_value)
        i_bias_a = Field(hal.analog_value)
        i_bias_b = Field(hal.analog_value)
        v_leak = Field(hal.analog_value)

    class Exponential(Container):
        """The exponential term of an AdEx neuron."""

        enable = Field(bool)
        v_exp = Field(hal.analog_value)
        i_bias = Field(hal.analog_value)

    class EventRouting(Container):
        """What makes spikes (the analog part, or inputs that bypass it), and whether they are sent out."""

        Address = hal.NeuronBackendConfig.AddressOut

        class AnalogOutputMode(NamedValue):
            off, normal, strong = range(3)

        analog_output = Field(AnalogOutputMode)
        enable_digital = Field(bool)
        enable_bypass_excitatory = Field(bool)
        enable_bypass_inhibitory = Field(bool)
        address = Field(Address)
        enable_post_overwrite = Field(bool)

    class Readout(Container):
        """Which voltage is read out, and how."""

        Source = hal.NeuronConfig.ReadoutSource
        enable_buffered_access = Field(bool)
        enable_amplifier = Field(bool)
        enable_unbuffered_access = Field(bool)
        source = Field(Source)

    class RefractoryPeriod(Container):
        """Refractory time in ticks of the chosen clock of the backend."""

        InputClock = hal.NeuronBackendConfig.InputClock
        ResetHoldoff = hal.NeuronBackendConfig.ResetHoldoff
        RefractoryTime = hal.NeuronBackendConfig.RefractoryTime
        input_clock = Field(InputClock)
        reset_holdoff = Field(ResetHoldoff)
        refractory_time = Field(RefractoryTime)
        enable_pause = Field(bool)

    class Bayesian(Container):
        """Logic between the spikes of neighbouring circuits."""

        class Operation(NamedValue):
            local, AND, XNOR, MULLER_C = range(4)

        to_post_pulse = Field(bool, True)
        operation = Field(Operation)
        connect_fire_vertical = Field(bool)
        connect_fire_to_right = Field(bool)
        connect_fire_from_right = Field(bool)
        enable_master = Field(bool)
        enable_slave = Field(bool)

    excitatory_input = Field(SynapticInput)
    inhibitory_input = Field(SynapticInput)
    leak = Field(Leak)
    reset = Field(Reset)
    threshold = Field(Threshold)
    multicompartment = Field(Multicompartment)
    constant_current = Field(ConstantCurrent)
    membrane_capacitance = Field(MembraneCapacitance)
    adaptation = Field(Adaptation)
    exponential = Field(Exponential)
    event_routing = Field(EventRouting)
    readout = Field(Readout)
    refractory_period = Field(RefractoryPeriod)
    bayesian = Field(Bayesian)


_routing = AtomicNeuron.EventRouting
_routing.disabled = _routing()
_routing.enabled = _routing(analog_output=_routing.AnalogOutputMode.normal, enable_digital=True)
_routing.bypass_exc = _routing(enable_bypass_excitatory=True)
_routing.bypass_inh = _routing(enable_bypass_inhibitory=True)
