"""What to do about neurons that do not spike, and so have no gradient: three policies behind one interface.

    apply(weights, gradients) -> (weights with bumps added, weight gradients, True if the gradient step is to be left out)

with `gradients` a gradient_engine.Gradients of a batch; `state()` and `restore(arrays)` go through checkpoints. Nothing that is
given is changed. `policy` makes the one that the training options name. Which is better was measured: see benchmarks/README.md.
"""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.first_spike import membrane_peaks, peak_steps

__all__ = ["POLICIES", "MembranePeak", "WeightBumping", "WeightSum", "policy"]

POLICIES = ("membrane_peak", "bumping", "weight_sum")


def policy(options, neurons, scales):
    """The policy that training.TrainingOptions name; neurons: LIFParameters by layer, scales: current_scale (nA) by layer."""
    tolerated = list(options.silent_tolerated)
    if options.silent == "membrane_peak":
        return MembranePeak(tolerated, list(neurons), options.silent_aim)
    if options.silent == "weight_sum":
        return WeightSum(list(neurons), options.weight_sum)
    return WeightBumping(tolerated, scales, options.bump, options.bump_instead_of_step)


class _Stateless:
    def state(self):
        return {}

    def restore(self, arrays):
        pass


@dataclass
class WeightBumping:
    """Raise all afferent weights of neurons that are silent in more than a tolerated share of a batch.

    tolerated: that share, one number a layer (1 or more: never bump). bump: the amount, in units of the layer's scale; it
    doubles from batch to batch while the same layer stays above its tolerance. With instead_of_step a batch that trips the
    rule gets the bump of the foremost failing layer and no gradient step, as the paper's authors did (Göltz, Kriener et al.
    2021); without, every failing layer is bumped on top of the step.
    """

    tolerated: list
    scales: list
    bump: float = 0.0005
    instead_of_step: bool = False

    def __post_init__(self):
        self.lasting = np.zeros(len(self.tolerated), dtype=np.int64)

    def apply(self, weights, gradients):
        new: list[np.ndarray] = list(weights)
        failing: list[int] = []
        for k, times in enumerate(gradients.first_spikes.layers):
            silent = np.isinf(times).mean(axis=0) > self.tolerated[k]
            if not silent.any():
                self.lasting[k] = 0
            elif not (self.instead_of_step and failing):
                failing.append(k)
                new[k] = weights[k] + silent * (self.bump * self.scales[k] * 2.0 ** min(self.lasting[k], 30))
                self.lasting[k] += 1
        return new, gradients.weights, bool(failing) and self.instead_of_step

    def state(self):
        """Everything that `restore` needs, as {name: array}."""
        return {"bump_lasting": self.lasting.copy()}

    def restore(self, arrays):
        """Continue from the arrays of `state`."""
        self.lasting = arrays["bump_lasting"].copy()


@dataclass
class MembranePeak(_Stateless):
    """Raise the peak of the membrane of neurons that are silent in more than a tolerated share of a batch (one number a layer).

    On top of the gradient step the weights of such a neuron change by the mean, over the samples of the batch in which it was
    silent, of the smallest change that brings its peak, to first order, to `aim` times v_thresh - v_rest: along the gradient of
    the peak,

        dw_i = ( aim (v_thresh - v_rest) - v_peak ) K(t_peak - t_i) / sum_k K(t_peak - t_k)^2.

    Peaks are those of the ideal neuron for the recorded input times, so the rule works in the loop; a neuron that should have
    spiked but did not is left alone. aim is above 1 because dT/dw diverges where threshold is only just reached: such a neuron
    learns nothing more.
    """

    tolerated: list
    neurons: list
    aim: float = 1.5

    def apply(self, weights, gradients):
        times, new = gradients.first_spikes, list(weights)
        for k, neuron in enumerate(self.neurons):
            silent = np.isinf(times.layers[k])
            wanted = silent & (silent.mean(axis=0) > self.tolerated[k])
            if wanted.any():
                step = self._steps(times.heard(k), weights[k], neuron, wanted, times.synaptic_delays(k))
                new[k] = weights[k] + step / np.maximum(wanted.sum(axis=0), 1)
        return new, gradients.weights, False

    def _steps(self, t_in, w, neuron, wanted, delays):
        """Changes of weights, summed over samples, for the neurons and samples that are wanted."""
        if delays is not None and delays.shape[1] > 1 and delays.shape[0] > 1:  # every neuron hears its inputs at other times
            step = np.zeros_like(w)
            for n in np.flatnonzero(wanted.any(axis=0)):
                step[:, [n]] = self._steps(t_in + delays[:, n], w[:, [n]], neuron.one(n), wanted[:, [n]], None)
            return step
        if delays is not None and delays.shape[1] == 1:  # dendritic ones shift the whole membrane
            t_in = t_in + delays[:, 0]
        t_peak, v_peak = membrane_peaks(t_in, w, neuron, wanted)
        missing = np.where(v_peak < neuron.threshold, self.aim * neuron.threshold - v_peak, 0.0)
        return peak_steps(t_in, t_peak, missing, neuron)


@dataclass
class WeightSum(_Stateless):
    """To the loss is added, over all neurons and whether they spike or not (Mostafa 2017, IEEE Trans. Neural Netw. Learn. Syst.
    29, 3227-3235, whose neurons have no leak: 1 there),

        strength sum_n max( 0, 1 - K_max sum_i w_in / (v_thresh - v_rest) ),

    K_max the largest membrane response: inputs of less weight cannot bring a neuron to threshold even if all come together.
    """

    neurons: list
    strength: float = 10.0

    def apply(self, weights, gradients):
        new = []
        for w, neuron, gradient in zip(weights, self.neurons, gradients.weights, strict=True):
            gain = largest_response(neuron) / neuron.threshold
            new.append(gradient - self.strength * gain * (gain * w.sum(axis=0) < 1))
        return list(weights), new, False


def largest_response(neuron):
    """The highest value of LIFParameters.kernel (mV/nA), at ln(tau_m/tau_syn)/(1/tau_syn - 1/tau_m)."""
    rate_m, rate_s = 1 / np.asarray(neuron.tau_m, dtype=float), 1 / np.asarray(neuron.tau_syn, dtype=float)
    rate_m, rate_s = np.broadcast_arrays(rate_m, rate_s)
    ratio = rate_m / rate_s
    # tau_syn (tau_m/tau_syn)^(1/(1 - tau_m/tau_syn)): e^-1 tau for equal constants, tau_syn without a leak
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(np.abs(ratio - 1) < 1e-6, -1.0, np.where(ratio > 0, np.log(ratio) * ratio / (1 - ratio), 0.0))
    return np.exp(exponent) / rate_s / neuron.cm
