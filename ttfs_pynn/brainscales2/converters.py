"""What the chip's two analog-to-digital converters make of a trace.

The MADC (10 bit) takes a sample each 34 ns of one neuron, or by turns of one with an even and one with an odd number. The CADC (8
bit) takes one each 1.7 us of every neuron, the first 100 of a run. A voltage v in LSB of the CADC reads 2.95 v + 88 on the MADC
(figures of the BrainScaleS-2 demos); the voltages of the synaptic inputs are pulled down by an event.
"""

import numpy as np

__all__ = ["CADC_INTERVAL", "CADC_SAMPLES", "MADC_INTERVAL", "cadc_values", "madc_values", "synaptic_voltage"]

MADC_INTERVAL = 0.034  # us
CADC_INTERVAL = 1.7
CADC_SAMPLES = 100
ADAPTATION_VOLTAGE = 140.0  # LSB of the CADC: this circuit is not emulated and shows its reference
_SYNAPTIC_REST, _SYNAPTIC_DROP = 200.0, 10.0  # LSB of the CADC; the drop of weight 63 at a DAC bias of 600. A guess


def synaptic_voltage(current, gain, dac_bias):
    """Voltage (LSB of the CADC) of a synaptic input whose current (LSB/us) jumps by `gain` an LSB of weight."""
    weight = np.divide(np.abs(current), gain, out=np.zeros_like(current), where=gain > 0)
    return _SYNAPTIC_REST - _SYNAPTIC_DROP * weight / 63.0 * dac_bias / 600.0


def madc_values(v, noise, rng):
    return np.clip(np.round(2.95 * v + 88.0 + noise * rng.standard_normal(v.shape)), 0, 1023)


def cadc_values(v, offset, noise, rng):
    return np.clip(np.round(v + offset + noise * rng.standard_normal(v.shape)), 0, 255)
