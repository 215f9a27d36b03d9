"""How exact are first-spike times and derivatives? `python -m benchmarks.first_spike_accuracy [--adversarial N] [--checked N]`

Prints the rows of benchmarks/README.md: decisions on adversarial neurons against 50 digits, derivatives against central
differences over 10,000 random neurons and seven ratios of time constants, closed forms against the solver.
"""

import argparse
import time

import numpy as np

from tests.first_spike.oracle import adversarial_batches, reference_first_spike
from ttfs_pynn.first_spike import first_spike_derivatives, first_spike_times
from ttfs_pynn.first_spike.closed_form import equal_time_constants, no_leak, twice_tau_syn
from ttfs_pynn.neuron import LIFParameters

RATIOS = (0.3, 0.5, 1.0, 1.0 + 1e-9, 2.0, 7.0, 100.0)


def unit_neuron(tau_m):
    return LIFParameters(tau_m=tau_m, tau_syn=1.0, cm=1.0, v_rest=0.0, v_thresh=1.0)


def adversarial(n_neurons, n_checked, seed=0):
    rng = np.random.default_rng(seed)
    per_batch = 500
    chosen = set(rng.choice(n_neurons, n_checked, replace=False).tolist())
    wrong = spiking = count = 0
    seconds = 0.0
    for t, w, tau_m in adversarial_batches(rng, n_neurons // per_batch, per_batch):
        begin = time.perf_counter()
        found = first_spike_times(t[None], w, unit_neuron(tau_m))[0]
        seconds += time.perf_counter() - begin
        for n in range(per_batch):
            if count in chosen:
                expected = reference_first_spike(t, w[:, n], tau_m[n], 1.0, 1.0, 1.0)
                wrong += (expected is not None) != np.isfinite(found[n])
                spiking += expected is not None
            count += 1
    print(f"adversarial neurons {count}, checked in 50 digits {n_checked} ({spiking} spike), wrong decisions {wrong}, "
          f"{seconds / count * 1e6:.1f} us each")


def central_differences(n_neurons, seed=1):
    """Five-point differences of n_neurons spiking neurons a ratio; the largest error relative to the neuron's largest derivative.

    The step follows the conditioning: where v' is small derivatives change on the scale of v'^2, and next to an input the set of
    causes would change; where a step makes the spike jump (an earlier maximum of v reaches threshold, or this one no longer
    does) it is shortened. A neuron that leaves no step of 1e-7 tau_syn or more is passed over and counted.
    """
    rng = np.random.default_rng(seed)
    n_inputs = 8
    eye, shifts = np.eye(n_inputs), np.array([2, 1, -1, -2])
    for ratio in RATIOS:
        neuron = unit_neuron(ratio)
        worst, compared, silent, passed_over = 0.0, 0, 0, 0
        while compared < n_neurons:
            t = rng.uniform(0, 2, (1, n_inputs))
            w = rng.normal(1.0, 1.5, (n_inputs, 1)) * max(1.0, 1 / ratio)
            spike = first_spike_times(t, w, neuron)
            if not np.isfinite(spike[0, 0]):
                silent += 1
                continue
            on = t[0] < spike[0, 0]
            slope = np.sum(w[on, 0] * neuron.kernel_derivative(spike[0, 0] - t[0, on]))
            dw, dt = first_spike_derivatives(t, w, spike, neuron)
            largest = max(np.abs(dw).max(), np.abs(dt).max())
            h = min(2e-4 * min(1.0, slope ** 2), np.abs(t[0] - spike[0, 0]).min() / (8 * (1 + largest)))
            while h >= 1e-7:
                moves = (h * shifts[:, None, None] * eye).reshape(-1, n_inputs)
                times_w = first_spike_times(t, np.ascontiguousarray((w[:, 0] + moves).T), neuron)[0].reshape(4, n_inputs)
                times_t = first_spike_times(t[0] + moves, w, neuron)[:, 0].reshape(4, n_inputs)
                if max(np.abs(times_w - spike).max(), np.abs(times_t - spike).max()) < 8 * h * largest:
                    break
                h /= 8  # another crossing appeared or this one vanished: the function jumps inside the step
            else:
                passed_over += 1
                continue
            for times, exact in ((times_w, dw), (times_t, dt)):
                numeric = (-times[0] + 8 * times[1] - 8 * times[2] + times[3]) / (12 * h)
                error = np.abs(numeric - exact[0, :, 0]).max() / np.abs(exact).max()
                worst = max(worst, error)
            compared += 1
        print(f"tau_m/tau_syn = {ratio:<14.12g} compared {compared}, silent {silent}, passed over {passed_over}, "
              f"largest relative error {worst:.1e}")


def closed_forms(n_neurons, seed=2):
    rng = np.random.default_rng(seed)
    for ratio, form in ((1.0, equal_time_constants), (2.0, twice_tau_syn), (np.inf, no_leak)):
        neuron = unit_neuron(ratio)
        t, w = rng.uniform(0, 2, (n_neurons, 8)), rng.normal(1.0, 1.5, (8, 10))
        spikes = first_spike_times(t, w, neuron)
        worst = compared = 0
        for sample, n in zip(*np.nonzero(np.isfinite(spikes)), strict=True):
            on = t[sample] < spikes[sample, n]
            slope = np.sum(w[on, n] * neuron.kernel_derivative(spikes[sample, n] - t[sample, on]))
            if slope < 0.05:
                continue  # conditioning: rounding of v over v'
            compared += 1
            worst = max(worst, abs(form(t[sample, on], w[on, n], 1.0, 1.0, 1.0) - spikes[sample, n]))
        print(f"closed form {form.__name__}: {compared} neurons with v' > 0.05, largest difference {worst:.1e} tau_syn")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adversarial", type=int, default=1_000_000)
    parser.add_argument("--checked", type=int, default=2_000)
    parser.add_argument("--neurons", type=int, default=10_000)
    arguments = parser.parse_args()
    adversarial(arguments.adversarial, arguments.checked)
    central_differences(arguments.neurons)
    closed_forms(arguments.neurons // 10)
