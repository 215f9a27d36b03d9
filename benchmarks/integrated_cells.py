"""How long do cells without a closed form take on `exact`, beside NEST on its grid, and how far are NEST's spikes off?

    NUMBA_NUM_THREADS=1 python -m benchmarks.integrated_cells [--cells 1000] [--time 1000] [--tolerance 1e-6] [--dt 0.1]

Each cell hears 80 of 800 Poisson sources of 15 Hz through excitatory synapses. CPU time of `run` alone, spikes, and the median
and largest distance of the first spikes of both. Without NEST only `exact` is timed. Times of a busy machine are no figures.
"""

import argparse
import importlib.util
import time

import numpy as np

import ttfs_pynn.exact as exact

# Weights (uS, mV for Izhikevich) with which cells spike tens of times a second.
WEIGHTS = {"IF_cond_exp": 0.0035, "IF_cond_alpha": 0.02, "EIF_cond_exp_isfa_ista": 0.0035, "EIF_cond_alpha_isfa_ista": 0.002,
           "IF_cond_exp_gsfa_grr": 0.008, "Izhikevich": 1.5}
NOT_ON_NEST = ("IF_cond_exp_gsfa_grr",)  # PyNN 0.13 fails: it does not know g_r


def trains(n_sources, t_stop, rng):
    """Poisson spikes on a grid of 0.1 ms, so that all simulators can send them."""
    rounded = (np.unique(np.round(rng.uniform(1.0, t_stop, rng.poisson(0.015 * t_stop)), 1)) for _ in range(n_sources))
    return [list(times) for times in rounded]


def run(sim, name, n_cells, times, t_stop):
    """(CPU seconds of run, spike trains)."""
    pre = np.random.default_rng(2).integers(0, len(times), (n_cells, 80))
    sources = sim.Population(len(times), sim.SpikeSourceArray(spike_times=times))
    cells = sim.Population(n_cells, getattr(sim, name)())
    cells.record("spikes")
    pairs = [(int(source), cell, WEIGHTS[name], 0.1) for cell, heard in enumerate(pre) for source in np.unique(heard)]
    sim.Projection(sources, cells, sim.FromListConnector(pairs), sim.StaticSynapse(), receptor_type="excitatory")
    begin = time.process_time()
    sim.run(t_stop)
    seconds = time.process_time() - begin
    return seconds, [np.array(train) for train in cells.get_data().segments[0].spiketrains]


def main(arguments=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cells", type=int, default=1000)
    p.add_argument("--time", type=float, default=1000.0)
    p.add_argument("--tolerance", type=float, default=1e-6)
    p.add_argument("--dt", type=float, default=0.1)
    p.add_argument("--models", nargs="+", default=list(WEIGHTS), choices=WEIGHTS)
    p.add_argument("--without-nest", action="store_true")
    a = p.parse_args(arguments)
    for name in a.models:
        times = trains(800, a.time, np.random.default_rng(1))
        for t_stop in (5.0, a.time):  # the first compiles
            exact.setup(tolerance=a.tolerance)
            seconds, spikes = run(exact, name, a.cells, times, t_stop)
        text = f"{name:26} {seconds:6.2f} s, {seconds / a.cells / a.time * 1e6:5.2f} us a cell and ms, {sum(map(len, spikes))} " \
               "spikes"
        if not a.without_nest and name not in NOT_ON_NEST and importlib.util.find_spec("nest"):
            import pyNN.nest as nest
            nest.setup(timestep=a.dt, min_delay=a.dt)
            other, found = run(nest, name, a.cells, times, a.time)
            off = np.array([abs(b[0] - t[0]) for t, b in zip(spikes, found, strict=True) if len(t) and len(b)])
            text += f"; NEST {other:6.2f} s: {other / seconds:.1f} times as long, {sum(map(len, found))} spikes, first ones " \
                    f"{np.median(off):.3f} ms off (largest {off.max():.3f})"
        print(text, flush=True)


if __name__ == "__main__":
    main()
