"""The leaky integrate-and-fire neuron of the learning rule, and its response to one input spike."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ttfs_pynn.units import in_unit

__all__ = ["LIFParameters"]

_UNITS = {"ta": "ms", "cm": "nF", "v_": "mV"}  # by the first letters


@dataclass(frozen=True)
class LIFParameters:
    """Current-based LIF neuron with exponential synapses, PyNN's IF_curr_exp with one synaptic time constant:

        cm dv/dt = -(cm/tau_m) (v - v_rest) + I(t),      dI/dt = -I/tau_syn,      I jumps by w (nA) at an input spike,

    and v starts at v_rest. Where v reaches v_thresh the neuron spikes and is held at v_reset (default v_rest) for tau_refrac
    (default inf: only first spikes matter here; a network sets it from its presentation).

    Every value is a float or an array with one value a neuron: tau_m (ms, may be inf: no leak), tau_syn (ms), cm (nF),
    v_rest, v_thresh, v_reset (mV), tau_refrac (ms); or a quantity in another unit of the kind. Raises ValueError where a value
    is outside what is allowed.
    """

    tau_m: float | np.ndarray = 10.0
    tau_syn: float | np.ndarray = 10.0
    cm: float | np.ndarray = 1.0
    v_rest: float | np.ndarray = -65.0
    v_thresh: float | np.ndarray = -50.0
    v_reset: float | np.ndarray | None = None
    tau_refrac: float | np.ndarray = np.inf

    def __post_init__(self) -> None:
        if self.v_reset is None:
            object.__setattr__(self, "v_reset", self.v_rest)
        for field in fields(self):
            value = in_unit(getattr(self, field.name), _UNITS[field.name[:2]], field.name)
            if np.asarray(value).dtype == bool:
                raise ValueError(f"{field.name} = {value} must be a number")
            array = np.array(value, dtype=float)
            if array.ndim > 1:
                raise ValueError(f"{field.name} has shape {array.shape}; give a number or one number a neuron")
            if np.isnan(array).any():
                raise ValueError(f"{field.name} is not a number (NaN); give finite values")
            array.flags.writeable = False
            object.__setattr__(self, field.name, float(array) if array.ndim == 0 else array)
        for name in ("tau_m", "tau_syn", "cm"):
            self._require(name, np.asarray(getattr(self, name)) > 0, "positive")
        for name in ("tau_syn", "cm", "v_rest", "v_thresh", "v_reset"):
            self._require(name, np.isfinite(getattr(self, name)), "finite")
        self._require("tau_refrac", np.asarray(self.tau_refrac) >= 0, "zero or more")
        self._require("v_thresh", np.asarray(self.v_thresh) > self.v_rest, "above v_rest: else the neuron fires without input")
        self._require("v_reset", np.asarray(self.v_reset) < self.v_thresh, "below v_thresh")

    def _require(self, name: str, allowed: ArrayLike, text: str) -> None:
        if not np.all(allowed):
            raise ValueError(f"{name} = {getattr(self, name)} must be {text}")

    @classmethod
    def from_pynn(cls, **parameters: Any) -> Self:
        """From IF_curr_exp's parameters (names of PyNN, numbers or arrays); tau_syn_E and tau_syn_I must be equal, i_offset 0."""
        missing = {"tau_syn_E", "tau_syn_I"} - set(parameters)
        if missing:
            raise ValueError(f"{', '.join(sorted(missing))} missing; give IF_curr_exp's parameters under PyNN's names")
        tau_exc, tau_inh = np.asarray(parameters.pop("tau_syn_E")), np.asarray(parameters.pop("tau_syn_I"))
        if np.any(tau_exc != tau_inh):
            raise ValueError(f"tau_syn_E = {tau_exc} and tau_syn_I = {tau_inh} differ; first-spike learning needs them equal")
        if np.any(parameters.pop("i_offset", 0.0)):
            raise ValueError("i_offset must be 0: first-spike learning starts from the resting potential")
        return cls(tau_syn=tau_exc, **parameters)

    def to_pynn(self) -> dict[str, Any]:
        """Keyword arguments for IF_curr_exp."""
        return {"tau_m": self.tau_m, "tau_syn_E": self.tau_syn, "tau_syn_I": self.tau_syn, "cm": self.cm, "v_rest": self.v_rest,
                "v_reset": self.v_reset, "v_thresh": self.v_thresh, "tau_refrac": self.tau_refrac, "i_offset": 0.0}

    @property
    def threshold(self) -> Any:
        """v_thresh - v_rest (mV)."""
        return np.subtract(self.v_thresh, self.v_rest)[()]

    @property
    def current_scale(self) -> Any:
        """cm (v_thresh - v_rest) / tau_syn (nA): weights in units of it are the paper's, whose theta = g_l = tau_syn = 1.

        A single input of weight e reaches threshold where tau_m = tau_syn.
        """
        return (self.cm * self.threshold / self.tau_syn)

    def columns(self, n: int) -> tuple[np.ndarray, ...]:
        """tau_m, tau_syn, cm, threshold as arrays of length n."""
        values = (self.tau_m, self.tau_syn, self.cm, self.threshold)
        try:
            return tuple(np.array(np.broadcast_to(np.asarray(value, dtype=float), (n,))) for value in values)
        except ValueError:
            shapes = sorted({np.shape(value) for value in values} - {()})
            raise ValueError(f"neuron parameters of shape {shapes} do not fit {n} neurons") from None

    def one(self, n: int) -> "LIFParameters":
        """The parameters of neuron n alone."""
        return self.part(n)

    def part(self, chosen: int | np.ndarray) -> "LIFParameters":
        """The parameters of the neurons with these numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return LIFParameters(**{name: value[chosen] if np.ndim(value) else value for name, value in values.items()})

    def kernel(self, s: ArrayLike) -> np.ndarray:
        """Membrane response K(s) in mV/nA to one input of weight 1 nA at s = 0 (s in ms, 0 for s < 0).

            K(s) = (1/cm) (exp(-s/tau_m) - exp(-s/tau_syn)) / (1/tau_syn - 1/tau_m),   (s/cm) exp(-s/tau) for equal constants
        """
        s = np.asarray(s, dtype=float)
        after = np.maximum(s, 0.0)
        rate_m, rate_s = 1 / np.asarray(self.tau_m), 1 / np.asarray(self.tau_syn)
        difference = np.abs(rate_s - rate_m)
        safe = np.where(difference == 0, 1.0, difference)
        rise = np.where(difference == 0, after, -np.expm1(-safe * after) / safe)
        return np.where(s > 0, np.exp(-np.minimum(rate_m, rate_s) * after) * rise / self.cm, 0.0)

    def kernel_derivative(self, s: ArrayLike) -> np.ndarray:
        """K'(s) in mV/(nA ms) = exp(-s/tau_syn)/cm - K(s)/tau_m for s > 0, else 0."""
        s = np.asarray(s, dtype=float)
        after = np.maximum(s, 0.0)
        return np.where(s > 0, np.exp(-after / self.tau_syn) / self.cm - self.kernel(s) / self.tau_m, 0.0)
