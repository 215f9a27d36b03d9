"""Initial weights with which deep layers spike.

The membrane of a neuron that hears n sources with weights of mean mu and standard deviation sigma has, over neurons at time t,

    mean  a(t) = mu m_1(t),  standard deviation  b(t) = sigma sqrt(m_2(t)),
    m_p(t) = n share < K(t - t_i)^p >_{t_i} + sum_{bias spikes} K(t - t_b)^p,

`share` of the sources spiking, at times t_i. `balanced` chooses mu and sigma such that the highest mean is a multiple of
threshold, max_t a(t) = peak (v_thresh - v_rest), and the spread there is b = spread (v_thresh - v_rest): then at least about
Phi((peak - 1)/spread) of the neurons spike, Phi the normal distribution function. This is the reasoning of Rossbroich, Gygax and
Zenke (Neuromorph. Comput. Eng. 2, 044016, 2022), who set mean and spread of the membrane from the integrals of K and K^2 for
Poisson input, applied to one spike a source. Taking every neuron's membrane as a(t) + b(t) z with its own fixed z gives the times
of its first spikes,

    T(z) = min { t : a(t) + b(t) z >= v_thresh - v_rest },

whose share and spread are those of the sources of the next layer.
"""

from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from ttfs_pynn.units import in_unit

__all__ = ["balanced"]

_N_TIMES, _N_QUANTILES = 1000, 50


def balanced(architecture, share=None, times=None, peak=3.0, spread=1.0):
    """The Architecture with weight_mean and weight_std of each layer chosen so that its neurons spike; see above.

    share: of the inputs that spike in a sample (default 1). times: when they do (ms, any shape; inf for none, which makes the
    share), by default evenly spread from t_early to t_late. peak and spread: one number, or one a layer. Where neurons of a layer
    differ, so do mean and standard deviation: arrays with one value a neuron. Raises ValueError where a value is not positive, or
    share is not that of times.
    """
    n_layers = len(architecture.layers)
    peaks, spreads = (np.broadcast_to(np.asarray(value, dtype=float), (n_layers,)) for value in (peak, spread))
    if times is None:
        times = np.linspace(architecture.t_early, architecture.t_late, 1000)
        share = 1.0 if share is None else share
    else:
        times = np.ravel(in_unit(times, "ms", "times"))
        given, share = share, np.isfinite(times).mean()
        if given not in (None, share):
            raise ValueError(f"share = {given}, but {share:g} of the times are spikes; leave it out")
    for name, value in (("share", share), ("peak", peaks), ("spread", spreads)):
        if not (np.all(value > 0) and np.all(np.isfinite(value))):
            raise ValueError(f"{name} = {value} must be positive and finite")
    if share > 1:
        raise ValueError(f"share = {share} must be at most 1")
    times = _quantiles(times[np.isfinite(times)])
    n, layers = architecture.n_inputs, []
    for layer, *goal in zip(architecture.layers, peaks, spreads, strict=True):
        mean, std, times, share = _layer(layer, n, share, times, *goal)
        layers.append(replace(layer, weight_mean=mean, weight_std=std))
        n = layer.size
    return replace(architecture, layers=tuple(layers))


def _quantiles(times):
    return np.quantile(times, (np.arange(_N_QUANTILES) + 0.5) / _N_QUANTILES)


def _layer(layer, n, share, times, peak, spread):
    """(mean, std) in current_scale, and times and share of the neurons' first spikes."""
    tau_m, tau_syn, cm, threshold = layer.neuron.columns(layer.size)
    kinds, of_neuron = np.unique(np.stack([tau_m, tau_syn, cm, threshold]), axis=1, return_inverse=True)
    z = ndtri((np.arange(_N_QUANTILES) + 0.5) / _N_QUANTILES)
    means, stds, spikes = [], [], []
    for kind in kinds.T:
        mean, std, first = _kind(replace(layer.neuron, tau_m=kind[0], tau_syn=kind[1], cm=kind[2], v_rest=0.0, v_thresh=kind[3],
                                         v_reset=0.0), n * share, times, layer.bias_times, peak, spread, z)
        means.append(mean)
        stds.append(std)
        spikes.append(first)
    counts = np.bincount(of_neuron.ravel())
    pooled = np.repeat(np.stack(spikes), counts, axis=0).ravel()
    finite = np.isfinite(pooled)
    mean_of, std_of = (np.array(values)[of_neuron.ravel()] for values in (means, stds))
    one = len(kinds.T) == 1
    return (float(mean_of[0]) if one else mean_of, float(std_of[0]) if one else std_of, _quantiles(pooled[finite]), finite.mean())


def _kind(neuron, n_spikes, times, bias_times, peak, spread, z):
    """Mean and std of the weights in current_scale and T(z), of neurons with the same parameters (floats)."""
    heard = np.concatenate([times, np.asarray(bias_times, dtype=float)])
    weight = np.concatenate([np.full(len(times), n_spikes / len(times)), np.ones(len(bias_times))])
    leak = neuron.tau_m if np.isfinite(neuron.tau_m) else 0.0
    t = np.linspace(heard.min(), heard.max() + 5 * (neuron.tau_syn + leak), _N_TIMES)
    response = neuron.kernel(t[:, None] - heard)
    m_1, m_2 = response @ weight, response ** 2 @ weight
    top = m_1.argmax()
    mean = peak * neuron.threshold / m_1[top]
    std = spread * neuron.threshold / np.sqrt(m_2[top])
    v = mean * m_1[:, None] + std * np.sqrt(m_2)[:, None] * z
    above = v >= neuron.threshold
    first = np.where(above.any(axis=0), t[above.argmax(axis=0)], np.inf)
    return mean / neuron.current_scale, std / neuron.current_scale, first
