"""A spiking network that was trained by its first-spike times: which output neuron spikes first is the class of a sample.

It needs numpy and PyNN with a simulator:

    python %(script)s nest
    python %(script)s brian2 --dt 0.01 --samples 20

Or take the network into a script of your own (cells of several copies stand side by side, those of the first come first):

    import pyNN.nest as sim
    from %(module)s import build
    sim.setup(timestep=0.1, min_delay=0.1)
    populations, projections = build(sim)

Beside it lie %(arrays)s (weights, delays and which cells are connected) and %(samples)s (spike times of samples, and
their labels). Units are PyNN's: ms, mV, nF, nA. Only first spikes count: tau_refrac is so long that a neuron spikes once a
sample.

Written by ttfs_pynn %(version)s, which it does not need.
"""

import argparse
import importlib
import json
import os
import sysconfig
from pathlib import Path

import numpy as np
from pyNN.parameters import Sequence

# ---- The network ---------------------------------------------------------------------------------------------------------------

# [network]


def build(sim, copies=1):
    """({label: Population}, {label: Projection}) on a PyNN simulator, after its setup. copies: equal networks side by side."""
    populations, projections = {}, {}
    for label, size in SOURCES.items():
        populations[label] = sim.Population(size * copies, sim.SpikeSourceArray(), label=label)
    for label, size in NEURONS.items():
        cell = {name: np.tile(value, copies) if np.ndim(value) else value for name, value in CELLS[label].items()}
        tau_syn = synaptic_times(sim, cell.pop("tau_syn"), cell["tau_m"])
        populations[label] = sim.Population(size * copies, sim.IF_curr_exp(**cell, tau_syn_E=tau_syn, tau_syn_I=tau_syn),
                                            label=label)
        populations[label].initialize(v=cell["v_rest"])
    more = extra_delay(sim, min(ARRAYS[f"{label}.delay"].min() for label, *_ in PROJECTIONS))
    for label, pre, post, receptor in PROJECTIONS:
        first, second, weight, delay = (np.ravel(ARRAYS[f"{label}.{name}"]) for name in ("pre", "post", "weight", "delay"))
        delay = on_grid(sim, np.broadcast_to(delay, weight.shape) + more)
        n_pre, n_post = populations[pre].size // copies, populations[post].size // copies
        rows = [np.stack([first + k * n_pre, second + k * n_post, weight, delay], axis=1) for k in range(copies)]
        connector = sim.FromListConnector(np.concatenate(rows), column_names=("weight", "delay"))
        projections[label] = sim.Projection(populations[pre], populations[post], connector, sim.StaticSynapse(),
                                            receptor_type=receptor, label=label)
    return populations, projections


# [simulators]


def extra_delay(sim, shortest):
    """What is added to all delays (ms), the shortest of which is given: most simulators want one step at least."""
    dt = sim.get_time_step()
    return dt if shortest < dt * (1 - 1e-9) and sim.__name__ != "pyNN.brian2" else 0.0


def on_grid(sim, delay):
    """Delays (ms) as a simulator with a time step has them: the nearest multiple of it, where NEST takes the next larger one."""
    dt = sim.get_time_step()
    return np.round(delay / dt) * dt if sim.__name__.startswith("pyNN.") else delay


def classify(sim, populations, samples, copies=1):
    """Show samples, and return the times of `first_spikes`.

    samples: {population of sources: (samples, sources) or (samples, sources, spikes)} in ms from the start of a sample, inf for
    no spike. Call it once after each setup.
    """
    dt = sim.get_time_step()
    n_samples = len(next(iter(samples.values())))
    n_windows = -(-n_samples // copies)
    if n_windows > 1 and not np.isfinite(WINDOW):
        raise SystemExit("without leak a membrane never returns to rest: give as many copies as samples")
    window = np.ceil(WINDOW / dt - 1e-6) * dt if n_windows > 1 else 0.0  # whole steps
    samples = dict(samples)
    for label, times in OWN_TIMES.items():
        samples[label] = np.broadcast_to(times, (n_samples, *np.shape(times)))
    for label, times in samples.items():
        trains = [[] for _ in range(populations[label].size)]
        for s in range(n_samples):
            for i, train in enumerate(times[s]):
                train = np.sort(np.atleast_1d(train))
                trains[s % copies * len(times[s]) + i].append(train[np.isfinite(train)] + s // copies * window)
        give_spikes(sim, populations[label], [np.concatenate(train) if train else np.zeros(0) for train in trains])
    populations[OUTPUTS].record("spikes")
    sim.run((n_windows - 1) * window + np.ceil(DEADLINE / dt - 1e-6) * dt)
    return first_spikes(populations[OUTPUTS], n_samples, window, copies)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("simulator", help="nest, brian2, neuron, or the name of another PyNN module")
    p.add_argument("--dt", type=float, default=0.1, metavar="MS", help="time step (default 0.1 ms)")
    p.add_argument("--file", default=str(HERE.with_name(SAMPLES)), help="spike times of samples by population, and labels (.npz)")
    p.add_argument("--samples", type=int, metavar="N", help="the first N of them (default: all)")
    p.add_argument("--copies", type=int, default=25, metavar="N", help="networks side by side, which share the samples (default "
                                                                       "25)")
    p.add_argument("--output", metavar="FILE", help="JSON file to write (default: classes_SIMULATOR.json in the current folder)")
    a = p.parse_args()
    if not a.dt > 0 or a.samples is not None and a.samples < 1 or a.copies < 1:
        p.error("--dt must be positive, --samples and --copies at least 1")
    shown = [label for label in SOURCES if label not in OWN_TIMES]
    if not Path(a.file).is_file():
        p.error(f"{a.file} is no file; give --file, an .npz with {', '.join(f'{label}.times' for label in shown)}")
    with np.load(a.file, allow_pickle=False) as file:
        missing = [f"{label}.times" for label in shown if f"{label}.times" not in file]
        if missing:
            p.error(f"{a.file} has no {', '.join(missing)}; it has {', '.join(file)}")
        samples = {label: file[f"{label}.times"][:a.samples] for label in shown}
        labels = file["labels"][:a.samples] if "labels" in file else None
    n_samples = len(next(iter(samples.values())))
    copies = min(a.copies, n_samples) if np.isfinite(WINDOW) else n_samples
    sim = start(a.simulator, a.dt)
    populations, _ = build(sim, copies)
    first = classify(sim, populations, samples, copies)
    report(a.simulator, a.dt, first, labels, a.output or f"classes_{a.simulator}.json")


if __name__ == "__main__":
    main()
