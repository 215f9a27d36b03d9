"""Run the network in this folder, which is described in the SONATA format, on a PyNN simulator, and print the class of each
sample.

    python run_sonata.py nest
    python run_sonata.py brian2 --samples 10

It needs numpy, h5py and PyNN with a simulator. PyNN itself reads the network; its reader of simulations (PyNN 0.13) takes spikes
of one population in an older form of the format alone, and sources that all spike, so the spikes are read here.

Samples follow each other in windows of one run; the output neuron that spikes first is the class. Only first spikes count:
tau_refrac is so long that a neuron spikes once a sample. `classification` in simulation_config.json says which population
decides, how long a window is, and the labels. Written by ttfs_pynn %(version)s, which is not needed here.
"""

import argparse
import importlib
import json
import os
import sysconfig
from pathlib import Path

import h5py
import numpy as np
from pyNN.parameters import Sequence
from pyNN.serialization import import_from_sonata

HERE = Path(__file__).resolve().parent
CONFIG = json.loads((HERE / "simulation_config.json").read_text(encoding="utf-8"))
OUTPUTS, LABELS = CONFIG["classification"]["outputs"], CONFIG["classification"]["labels"]
DEADLINE, WINDOW = CONFIG["classification"]["deadline"], CONFIG["classification"]["window"]


def load(sim):
    """{label: Population} of the network, on a PyNN simulator after its setup."""
    before = Path.cwd()
    os.chdir(HERE)  # PyNN takes the "." of a manifest for the current folder
    network = import_from_sonata("circuit_config.json", sim)
    os.chdir(before)
    populations = {assembly.label: assembly.populations[0] for assembly in network.assemblies}  # of one population each
    for population in populations.values():
        if "tau_syn_E" in population.celltype.default_parameters:
            v_rest, tau_m, tau_syn = (population.get(name, simplify=False) for name in ("v_rest", "tau_m", "tau_syn_E"))
            tau_syn = synaptic_times(sim, tau_syn, tau_m)
            population.set(tau_syn_E=tau_syn, tau_syn_I=tau_syn)
            population.initialize(v=v_rest)  # SONATA has no place for the membrane of each population at first
    return populations


def spikes_of(label, size, until):
    """The spike times (ms) of each source of a population, before `until`."""
    with h5py.File(HERE / "inputs" / "spikes.h5") as file:
        if label not in file["spikes"]:
            return [np.zeros(0)] * size
        cell, times = (file["spikes"][label][name][:] for name in ("node_ids", "timestamps"))
    early = times < until
    return [np.sort(times[early & (cell == k)]) for k in range(size)]


# [simulators]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("simulator", help="nest, brian2, neuron, or the name of another PyNN module")
    p.add_argument("--dt", type=float, default=CONFIG["run"]["dt"], metavar="MS",
                   help=f"time step (default {CONFIG['run']['dt']:g} ms, which must be a multiple of it)")
    p.add_argument("--samples", type=int, default=len(LABELS), metavar="N", help="the first N samples (default: all)")
    p.add_argument("--output", metavar="FILE", help="JSON file to write (default: classes_SIMULATOR.json in the current folder)")
    a = p.parse_args()
    if not a.dt > 0 or not 1 <= a.samples <= len(LABELS):
        p.error(f"--dt must be positive, and --samples from 1 to {len(LABELS)}")
    n_samples = a.samples
    sim = start(a.simulator, a.dt)
    populations = load(sim)
    for entry in CONFIG["inputs"].values():
        label = entry["node_set"]
        give_spikes(sim, populations[label], spikes_of(label, populations[label].size, n_samples * WINDOW))
    populations[OUTPUTS].record("spikes")
    sim.run(n_samples * WINDOW)
    report(a.simulator, a.dt, first_spikes(populations[OUTPUTS], n_samples, WINDOW), LABELS[:n_samples],
           a.output or f"classes_{a.simulator}.json")


if __name__ == "__main__":
    main()
