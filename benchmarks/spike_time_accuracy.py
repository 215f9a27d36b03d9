"""How exact are spike times? `python -m benchmarks.spike_time_accuracy [--neurons 1000] [--spikes 100]`

Neurons with tau_m, tau_syn_E and tau_syn_I all different, a constant current and random excitation and inhibition, against the
same neurons in 50 digits, by each of the compiled loops: feed-forward, windows, event queue. Takes minutes.
"""

import argparse
import time

import numpy as np

from tests.event_driven.reference import reference_spikes
from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, SpikeSourceGroup, Synapses

DIGITS, DURATION, N_SOURCES, RATE = 50, 6000.0, 12, 15.0


def describe(n_neurons, seed):
    """(trains, parameters, v, weights (2 N_SOURCES, neurons)): the first half of the sources excites."""
    rng = np.random.default_rng(seed)
    trains = [np.sort(rng.uniform(0, DURATION, rng.poisson(RATE * DURATION / 1e3))) for _ in range(2 * N_SOURCES)]
    parameters = dict(tau_m=rng.uniform(8, 30, n_neurons), cm=rng.uniform(0.2, 2, n_neurons),
                      v_rest=rng.uniform(-70, -60, n_neurons),
                      v_reset=rng.uniform(-75, -65, n_neurons), v_thresh=rng.uniform(-55, -45, n_neurons),
                      tau_refrac=rng.choice([0.0, 0.5, 5.0], n_neurons), tau_syn_E=rng.uniform(1, 7, n_neurons),
                      tau_syn_I=rng.uniform(31, 60, n_neurons))
    rheobase = (parameters["v_thresh"] - parameters["v_rest"]) * parameters["cm"] / parameters["tau_m"]
    parameters["i_offset"] = rheobase * rng.uniform(0.9, 1.8, n_neurons)
    weights = rng.gamma(2, 0.5, (2 * N_SOURCES, n_neurons)) * rheobase
    weights[N_SOURCES:] *= -0.02
    return trains, parameters, rng.uniform(-70, -60, n_neurons), weights


def simulate(trains, parameters, v, weights, method):
    network = EventDrivenNetwork(method)
    sources, neurons = SpikeSourceGroup(len(trains)), LIFGroup(v.size, parameters, dict(v=v))
    sources.set_spike_times(np.concatenate(trains), np.cumsum([0] + [train.size for train in trains]))
    network.add_group(sources)
    network.add_group(neurons)
    for first, receptor in ((0, "excitatory"), (N_SOURCES, "inhibitory")):
        pre, post = (a.ravel() for a in np.mgrid[first:first + N_SOURCES, :v.size])
        network.add_synapses(Synapses(sources, neurons, receptor, pre, post, weights[pre, post], 1.0))
    if method:  # a connection of weight 0 makes the group recurrent
        network.add_synapses(Synapses(neurons, neurons, "excitatory", [0], [0], 0.0, 1.0))
    index, times = network.advance(DURATION)[neurons]
    order = np.argsort(index, kind="stable")
    return np.split(times[order], np.cumsum(np.bincount(index, minlength=v.size))[:-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=1_000)
    parser.add_argument("--spikes", type=int, default=100, help="of each neuron")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    trains, parameters, v, weights = description = describe(a.neurons + a.neurons // 20 + 1, a.seed)
    found = {str(method or "feed-forward"): simulate(*description, method) for method in (None, "windows", "queue")}
    begin, compared, neurons = time.perf_counter(), 0, 0
    worst, differing = dict.fromkeys(found, 0.0), dict.fromkeys(found, 0)
    events = sorted((time + 1.0, k) for k, train in enumerate(trains) for time in train)
    for n, times in enumerate(found["feed-forward"]):
        if times.size <= a.spikes or neurons == a.neurons:
            continue
        neurons += 1
        stop = 0.5 * (times[a.spikes - 1] + times[a.spikes])
        mine = [(t, weights[k, n], "excitatory" if k < N_SOURCES else "inhibitory") for t, k in events if t < stop]
        expected = reference_spikes({name: values[n] for name, values in parameters.items()}, v[n], mine, stop, DIGITS)
        for method, spikes in found.items():
            spikes = spikes[n][spikes[n] < stop]
            if spikes.size != expected.size:
                differing[method] += 1
            else:
                worst[method] = max(worst[method], np.abs(spikes - expected).max())
        compared += expected.size
    for method in found:
        print(f"{method:12s} {neurons} neurons, {compared} spikes against {DIGITS} digits: "
              f"{differing[method]} neurons differ in number, largest difference {worst[method]:.1e} ms")
    print(f"{time.perf_counter() - begin:.0f} s; neurons that fired less often than {a.spikes} times are left out")


if __name__ == "__main__":
    main()
