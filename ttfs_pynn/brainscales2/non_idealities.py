"""How the emulated chip differs from equations: every deviation with its size, in one table. `NonIdealities.off()` has none.

Sizes are those of public sources where there are any (third column of `table`), else guesses that are marked so. Voltages are in
LSB of the CADC (8 bit), in which calibration targets are given; relative spreads are standard deviations of a factor.
"""

import math
from dataclasses import dataclass, field, fields, replace
from numbers import Real

__all__ = ["NonIdealities"]

_CALIBRATION_FILE = "spread of the codes in a calibration of the paper's release (fastAndDeep v1.0.0)"
_CALIX = "bounds in calix' tests of calibrated neurons"
_DEMOS = "figures of the BrainScaleS-2 demos"
_MODEL = "substrate model of the paper's authors (yin_yang_hwAware.yaml)"
_GUESS = "a guess"


def _entry(default, unit, what, source):
    return field(default=default, metadata={"unit": unit, "what": what, "source": source})


@dataclass(frozen=True)
class NonIdealities:
    """Switches and sizes; 0 or False is off. `replace(NonIdealities(), event_loss=0)` changes one."""

    # Before calibration: what a code means differs from circuit to circuit.
    raw_leak: float = _entry(39.0, "codes", "offset of v_leak", _CALIBRATION_FILE)
    raw_reset: float = _entry(37.0, "codes", "offset of v_reset", _CALIBRATION_FILE)
    raw_threshold: float = _entry(20.0, "codes", "offset of v_threshold", _CALIBRATION_FILE)
    raw_tau_m: float = _entry(0.13, "relative", "membrane time constant", _CALIBRATION_FILE)
    raw_tau_syn: float = _entry(0.22, "relative", "synaptic time constants", _CALIBRATION_FILE)
    raw_gain: float = _entry(0.10, "relative", "strength of synaptic inputs", _CALIBRATION_FILE)
    # What a calibration leaves, which measures with noise and sets codes of 10 bits.
    residual_leak: float = _entry(1.0, "LSB", "leak potential after calibration", _DEMOS)
    residual_reset: float = _entry(1.0, "LSB", "reset potential after calibration", _CALIX)
    residual_threshold: float = _entry(1.4, "LSB", "threshold after calibration: 3.1 % of v_thresh - v_rest", _MODEL)
    residual_tau_m: float = _entry(0.04, "relative", "membrane time constant after calibration", _CALIX)
    residual_tau_syn: float = _entry(0.04, "relative", "synaptic time constants after calibration", _CALIX)
    residual_gain: float = _entry(0.03, "relative", "strength of synaptic inputs after calibration", _DEMOS)
    code_resolution: bool = _entry(True, "", "voltages and currents are codes of 10 bits", "haldls, CapMemCell")
    threshold_offset: float = _entry(0.0, "LSB", "shift of every threshold", "not separable from the strength of inputs")
    # From run to run and spike to spike.
    trial_threshold: float = _entry(0.7, "LSB", "threshold of each neuron, anew in each run: 1.5 % of v_thresh - v_rest", _MODEL)
    spike_jitter: float = _entry(60.0, "ns", "time of each spike of a neuron: 0.01 tau_syn of 6 us", _MODEL)
    # The way of events.
    serial_input: bool = _entry(True, "", "the FPGA sends one event each 8 ns", "grenade, one packet an event; else inferred")
    latency: float = _entry(50.0, "ns", "of each transfer: to a neuron, between neurons, to the recording", _GUESS)
    event_loss: float = _entry(0.002, "probability", "of input events that had to wait for a free slot", _GUESS)
    start_at_reset: bool = _entry(True, "", "a run begins 1 us after a reset of all neurons", "grenade, realtime executor")
    # The converters.
    madc_noise: float = _entry(1.2, "LSB", "noise of a sample of the MADC (10 bit)", _DEMOS)
    cadc_noise: float = _entry(0.7, "LSB", "noise of a sample of the CADC (8 bit)", _GUESS)
    cadc_offset: float = _entry(1.0, "LSB", "offset of a column's CADC after calibration", _GUESS)

    def __post_init__(self):
        for entry in fields(self):
            value = getattr(self, entry.name)
            if entry.metadata["unit"] == "":
                if not isinstance(value, bool):
                    raise ValueError(f"{entry.name} = {value!r} is a switch; give True or False")
                continue
            number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
            if not number or (value < 0 and entry.name != "threshold_offset"):
                allowed = "a finite number" if entry.name == "threshold_offset" else "a finite size, zero or more,"
                raise ValueError(f"{entry.name} = {value!r} must be {allowed} in {entry.metadata['unit']}")
        if self.event_loss >= 1:
            raise ValueError(f"event_loss = {self.event_loss} is a probability; give a number below 1")

    @classmethod
    def off(cls):
        """None of them: what remains are the chip's interface (integer weights, time stamps of 8 ns) and its equations."""
        return cls(**{entry.name: False if entry.metadata["unit"] == "" else 0.0 for entry in fields(cls)})

    def without_mismatch(self):
        """The same chip with all circuits alike; noise from run to run and of events stays."""
        return replace(self, **{entry.name: 0.0 for entry in fields(self) if entry.name.startswith(("raw_", "residual_"))})

    def table(self):
        """All of it as text, a line each: name, size, unit, what it is, source."""
        rows = [(entry.name, "on" if (value := getattr(self, entry.name)) is True else "off" if value is False else f"{value:g}",
                 entry.metadata["unit"], entry.metadata["what"], entry.metadata["source"]) for entry in fields(self)]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        return "\n".join("  ".join([*map(str.ljust, row[:4], widths), row[4]]) for row in rows)
