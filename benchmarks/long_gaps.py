"""Sparse input on every path: gaps and runs of up to 1e9 time constants. `python -m benchmarks.long_gaps [--neurons 100000]`

Times between inputs, run lengths, refractory times and delays are drawn log-uniformly, ratios of time constants from 0.01 to
100, also 1, nearly 1, and no leak; weights may be 0 or too small for a float's digits. Half of the event-driven runs are cut into
pieces. Every spike is held against `tests.event_driven.sampled_reference`, which looks at the membrane in many places; where the
two differ, and for some neurons anyway, 50 digits decide (`tests.event_driven.reference`). A neuron is called ill-conditioned
where in 50 digits weights that differ by 1e-12, or times of spikes that are not rounded to floats, move its spikes as far as the
library is off, and wrong otherwise.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np

from tests.event_driven import sampled_reference as sampled
from tests.event_driven.reference import reference_spikes
from ttfs_pynn import brainscales2 as pynn
from ttfs_pynn.brainscales2 import NonIdealities
from ttfs_pynn.brainscales2.events import TICK_US, TICKS_PER_MS
from ttfs_pynn.event_driven.core import EventDrivenNetwork, LIFGroup, SpikeSourceGroup, Synapses
from ttfs_pynn.event_driven.currents import StepCurrent
from ttfs_pynn.event_driven.delta_synapses import DeltaGroup
from ttfs_pynn.first_spike import delayed_first_spike_times, first_spike_times
from ttfs_pynn.neuron import LIFParameters

LONGEST = 1e9  # time constants
N_INPUTS = 8


@dataclass
class Case:
    """One neuron and what the library made of it.

    events: (time, value, kind of `sampled_reference`), in order; most: of how many spikes, 0 for all; late: by how much a spike
    may be recorded after it happened.
    """

    parameters: dict
    events: list
    t_stop: float
    spikes: np.ndarray
    most: int = 0
    late: float = 0.0


# Draws

def log_uniform(rng, low, high, size=None):
    return np.exp(rng.uniform(np.log(low), np.log(high), size))


def random_ratios(rng, size):
    """tau_m / tau_syn."""
    kind = rng.integers(0, 8, size)
    nearly = 1.0 + rng.choice([-1.0, 1.0], size) * log_uniform(rng, 1e-14, 1e-3, size)
    return np.select([kind == 0, kind == 1, kind == 2], [np.ones(size), nearly, np.full(size, np.inf)],
                     log_uniform(rng, 0.01, 100.0, size))


def random_parameters(rng, size, shared, inhibitory=1.0, leak=False):
    """Arrays of PyNN's names. shared: all neurons have one tau_m and one tau_syn; inhibitory: tau_syn_I / tau_syn_E."""
    n = 1 if shared else size
    ratio = random_ratios(rng, n)
    ratio = np.where(leak & np.isinf(ratio), 7.0, ratio)
    tau_syn = np.full(n, log_uniform(rng, 0.1, 100.0))
    values = dict(tau_m=ratio * tau_syn, tau_syn_E=tau_syn, tau_syn_I=tau_syn * inhibitory, cm=log_uniform(rng, 0.1, 10.0, size),
                  v_rest=rng.choice([0.0, -65.0], size), v_thresh=rng.uniform(5.0, 20.0, size),
                  v_reset=-rng.uniform(0.0, 5.0, size), tau_refrac=tau_syn * np.where(
                      rng.random(size) < 0.7, rng.uniform(0.2, 5.0, size), log_uniform(rng, 5.0, LONGEST, size)),
                  i_offset=np.zeros(size))
    for name in ("v_thresh", "v_reset"):
        values[name] = values[name] + values["v_rest"]
    return {name: np.array(np.broadcast_to(value, (size,))) for name, value in values.items()}


def scale_of(p):
    """The weight (nA) that alone just reaches threshold."""
    ratio = np.where(np.isfinite(p["tau_m"]), p["tau_m"] / p["tau_syn_E"], 1e300)
    near = np.abs(ratio - 1) < 1e-6
    exponent = -np.log(ratio) / np.where(near, 1.0, ratio - 1.0)
    return (p["v_thresh"] - p["v_rest"]) * p["cm"] / (p["tau_syn_E"] * np.exp(np.where(near, -1.0, exponent)))


def random_weights(rng, shape):
    """In units of `scale_of`."""
    w = rng.normal(0.7, 1.5, shape) * rng.choice([1.0, 1.0, 1.0, 5.0, 1e-3], shape)
    w[rng.random(shape) < 0.1] = 0.0
    w[rng.random(shape) < 0.02] = 1e-309
    return w


def random_times(rng, n, tau):
    """n times in order from 0 on, some at one time, and a time at which to stop."""
    gaps = tau * log_uniform(rng, 1e-2, LONGEST, n + 1)
    gaps[1:][rng.random(n) < 0.15] = 0.0
    gaps[rng.random(n + 1) < 0.4] *= 1e-8  # enough of them near each other to act together
    times = np.cumsum(gaps)
    return times[:-1], times[-1] + tau * log_uniform(rng, 1e-2, LONGEST)


# Paths: each yields `Case`s

def layer(rng, size, shared=True, delays=False):
    p = random_parameters(rng, size, shared)
    neuron = LIFParameters(**{name: p[name] for name in ("tau_m", "cm", "v_rest", "v_thresh")}, tau_syn=p["tau_syn_E"])
    times, t_stop = random_times(rng, N_INPUTS, p["tau_syn_E"].max())
    times = rng.permutation(times - (times[0] + rng.choice([0.0, 1.0]) * rng.random() * times[-1]))
    w = random_weights(rng, (N_INPUTS, size)) * scale_of(p)
    arrivals = np.broadcast_to(times[:, None], w.shape)
    if delays:
        d = p["tau_syn_E"].max() * log_uniform(rng, 1e-2, LONGEST, w.shape) * (rng.random(w.shape) < 0.7)
        arrivals, found = times[:, None] + d, delayed_first_spike_times(times[None], w, d, neuron)[0]
    else:
        found = first_spike_times(times[None], w, neuron)[0]
    for n in range(size):
        order = np.argsort(arrivals[:, n], kind="stable")
        events = [(arrivals[i, n], w[i, n], sampled.EXCITATORY) for i in order]
        yield Case({name: values[n] for name, values in p.items()}, events, events[-1][0] + 1e4 * p["tau_syn_E"][n],
                   found[n:n + 1][np.isfinite(found[n:n + 1])], 1)


def network(rng, size, shared=False, inhibitory=1.0, sparse=False, injected=False, recurrent=None, delta=False):
    """Sources and one group. recurrent: 'windows', 'queue' or 'steps', with connections that close no excitatory cycle."""
    p = random_parameters(rng, size, shared, inhibitory, leak=injected)
    tau = p["tau_syn_E"].max()
    net = EventDrivenNetwork("queue" if recurrent == "steps" else recurrent)
    group = DeltaGroup(size, {k: v for k, v in p.items() if "syn" not in k}) if delta else LIFGroup(size, p)
    sources = SpikeSourceGroup(N_INPUTS)
    times, t_stop = random_times(rng, 12, tau)
    source = rng.integers(0, N_INPUTS, times.size)
    trains = [times[source == k] for k in range(N_INPUTS)]
    sources.set_spike_times(np.concatenate(trains), np.cumsum([0] + [train.size for train in trains]))
    net.add_group(sources)
    net.add_group(group)
    w = random_weights(rng, (N_INPUTS, size)) * (scale_of(p) if not delta else p["v_thresh"] - p["v_rest"])
    pre, post = (index.ravel() for index in np.mgrid[:N_INPUTS, :size])
    delays = np.full(pre.size, rng.choice([0.0, tau * log_uniform(rng, 1e-2, LONGEST)]))
    if sparse:
        delays = tau * log_uniform(rng, 1e-2, LONGEST, pre.size) * (rng.random(pre.size) < 0.7)
    connections = [(sources, pre, post, np.maximum(w, 0.0).ravel(), delays, "excitatory"),
                   (sources, pre, post, np.minimum(w, 0.0).ravel(), delays, "inhibitory")]
    if recurrent:
        few = 2 * size
        a, b = rng.integers(0, size, few), rng.integers(0, size, few)
        shortest = tau * {"windows": 0.5, "queue": 1e-4, "steps": 0.5}[recurrent]
        d = shortest * (1.0 + log_uniform(rng, 1e-2, LONGEST, few))
        strength = (scale_of(p) if not delta else p["v_thresh"] - p["v_rest"])[b] * rng.uniform(0.0, 2.0, few)
        forward = a < b  # excitation reaches later neurons only
        connections.append((group, a[forward], b[forward], strength[forward], d[forward], "excitatory"))
        connections.append((group, a[~forward], b[~forward], -strength[~forward], d[~forward], "inhibitory"))
    for pre_group, a, b, weight, d, receptor in connections:
        net.add_synapses(Synapses(pre_group, group, receptor, a, b, weight, d))
    assert all(s.is_dense for s in net.synapses) == (not sparse and not recurrent)
    assert group._one_kind == (shared and inhibitory == 1)
    current = None
    if injected:
        changes, _ = random_times(rng, 4, tau)
        changes = np.unique(changes)
        part = rng.uniform(-0.5, 0.9, changes.size)
        current = StepCurrent(changes, part * ((p["v_thresh"] - p["v_rest"]) * p["cm"] / p["tau_m"]).min())
        group._injections.add(current, np.arange(size))
    stops = [t_stop]
    if rng.random() < 0.5:
        stops = np.unique([*np.minimum(np.cumsum(tau * log_uniform(rng, 1e-2, LONGEST, 4)), t_stop), *times[:2], t_stop])
    parts = [net.advance(stop) for stop in stops]
    spikes = {g: tuple(np.concatenate([part[g][k] for part in parts]) for k in (0, 1)) for g in net.groups}
    return _cases(p, group, spikes, net.synapses, current, t_stop, delta)


def chip(rng, size):
    """The emulated chip without non-idealities, through PyNN. Times in us, voltages in LSB."""
    tau_m, tau_e, tau_i = (rng.uniform(5.0, 30.0, 3) if rng.random() < 0.5 else np.full(3, 10.0))
    ticks = np.unique((random_times(rng, 12, 10.0)[0] / TICK_US).astype(np.int64))
    pynn.setup(non_idealities=NonIdealities.off(), seed=1)
    # half a tick later, for the adapter truncates
    sources = pynn.Population(ticks.size, pynn.cells.SpikeSourceArray(spike_times=[[(t + 0.5) / TICKS_PER_MS] for t in ticks]))
    refractory = rng.choice([0.8, 2.0])  # others are rounded by the chip
    neurons = pynn.Population(size, pynn.cells.CalibHXNeuronCuba(tau_m=tau_m, tau_syn_E=tau_e, tau_syn_I=tau_i,
                                                                 tau_refrac=refractory))
    neurons.record("spikes")
    w = rng.integers(-100, 300, (ticks.size, size))
    for receptor, part in (("excitatory", np.maximum(w, 0)), ("inhibitory", np.minimum(w, 0))):
        projection = pynn.Projection(sources, neurons, pynn.AllToAllConnector(), receptor_type=receptor,
                                     synapse_type=pynn.standardmodels.synapses.StaticSynapse(weight=0))
        projection.set(weight=part)
    runtimes = (ticks[-1] / TICKS_PER_MS + log_uniform(rng, 1e-2, 1e7)) * rng.dirichlet(np.ones(rng.integers(1, 4)))
    runtimes = (np.floor(runtimes * TICKS_PER_MS) + 0.01) / TICKS_PER_MS  # whole ticks, and more than rounding takes
    for runtime in runtimes[:-1]:
        pynn.run(runtime, pynn.RunCommand.APPEND)
    pynn.run(runtimes[-1])
    trains = [train.magnitude * 1000.0 for train in neurons.get_data("spikes").segments[0].spiketrains]  # one a piece and neuron
    parameters = dict(tau_m=tau_m, tau_syn_E=tau_e, tau_syn_I=tau_i, cm=1.0, v_rest=80.0, v_reset=70.0, v_thresh=125.0,
                      tau_refrac=refractory, i_offset=0.0)
    gain = np.e * 15.34 / 63.0 / np.where(w > 0, tau_e, tau_i)  # tests.brainscales2.test_against_exact
    for n in range(size):
        events = [(t * TICK_US, x, int(x < 0)) for t, x in zip(ticks, w[:, n] * gain[:, n], strict=True)]
        yield Case(parameters, events, runtimes.sum() * 1000.0, np.concatenate(trains[n::size]), late=1.03 * TICK_US)


def _cases(p, group, spikes, synapses, current, t_stop, delta):
    events = [[] for _ in range(group.size)]
    for s in synapses:
        index, times = spikes[s.pre_group]
        kind = sampled.JUMP if delta else (sampled.INHIBITORY if s.receptor == "inhibitory" else sampled.EXCITATORY)
        for k in range(len(s)):
            events[s.post[k]] += [(t, s.weight[k], kind) for t in times[index == s.pre[k]] + s.delay[k] if t < t_stop] \
                if s.weight[k] else []
    if current is not None:
        changes = [(t, a, sampled.INJECTED) for t, a in zip(current.times, current.amplitudes, strict=True) if t < t_stop]
        events = [mine + changes for mine in events]
    index, times = spikes[group]
    for n in range(group.size):
        yield Case({name: values[n] for name, values in p.items()}, sorted(events[n], key=lambda event: event[0]), t_stop,
                   times[index == n])


PATHS = {
    "layers, equal constants": lambda rng, n: layer(rng, n),
    "layers, unequal constants": lambda rng, n: layer(rng, n, shared=False),
    "layers, delays": lambda rng, n: layer(rng, n, shared=bool(rng.random() < 0.5), delays=True),
    "blocks": lambda rng, n: network(rng, n, shared=True),
    "mixed": lambda rng, n: network(rng, n, inhibitory=log_uniform(rng, 0.01, 100.0)),
    "sparse, a delay a connection": lambda rng, n: network(rng, n, inhibitory=log_uniform(rng, 0.01, 100.0), sparse=True),
    "driven": lambda rng, n: network(rng, n, inhibitory=log_uniform(rng, 0.01, 100.0), injected=True),
    "delta": lambda rng, n: network(rng, n, delta=True, sparse=True),
    "windows": lambda rng, n: network(rng, n, inhibitory=log_uniform(rng, 0.01, 100.0), sparse=True, recurrent="windows"),
    "queue": lambda rng, n: network(rng, n, inhibitory=log_uniform(rng, 0.01, 100.0), sparse=True, recurrent="queue"),
    "chip": chip,
    "steps": lambda rng, n: network(rng, n, inhibitory=log_uniform(rng, 0.01, 100.0), injected=True, recurrent="steps"),
}


# Judgement

def fits(case, expected, tolerance):
    after = case.spikes - expected if case.spikes.size == expected.size else np.array([np.inf])
    return bool((after >= -tolerance).all() and (after <= case.late + tolerance).all())


def against_samples(case):
    """Whether all spikes are where the sampled reference has them, within four roundings of time and 1e-10 mV of the membrane."""
    times, values, kinds = (np.array([event[k] for event in case.events]) for k in range(3))
    rest = case.parameters["v_rest"]
    expected, slopes = sampled.sampled_spikes(case.parameters, rest, times, values, kinds.astype(np.int64), case.t_stop,
                                              case.most)
    tau = min(case.parameters["tau_m"], case.parameters["tau_syn_E"])
    with np.errstate(divide="ignore"):
        return fits(case, expected, 4 * np.spacing(np.abs(expected)) + 1e-10 / np.abs(slopes) + 1e-10 * tau)


def in_digits(case, scale=1.0, rounded=True):
    events = [(t, value * (scale if kind != sampled.INJECTED else 1.0), sampled.NAMES[kind]) for t, value, kind in case.events]
    begin = min(0.0, events[0][0]) if events else 0.0
    return reference_spikes(case.parameters, case.parameters["v_rest"], events, case.t_stop, most=case.most or None, begin=begin,
                            rounded=rounded)


def judged(case):
    """'right', 'ill-conditioned' or 'wrong', by 50 digits."""
    expected = in_digits(case)
    tau = min(case.parameters["tau_m"], case.parameters["tau_syn_E"])
    tolerance = 4 * np.spacing(np.abs(expected)) + 1e-9 * tau
    if fits(case, expected, tolerance):
        return "right"
    others = [in_digits(case, 1 - 1e-12), in_digits(case, 1 + 1e-12), in_digits(case, rounded=False)]
    if any(other.size != expected.size for other in others):
        return "ill-conditioned"
    spread = np.maximum.accumulate(np.max([np.abs(other - expected) for other in others], axis=0))
    return "ill-conditioned" if fits(case, expected, 4 * spread + tolerance) else "wrong"


def check(path, n_neurons, seed, in_digits_too=0, batch=100):
    """(counts of neurons, spikes, who asked 50 digits, and verdicts; the wrong cases)."""
    counts, wrong = dict.fromkeys(("neurons", "spikes", "asked 50 digits", "right", "ill-conditioned", "wrong"), 0), []
    every = n_neurons // in_digits_too if in_digits_too else 0
    while counts["neurons"] < n_neurons:
        rng = np.random.default_rng((seed, counts["neurons"]))
        for case in PATHS[path](rng, min(batch, n_neurons - counts["neurons"])):
            sound = against_samples(case)
            verdict = "right"
            if not sound or (every and counts["neurons"] % every == 0):
                counts["asked 50 digits"] += 1
                verdict = judged(case)
            counts["neurons"] += 1
            counts["spikes"] += case.spikes.size
            counts[verdict] += 1
            if verdict == "wrong":
                wrong.append(case)
    return counts, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=100_000, help="of each path")
    parser.add_argument("--digits", type=int, default=300, help="how many of them are held against 50 digits in any case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paths", nargs="*", default=list(PATHS), choices=list(PATHS), metavar="PATH", help=", ".join(PATHS))
    a = parser.parse_args()
    failed = False
    for path in a.paths:
        begin = time.perf_counter()
        counts, wrong = check(path, a.neurons, a.seed, a.digits)
        found = ", ".join(f"{n} {what}" for what, n in counts.items())
        print(f"{path}: {found}; {time.perf_counter() - begin:.0f} s", flush=True)
        for case in wrong[:3]:
            print(f"  wrong: {case}", flush=True)
        failed |= bool(wrong)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
