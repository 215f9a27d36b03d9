"""The same networks on the exact backend and on NEST's lossless precise model: largest difference of spike times.

`python -m benchmarks.lossless_nest [--duration 1000]`

Through PyNN on one side (`ttfs_pynn.exact`) and NEST's own interface on the other, where spike sources are precise and
`iaf_psc_exp_ps_lossless` misses no crossing: a feed-forward network 50-200-10, and 200 neurons of which 160 excite and 40
inhibit each other, weakly enough that a difference of rounding dies out. Delays are multiples of NEST's time step, for NEST
rounds others. Its lossless search wants one tau_syn for both currents.
"""

import argparse

import numpy as np

CELL = dict(tau_m=20.0, cm=0.25, v_rest=-65.0, v_reset=-66.0, v_thresh=-50.0, tau_refrac=2.0, tau_syn_E=5.0, tau_syn_I=5.0)
DT = 0.1


def feed_forward(rng, duration):
    """(trains, layers: [(size, i_offset, v)], projections: [(pre, post, receptor, weights (pre, post) with NaN, delay)])."""
    trains = [np.sort(rng.uniform(1, duration - 20, rng.poisson(20 * duration / 1000))) for _ in range(50)]
    layers = [(n, np.zeros(n), np.full(n, CELL["v_rest"])) for n in (200, 10)]
    weights = rng.normal(0.25, 0.25, (50, 200)), rng.normal(0.12, 0.12, (200, 10))
    projections = []
    for k, w in enumerate(weights):
        delay = DT * rng.integers(5, 30, w.shape)
        projections += [(k, k + 1, "excitatory", np.where(w > 0, w, np.nan), delay),
                        (k, k + 1, "inhibitory", np.where(w < 0, w, np.nan), delay)]
    return trains, layers, projections


def recurrent(rng, duration):
    n, n_exc = 200, 160
    trains = [np.sort(rng.uniform(1, duration - 20, rng.poisson(10 * duration / 1000))) for _ in range(50)]
    connected = rng.random((n, n)) < 0.1
    sign = np.where(np.arange(n) < n_exc, 1.0, -4.0)[:, None]
    w = np.where(connected, 0.02 * sign * rng.uniform(0.5, 1.5, (n, n)), np.nan)
    delay = DT * rng.integers(5, 30, w.shape)
    inputs = np.where(rng.random((50, n)) < 0.2, rng.uniform(0.1, 0.6, (50, n)), np.nan)
    projections = [(0, 1, "excitatory", inputs, DT * rng.integers(5, 30, inputs.shape)),
                   (1, 1, "excitatory", np.where(w > 0, w, np.nan), delay),
                   (1, 1, "inhibitory", np.where(w < 0, w, np.nan), delay)]
    return trains, [(n, rng.uniform(0.1, 0.2, n), rng.uniform(-65, -55, n))], projections


def run_exact(network, duration):
    import ttfs_pynn.exact as sim
    trains, layers, projections = network
    sim.setup(timestep=DT, min_delay=DT)
    populations = [sim.Population(len(trains), sim.SpikeSourceArray(spike_times=[list(train) for train in trains]))]
    for size, i_offset, v in layers:
        populations.append(sim.Population(size, sim.IF_curr_exp(**CELL, i_offset=i_offset), initial_values=dict(v=v)))
        populations[-1].record("spikes")
    for pre, post, receptor, w, delay in projections:
        rows = [(i, j, w[i, j], delay[i, j]) for i, j in zip(*np.nonzero(np.isfinite(w)), strict=True)]
        sim.Projection(populations[pre], populations[post], sim.FromListConnector(rows, column_names=["weight", "delay"]),
                       sim.StaticSynapse(), receptor_type=receptor)
    sim.run(duration)
    result = []
    for population in populations[1:]:
        channels, times = population.get_data().segments[0].spiketrains.multiplexed
        channels, times = np.asarray(channels) - int(population[0]), times.rescale("ms").magnitude
        result += [np.sort(times[channels == n]) for n in range(population.size)]
    return result


def run_nest(network, duration):
    import nest
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.SetKernelStatus(dict(resolution=DT, local_num_threads=1))
    trains, layers, projections = network
    # A generator emits precisely only with this switch; its times are counted from the start of the simulation.
    nodes = [nest.Create("spike_generator", len(trains),
                         params=[dict(spike_times=train, precise_times=True) for train in trains])]
    recorder = nest.Create("spike_recorder")
    for size, i_offset, v in layers:
        cells = nest.Create("iaf_psc_exp_ps_lossless", size, params=dict(
            tau_m=CELL["tau_m"], C_m=1e3 * CELL["cm"], E_L=CELL["v_rest"], V_reset=CELL["v_reset"], V_th=CELL["v_thresh"],
            t_ref=CELL["tau_refrac"], tau_syn_ex=CELL["tau_syn_E"], tau_syn_in=CELL["tau_syn_I"]))
        cells.I_e = 1e3 * i_offset
        cells.V_m = v
        nest.Connect(cells, recorder)
        nodes.append(cells)
    for pre, post, _, w, delay in projections:
        i, j = np.nonzero(np.isfinite(w))
        first_pre, first_post = nodes[pre].tolist()[0], nodes[post].tolist()[0]
        nest.Connect(i + first_pre, j + first_post, "one_to_one",
                     dict(weight=1e3 * w[i, j], delay=np.round(delay[i, j], 1), synapse_model="static_synapse"))
    nest.Simulate(duration)
    senders, times = recorder.events["senders"], recorder.events["times"]
    return [np.sort(times[senders == n]) for cells in nodes[1:] for n in cells.tolist()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=1_000.0, help="ms")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    for make in (feed_forward, recurrent):
        network = make(np.random.default_rng(a.seed), a.duration)
        exact, nest = run_exact(network, a.duration), run_nest(network, a.duration)
        equal = [x.size == y.size for x, y in zip(exact, nest, strict=True)]
        worst = max((np.abs(x - y).max(initial=0.0) for x, y in zip(exact, nest, strict=True) if x.size == y.size), default=0.0)
        print(f"{make.__name__:12s} {a.duration:g} ms: {sum(x.size for x in exact)} and {sum(x.size for x in nest)} spikes, "
              f"{len(equal) - sum(equal)} of {len(equal)} neurons differ in number, "
              f"largest difference {worst:.1e} ms", flush=True)


if __name__ == "__main__":
    main()
