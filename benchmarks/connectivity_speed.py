"""Time of `sim.run` on `exact` against connectivity: `python -m benchmarks.connectivity_speed [--samples 80] [--repeats 7]`.

A 784-350 layer through PyNN, shown samples that look like MNIST (19 % of the inputs spike, once, at 1.5 to 20 ms), one after the
other in the windows of one run; tau_refrac spans the rest of a window, as for training. Signed weights are an excitatory and an
inhibitory projection with the same pairs. Each network is run by turns with the others; the figures are the shortest times, those
of a network divided by that of the first. With `--kind` neurons of equal time constants (the model
`mnist`), of tau_m = 20 and tau_syn = 10 ms, or of time constants of their own.
"""

import argparse
import time

import numpy as np

from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator
from ttfs_pynn.spikes.windows import Presentation, Timing

KINDS = ("mnist", "tau_m=20", "unequal")
CONNECTED = (1.0, 0.99, 0.9, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02)


def neuron_of(kind, n_post):
    spread = np.random.default_rng(3).uniform(0.8, 1.2, (2, n_post)) if kind == "unequal" else np.ones(2)
    return LIFParameters(tau_m=(10.0 if kind == "mnist" else 20.0) * spread[0], tau_syn=10.0 * spread[1])


def inputs(samples, n_pre, rng):
    times = rng.uniform(1.5, 20.0, (samples, n_pre))
    return np.where(rng.random(times.shape) < 0.19, times, np.inf)


def pairs_of(connected, n_pre, n_post, rng):
    """(n, 2) integers, sorted by post, then by pre."""
    return np.argwhere(rng.random((n_post, n_pre)) < connected)[:, ::-1]


class Layer:
    """A layer on `exact` whose pairs are connected with a probability. delays: None, or a function of a generator and a number of
    connections that draws them (ms). stronger: the fewer connections there are, the stronger, so that as many neurons spike."""

    clock = staticmethod(time.perf_counter)

    def __init__(self, connected, kind="mnist", samples=80, n_pre=784, n_post=350, delays=None,
                 stronger=False):
        rng = np.random.default_rng(1)
        neuron = neuron_of(kind, n_post)
        timing = Timing.derive(1.5, 20.0, [neuron])
        t_in = inputs(samples, n_pre, rng)
        self.presentation = Presentation(samples, timing.window, 1, timing.deadline)
        self.sim = simulator("exact").setup(0.1, seed=2)
        sources = self.sim.Population(n_pre, self.sim.SpikeSourceArray())
        sources.set_spike_matrix(self.presentation.spike_matrix(t_in))
        cells = self.sim.IF_curr_exp(**{**neuron.to_pynn(), "tau_refrac": timing.tau_refrac})
        self.population = self.sim.Population(n_post, cells)
        self.population.initialize(v=neuron.v_rest)
        self.population.record("spikes")
        pairs = pairs_of(connected, n_pre, n_post, rng)
        more = connected if stronger else 1.0
        weights = (0.05 / more + rng.normal(0.0, 0.2, len(pairs)) / np.sqrt(more)) * np.mean(neuron.current_scale)
        delay = np.zeros(len(pairs)) if delays is None else delays(rng, len(pairs))
        self.projections = []
        for receptor, w in (("excitatory", np.maximum(weights, 0.0)), ("inhibitory", np.minimum(weights, 0.0))):
            listed = self.sim.FromListConnector(np.column_stack([pairs, w, delay]))
            self.projections.append(self.sim.Projection(sources, self.population, listed, self.sim.StaticSynapse(),
                                                        receptor_type=receptor))

    def run(self):
        """Seconds of one `sim.run` over all samples, and spikes a neuron and sample."""
        begin = self.clock()
        self.sim.run(self.presentation.duration)
        seconds = self.clock() - begin
        self.counts = self.population.get_spike_counts()
        self.population.get_data(clear=True)
        self.sim.reset()
        return seconds, sum(self.counts.values()) / (self.population.size * self.presentation.n_samples)


def shortest(layers, repeats):
    """The shortest times of layers that run by turns. [seconds], [spikes]."""
    from ttfs_pynn.exact import simulator as module
    best, spikes = [np.inf] * len(layers), [0.0] * len(layers)
    states = []
    for description in layers:
        states.append((description(), module.state))
    for _ in range(repeats + 1):  # the first to warm up
        for k, (layer, state) in enumerate(states):
            module.state = state
            seconds, spikes[k] = layer.run()
            best[k] = min(best[k], seconds)
    return best, spikes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=80)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--kind", choices=KINDS, default=None)
    parser.add_argument("--cpu-time", action="store_true", help="of one thread (NUMBA_NUM_THREADS=1), on a machine that is busy")
    parser.add_argument("--stronger", action="store_true", help="the fewer connections the stronger: as many neurons spike")
    parser.add_argument("--delays", action="store_true", help="with delays that differ instead")
    arguments = parser.parse_args()
    if arguments.cpu_time:
        Layer.clock = staticmethod(time.thread_time)
    for kind in KINDS if arguments.kind is None else (arguments.kind,):
        table(kind, arguments)


def table(kind, arguments):
    common = {"kind": kind, "samples": arguments.samples, "stronger": arguments.stronger}
    if arguments.delays:
        rows = {"1 delay": {}}
        for n in (2, 10, 100):
            rows[f"{n} delays"] = {"delays": lambda rng, size, n=n: 0.5 + 0.05 * rng.integers(0, n, size)}
        rows["all differ"] = {"delays": lambda rng, size: rng.uniform(0.5, 5.5, size)}
        described = [(name, lambda more=more: Layer(1.0, **common, **more)) for name, more in rows.items()]
        described += [(f"{name}, 10 %", lambda more=more: Layer(0.1, **common, **more)) for name, more in rows.items()]
    else:
        described = [(f"{100 * p:g} %", lambda p=p: Layer(p, **common)) for p in CONNECTED]
    best, spikes = shortest([description for _, description in described], arguments.repeats)
    print(f"{kind}: {1e3 * best[0] / arguments.samples:.3f} ms a sample for the first")
    for (name, _), seconds, n in zip(described, best, spikes, strict=True):
        print(f"  {name:18} {seconds / best[0]:6.2f}  ({n:.2f} spikes a neuron and sample)", flush=True)


if __name__ == "__main__":
    main()
