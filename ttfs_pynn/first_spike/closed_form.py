"""The paper's closed forms of a first-spike time, for one neuron and the inputs that cause its spike.

Göltz, Kriener et al. (2021), Nature Machine Intelligence 3, 823-835. With the sums over the causal inputs

    a_n = sum_i w_i exp(t_i/(n tau_syn)),      b = sum_i (w_i t_i/tau_syn) exp(t_i/tau_syn),

g_l = cm/tau_m and thr = v_thresh - v_rest. Times are taken relative to the last input, which changes nothing in the result
and keeps every exponential at or below 1. Each returns inf where the membrane never reaches threshold, and the time at which
these inputs alone would make it cross; whether that lies before the next input is for `solver` to decide.

Arguments: t (n,) ms, w (n,) nA, then floats: tau_syn (ms), cm (nF), thr (mV).
"""

import numpy as np
from scipy.special import lambertw

__all__ = ["equal_time_constants", "twice_tau_syn", "no_leak"]


def equal_time_constants(t, w, tau_syn, cm, thr):
    """tau_m = tau_syn:  T = tau_syn ( b/a_1 - W( -(g_l thr/a_1) exp(b/a_1) ) ),  W the principal branch of Lambert's function."""
    g_l = cm / tau_syn
    last = t.max()
    tau = (t - last) / tau_syn
    a_1 = np.sum(w * np.exp(tau))
    b = np.sum(w * tau * np.exp(tau))
    if a_1 <= 0:
        return np.inf
    argument = -(g_l * thr / a_1) * np.exp(b / a_1)
    if argument < -np.exp(-1):
        return np.inf
    return last + tau_syn * (b / a_1 - _lambert_w(argument))


def _lambert_w(z):
    """W_0(z) for -1/e <= z < 0: SciPy's, and Newton steps on w exp(w) = z, in which its error near -1/e is lost."""
    w = lambertw(z).real
    for _ in range(2):
        slope = np.exp(w) * (w + 1)
        if slope > 1e-8:
            w -= (w * np.exp(w) - z) / slope
    return w


def twice_tau_syn(t, w, tau_syn, cm, thr):
    """tau_m = 2 tau_syn:  T = 2 tau_syn ln( 2 a_1 / (a_2 + sqrt(a_2^2 - 4 a_1 g_l thr)) )."""
    g_l = cm / (2 * tau_syn)
    last = t.max()
    tau = (t - last) / tau_syn
    a_1, a_2 = np.sum(w * np.exp(tau)), np.sum(w * np.exp(tau / 2))
    square = a_2 ** 2 - 4 * a_1 * g_l * thr
    if square < 0 or a_2 + np.sqrt(square) <= 0 or a_1 <= 0:
        return np.inf
    return last + 2 * tau_syn * np.log(2 * a_1 / (a_2 + np.sqrt(square)))


def no_leak(t, w, tau_syn, cm, thr):
    """tau_m -> inf:  T = tau_syn ln( a_1 / (a_inf - cm thr/tau_syn) ),  a_inf = sum_i w_i."""
    last = t.max()
    a_1 = np.sum(w * np.exp((t - last) / tau_syn))
    remaining = np.sum(w) - cm * thr / tau_syn
    if remaining <= 0 or a_1 <= 0:
        return np.inf
    return last + tau_syn * np.log(a_1 / remaining)
