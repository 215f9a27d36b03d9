"""Random small networks on every path of the event-driven simulator. `python -m benchmarks.fuzz_networks [--networks 100000]`

Each network (sources, one to three groups, any parameters, delays from 0 on, ties) runs in windows, through the event queue, in
pieces, and, where it has no cycle, by the two feed-forward kernels. Spikes must agree within 1e-6 ms. Where they do not,
the network counts as ill-conditioned if weights that differ by 1e-11 make the same difference in a single path, and as wrong
otherwise. Some are held against 40 digits: every neuron, given the spikes of all others. One in five is given a value that
makes no sense; it must be refused with a message that says so.
"""

import argparse
import collections
import time

import numpy as np

from tests.event_driven.reference import reference_spikes
from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, SimulationError, SpikeSourceGroup, Synapses

DURATION, TOLERANCE = 40.0, 1e-6
BAD = dict(tau_m=(0.0, -1.0, np.nan), cm=(0.0, -1.0, np.nan, np.inf), tau_syn_E=(0.0, -3.0, np.inf), tau_syn_I=(0.0, np.nan),
           v_rest=(np.nan, np.inf), v_thresh=(-90.0, np.nan), v_reset=(0.0, np.inf), tau_refrac=(-1.0, np.inf, np.nan),
           i_offset=(np.inf, np.nan), weight=(np.nan, np.inf), delay=(-0.1, np.nan, np.inf))


def random_parameters(rng, n, refractory):
    def some(draw):
        return draw(n) if rng.random() < 0.5 else np.full(n, draw(1)[0])
    tau_syn_e = some(lambda k: rng.uniform(0.5, 8, k))
    same = rng.random()
    return dict(tau_m=tau_syn_e.copy() if same < 0.1 else some(lambda k: rng.uniform(3, 30, k)),
                cm=some(lambda k: rng.uniform(0.1, 2, k)),
                v_rest=some(lambda k: rng.uniform(-70, -60, k)), v_reset=some(lambda k: rng.uniform(-80, -61, k)),
                v_thresh=some(lambda k: rng.uniform(-60, -40, k)), tau_refrac=some(lambda k: rng.choice(refractory, k)),
                i_offset=some(lambda k: rng.choice([0.0, 0.0, -0.3, 0.3, 1.0], k) * rng.uniform(0, 2, k)),
                tau_syn_E=tau_syn_e, tau_syn_I=tau_syn_e.copy() if same > 0.6 else some(lambda k: rng.uniform(8.5, 20, k)))


def random_delays(rng, size):
    kind = rng.integers(6)
    if kind == 0:
        return np.full(size, rng.choice([0.1, 1.0, 1.5]))
    if kind == 1:
        return rng.choice([0.0, 0.5, 1.0], size)
    if kind == 2:
        return rng.uniform(1e-4, 1e-2, size)
    return rng.uniform(0.1, 5, size)


def random_network(rng):
    """A description: (trains, [(size, parameters, initial v)], [(pre, post, receptor, pre index, post index, weight, delay)])."""
    trains = [np.sort(rng.uniform(0, DURATION, rng.integers(0, 10))) for _ in range(rng.integers(1, 5))]
    if rng.random() < 0.3:
        trains = [np.floor(train) for train in trains]
    feed_forward = rng.random() < 0.4
    refractory = (0.0, 0.1, 2.0) if feed_forward else (0.2, 0.5, 2.0)  # excitation that feeds itself would never end
    groups = []
    for n in rng.integers(1, 6, rng.integers(1, 4)):
        parameters = random_parameters(rng, n, refractory)
        groups.append((int(n), parameters, rng.uniform(parameters["v_rest"] - 5, parameters["v_thresh"] + 0.2)))
    pairs = [(0, post) for post in range(1, len(groups) + 1)]
    pairs += [(pre, post) for pre in range(1, len(groups) + 1) for post in range(1, len(groups) + 1)
              if rng.random() < 0.6 and (pre < post or not feed_forward)]
    sizes = [len(trains)] + [group[0] for group in groups]
    connections = []
    for pre, post in pairs:
        for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
            if rng.random() < 0.5:
                a, b = (index.ravel() for index in np.mgrid[:sizes[pre], :sizes[post]])
            else:
                size = rng.integers(0, 2 * sizes[pre] * sizes[post])
                a, b = rng.integers(0, sizes[pre], size), rng.integers(0, sizes[post], size)
            weight = sign * rng.gamma(1.5, rng.choice([0.1, 1.0, 4.0]), a.size)
            delay = random_delays(rng, a.size) if rng.random() < 0.7 else np.full(a.size, rng.choice([0.0, 1.0]))
            connections.append((pre, post, receptor, a, b, weight, delay))
    return trains, groups, connections


def build(description, method=None, together=False, sparse=False, scale=1.0):
    """together: a connection of weight 0 to themselves makes all groups recurrent. sparse: not the all-to-all kernel."""
    trains, groups, connections = description
    network = EventDrivenNetwork(method)
    sources = SpikeSourceGroup(len(trains))
    sources.set_spike_times(np.concatenate(trains), np.cumsum([0] + [train.size for train in trains]))
    network.add_group(sources)
    for size, parameters, v in groups:
        group = LIFGroup(size, parameters, dict(v=v))
        if sparse:
            group._one_kind = False
        network.add_group(group)
    for pre, post, receptor, a, b, weight, delay in connections:
        network.add_synapses(Synapses(network.groups[pre], network.groups[post], receptor, a, b, weight * scale, delay))
    if together:
        for group in network.groups[1:]:
            network.add_synapses(Synapses(group, group, "excitatory", [0], [0], 0.0, 2.0))
    return network


def run(network, stops=(DURATION,)):
    """Sorted spike times of every neuron of every group."""
    parts = [network.advance(stop) for stop in stops]
    result = []
    for group in network.groups[1:]:
        index, times = (np.concatenate([part[group][k] for part in parts]) for k in (0, 1))
        assert (np.diff(times) >= 0).all()
        result += [times[index == n] for n in range(group.size)]
    return result


def same(first, second, tolerance=TOLERANCE):
    return all(a.size == b.size and (not a.size or np.abs(a - b).max() <= tolerance) for a, b in zip(first, second, strict=True))


def paths(rng, description):
    """name -> (network, stops)."""
    stops = [*np.sort(rng.uniform(0, DURATION, 5)), DURATION]
    delays = np.concatenate([c[6] for c in description[2]] or [np.ones(1)])
    result = {"queue": (build(description, "queue", together=True), [DURATION]),
              "queue, pieces": (build(description, "queue", together=True), stops), "as chosen": (build(description), [DURATION]),
              "as chosen, pieces": (build(description), stops)}
    if delays.min(initial=1.0) >= 0.01:
        result["windows"] = build(description, "windows", together=True), [DURATION]
        result["windows, pieces"] = build(description, "windows", together=True), stops
    if not any(pre >= post > 0 for pre, post, *_ in description[2]):
        result["sparse"] = build(description, sparse=True), [DURATION]
    return result


def against_reference(description, spikes):
    """(neurons compared, largest difference; inf where the number differs). Only where time constants differ pairwise."""
    trains, groups, connections = description
    first = np.cumsum([0] + [group[0] for group in groups])
    compared, worst = 0, 0.0
    for g, (size, parameters, v) in enumerate(groups):
        for n in range(size):
            p = {name: float(values[n]) for name, values in parameters.items()}
            if np.diff(sorted((p["tau_m"], p["tau_syn_E"], p["tau_syn_I"]))).min() < 0.05:
                continue
            events = []
            for pre, post, receptor, a, b, weight, delay in connections:
                for k in np.flatnonzero(b == n) if post == g + 1 else ():
                    train = trains[a[k]] if pre == 0 else spikes[first[pre - 1] + a[k]]
                    events += [(t + delay[k], weight[k], receptor) for t in train if t + delay[k] < DURATION]
            expected = reference_spikes(p, v[n], sorted(events, key=lambda event: event[0]), DURATION)
            found = spikes[first[g] + n]
            compared += 1
            worst = max(worst, np.abs(expected - found).max(initial=0.0) if expected.size == found.size else np.inf)
    return compared, worst


def spoil(rng, description):
    """Put a value that makes no sense at a random place; returns its name."""
    trains, groups, connections = description
    name = rng.choice(list(BAD))
    value = rng.choice(BAD[name])
    if name in ("weight", "delay"):
        chosen = [c for c in connections if c[3].size]
        if not chosen:
            return None
        array = chosen[rng.integers(len(chosen))][5 if name == "weight" else 6]
    else:
        array = groups[rng.integers(len(groups))][1][name]
    array[rng.integers(array.size)] = value
    return str(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=100_000)
    parser.add_argument("--reference", type=int, default=200, help="how many are held against 40 digits")
    parser.add_argument("--first", type=int, default=0, help="seed of the first network")
    a = parser.parse_args()
    count, worst, n_spikes, begin = collections.Counter(), 0.0, 0, time.perf_counter()
    referenced = set(np.random.default_rng(a.first).choice(a.networks, min(a.reference, a.networks), replace=False) + a.first)
    for seed in range(a.first, a.first + a.networks):
        if (seed - a.first) % 10_000 == 0 and seed > a.first:
            print(f"after {seed - a.first} networks: {dict(count)}", flush=True)
        rng = np.random.default_rng(seed)
        description = random_network(rng)
        if seed % 5 == 0:
            name = spoil(rng, description)
            try:
                run(build(description))
                count["spoilt, not refused" if name else "nothing to spoil"] += 1
                if name:
                    print(f"network {seed}: a bad {name} was not refused")
            except ValueError as error:
                clear = name.split("_")[0] in str(error) and len(str(error)) > 20
                count["spoilt, refused" if clear else "spoilt, refused unclearly"] += 1
                if not clear:
                    print(f"network {seed}: {name}: {error}")
            continue
        try:
            networks = paths(rng, description)
            results = {name: run(*network) for name, network in networks.items()}
        except SimulationError as error:
            if "without delay" not in str(error):
                raise
            count["zero-delay cycle, refused"] += 1
            continue
        except Exception as error:
            count["CRASHED"] += 1
            print(f"network {seed}: {error!r}", flush=True)
            continue
        spikes = results["as chosen"]
        n_spikes += sum(train.size for train in spikes)
        differing = [name for name, found in results.items() if not same(spikes, found)]
        if not differing:
            count["agree"] += 1
        elif not all(same(spikes, run(build(description, scale=1 + change))) for change in (-1e-11, 1e-11, -1e-10, 1e-10)):
            count["ill-conditioned"] += 1
        else:
            count["WRONG"] += 1
            print(f"network {seed}: {differing} differ")
        if seed in referenced:
            compared, difference = against_reference(description, spikes)
            count["neurons held against 40 digits"] += compared
            if np.isinf(difference):
                print(f"network {seed}: number of spikes differs from 40 digits")
                count["WRONG against 40 digits"] += 1
            else:
                worst = max(worst, difference)
    print(f"{a.networks} networks, {n_spikes} spikes, {time.perf_counter() - begin:.0f} s: "
          + ", ".join(f"{name} {n}" for name, n in sorted(count.items()))
          + f"; largest difference from 40 digits {worst:.1e} ms", flush=True)


if __name__ == "__main__":
    main()
