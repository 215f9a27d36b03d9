"""A balanced random network on the event-driven simulator and on NEST: time, peak memory, rates.

`python -m benchmarks.balanced_network [--neurons 10000] [--indegree 1000] [--duration 1000] [--simulators ...]`

80 % of the neurons excite; each has the same number of inputs, four fifths of them excitatory, drawn by each simulator from its
own generator. A constant current drives them. Every run is a process of its own with one thread. NEST runs twice: on its grid of
0.1 ms (`iaf_psc_exp`), where spikes are moved to the grid and some are missed, and with its lossless model, where none are. Times
are those of the processor. Work of others on the machine still changes them, NEST's by several times, so the load is printed:
ratios are worth something where it is below 1.5, which this process alone makes 1.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

TAU_M, CM, V_REST, V_RESET, V_THRESH, TAU_REFRAC, TAU_EXC, TAU_INH = 20.0, 0.25, -65.0, -65.0, -50.0, 2.0, 0.5, 0.5
MIN_DELAY, MAX_DELAY = 0.5, 2.5


def weights_and_drive(indegree):
    """(exc, inh) in nA and i_offset in nA: the variance of the input does not depend on the number of inputs."""
    exc = 0.09 * (1000 / indegree) ** 0.5
    return exc, -5.0 * exc, 1.6 * (V_THRESH - V_REST) * CM / TAU_M


def run_exact(a, constant_delay=False):
    from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, Synapses
    rng = np.random.default_rng(a.seed)
    n_exc = a.neurons * 4 // 5
    exc, inh, drive = weights_and_drive(a.indegree)
    parameters = dict(tau_m=TAU_M, cm=CM, v_rest=V_REST, v_reset=V_RESET, v_thresh=V_THRESH, tau_refrac=TAU_REFRAC,
                      i_offset=drive, tau_syn_E=TAU_EXC, tau_syn_I=TAU_INH)

    def build(n, k_exc, k_inh, exc_size):
        network = EventDrivenNetwork()
        sizes = exc_size, n - exc_size
        groups = [LIFGroup(size, parameters, dict(v=rng.uniform(V_RESET, V_THRESH, size))) for size in sizes]
        for group in groups:
            network.add_group(group)
        for pre, receptor, k, weight in ((groups[0], "excitatory", k_exc, exc), (groups[1], "inhibitory", k_inh, inh)):
            for post in groups:
                size = post.size * k
                delay = 1.5 if constant_delay else rng.uniform(MIN_DELAY, MAX_DELAY, size)
                network.add_synapses(Synapses(pre, post, receptor, rng.integers(0, pre.size, size, dtype=np.int32),
                                              np.repeat(np.arange(post.size, dtype=np.int32), k), weight, delay))
        return network
    build(20, 2, 1, 16).advance(1.0)  # compiled
    begin = time.process_time()
    network = build(a.neurons, a.indegree * 4 // 5, a.indegree // 5, n_exc)
    network.advance(1e-9)
    built = time.process_time()
    spikes = network.advance(a.duration)
    return built - begin, time.process_time() - built, sum(index.size for index, _ in spikes.values())


def run_nest(a, model):
    import nest
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.SetKernelStatus(dict(resolution=0.1, local_num_threads=1, rng_seed=a.seed))
    exc, inh, drive = weights_and_drive(a.indegree)
    begin = time.process_time()
    n_exc = a.neurons * 4 // 5
    parameters = dict(tau_m=TAU_M, C_m=1e3 * CM, E_L=V_REST, V_reset=V_RESET, V_th=V_THRESH, t_ref=TAU_REFRAC, I_e=1e3 * drive,
                      tau_syn_ex=TAU_EXC, tau_syn_in=TAU_INH)
    cells = nest.Create(model, a.neurons, params=parameters)
    cells.V_m = np.random.default_rng(a.seed).uniform(V_RESET, V_THRESH, a.neurons)
    recorder = nest.Create("spike_recorder")
    for pre, k, weight in ((cells[:n_exc], a.indegree * 4 // 5, exc), (cells[n_exc:], a.indegree // 5, inh)):
        nest.Connect(pre, cells, dict(rule="fixed_indegree", indegree=k),
                     dict(weight=1e3 * weight, delay=nest.random.uniform(MIN_DELAY, MAX_DELAY)))
    nest.Connect(cells, recorder)
    nest.Prepare()
    nest.Run(0.1)
    built = time.process_time()
    nest.Run(a.duration)
    return built - begin, time.process_time() - built, int(recorder.n_events)


SIMULATORS = {"exact": run_exact, "exact_one_delay": lambda a: run_exact(a, constant_delay=True),
              "nest": lambda a: run_nest(a, "iaf_psc_exp"), "nest_precise": lambda a: run_nest(a, "iaf_psc_exp_ps_lossless")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=10_000)
    parser.add_argument("--indegree", type=int, default=1_000)
    parser.add_argument("--duration", type=float, default=1_000.0, help="ms")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--simulators", nargs="+", default=list(SIMULATORS), choices=list(SIMULATORS))
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.inside:
        built, ran, spikes = SIMULATORS[a.inside](a)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(dict(built=built, ran=ran, spikes=spikes, memory=memory)))
        return
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    reference = {}
    for name in a.simulators:
        command = [sys.executable, "-m", "benchmarks.balanced_network", "--inside", name, "--neurons", str(a.neurons),
                   "--indegree", str(a.indegree), "--duration", str(a.duration), "--seed", str(a.seed)]
        lines = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
        reference[name] = r = json.loads(lines[-1])
        rate = 1e3 * r["spikes"] / a.neurons / a.duration
        print(f"{name:16s} {a.neurons} neurons x {a.indegree} synapses, {a.duration:g} ms: build {r['built']:.2f} s, "
              f"run {r['ran']:.2f} s, {rate:.1f} Hz, "
              f"{1e9 * r['ran'] / max(r['spikes'] * a.indegree, 1):.0f} ns a synaptic event, "
              f"peak memory {r['memory']:.0f} MB", flush=True)
    for other, what in (("nest", "NEST's grid"), ("nest_precise", "NEST's lossless model")):
        for name in [name for name in reference if name.startswith("exact") and other in reference]:
            print(f"time of {name} / time of {what} = {reference[name]['ran'] / reference[other]['ran']:.3f}")
    print("load of the machine, 1 and 5 minutes: {:.1f}, {:.1f} on {} cores".format(*os.getloadavg()[:2], os.cpu_count()))


if __name__ == "__main__":
    main()
