"""Derivatives of networks that are written in PyNN against central differences: every difference is two presentations on `exact`,
read from Neo.

Differences are of fourth order with steps of 2e-4 nA or ms; times have 1e-12 ms, so they are right to about 1e-8 of a derivative
of 1. A derivative jumps where an input arrives at the very time of an output spike: such parameters show up as a difference that
depends on the step, and are left out; there are few. One such pair of spikes is felt by every parameter that moves either: in
`recorded` by a tenth of them.
"""

import numpy as np
import pytest

from benchmarks.own_network import CELL
from benchmarks.own_network import build as own_network
from ttfs_pynn import Network
from ttfs_pynn.learning.engine import GradientEngine, first_spikes
from ttfs_pynn.simulators import simulator

STEP, SLOPES = 2e-4, np.arange(1, 4)
LONG = {**CELL, "tau_refrac": 800.0}


def connected(sim, projections, name, pre, post, probability, weights, delays, rng, receptor="excitatory"):
    """Enter a projection of random pairs, weights and delays."""
    pairs = [(i, j, rng.uniform(*weights), rng.uniform(*delays)) for i in range(pre.size) for j in range(post.size)
             if rng.random() < probability and not (pre is post and i == j)]
    projections[name] = sim.Projection(pre, post, sim.FromListConnector(pairs), receptor_type=receptor, label=name)


def own(sim):
    """Two populations of sources, excitatory and inhibitory hidden ones, sparse, delays of its own, a skip."""
    populations, projections = own_network(sim)
    populations["B"].set(spike_times=[[1.0 + 0.6 * i] for i in range(6)])
    network = Network(sim, projections, populations["L"], t_early=1.0, t_late=15.0, train_delays=list(projections),
                      train_times=["B"])
    weaker = {name: 0.6 * network.parameters[name] for name in ("A>E.weight", "B>E.weight")}  # else inhibition comes too late
    network.write(network.parameters | weaker)
    return network, {"A": (6,)}


def skips(sim):
    """Signed weights as pairs of projections, three layers, and all that may be skipped."""
    rng, cell = np.random.default_rng(3), sim.IF_curr_exp(**LONG)
    sizes = {"H1": (10, cell), "H2": (8, sim.IF_curr_exp(**LONG | {"tau_m": 10.0, "tau_syn_E": 10.0, "tau_syn_I": 10.0})),
             "L": (3, cell)}
    of = {name: sim.Population(n, kind, label=name) for name, (n, kind) in sizes.items()}
    of["A"] = sim.Population(8, sim.SpikeSourceArray(), label="A")
    of["bias"] = sim.Population(3, sim.SpikeSourceArray(spike_times=[[1.0], [6.0], [12.0]]), label="bias")
    projections = {}
    for k, (pre, post, low, high) in enumerate((("A", "H1", -1, 5), ("bias", "H1", -1, 4), ("H1", "H2", -2, 5), ("A", "H2", -1,
                                                                                                                 4),
                                                ("H2", "L", -2, 5), ("A", "L", -2, 3), ("H1", "L", -2, 3))):
        weights = rng.uniform(low, high, (of[pre].size, of[post].size))
        for receptor, part in (("excitatory", np.maximum(weights, 0)), ("inhibitory", np.minimum(weights, 0))):
            made = sim.Projection(of[pre], of[post], sim.AllToAllConnector(), sim.StaticSynapse(weight=0.0, delay=0.5 + 0.13 * k),
                                  receptor_type=receptor, label=f"{pre}>{post} {receptor}")
            made.set(weight=part)
            projections[made.label] = made
    return Network(sim, projections, of["L"], t_early=1.0, t_late=15.0, train_delays=list(projections),
                   train_times=["bias"]), {"A": (8,)}


def recurrent(sim):
    """Excitatory and inhibitory neurons that hear each other and themselves, label neurons that inhibit each other."""
    rng, cell = np.random.default_rng(5), sim.IF_curr_exp(**LONG)
    a = sim.Population(8, sim.SpikeSourceArray(), label="A")
    bias = sim.Population(3, sim.SpikeSourceArray(spike_times=[[1.0], [6.0], [12.0]]), label="bias")
    e, i, out = (sim.Population(n, cell, label=label) for n, label in ((12, "E"), (4, "I"), (3, "L")))
    projections = {}
    for name, pre, post, share, weights, delays in (
            ("A>E", a, e, 0.7, (2, 6), (0.5, 2)), ("bias>E", bias, e, 0.7, (1, 5), (0.5, 1)), ("A>I", a, i, 0.8, (3, 6), (0.1,
                                                                                                                          0.5)),
            ("E>I", e, i, 0.5, (1, 3), (0.1, 0.5)), ("I>E", i, e, 0.6, (-2.0, -0.5), (0.1, 0.5)),
            ("E>E", e, e, 0.4, (0.5, 2), (0.3, 1)), ("I>I", i, i, 0.5, (-1, -0.2), (0.1, 0.5)),
            ("E>L", e, out, 0.8, (1, 4), (0.5, 1)), ("L>L", out, out, 1.0, (-1.5, -0.5), (0.05, 0.2)),
            ("I>L", i, out, 0.5, (-1, -0.2), (0.2, 0.4)), ("A>L", a, out, 0.5, (1, 2), (1, 2))):
        receptor = "inhibitory" if weights[1] < 0 else "excitatory"
        connected(sim, projections, name, pre, post, share, weights, delays, rng, receptor)
    return Network(sim, projections, out, t_early=1.0, t_late=15.0, train_delays=list(projections),
                   train_times=["bias"]), {"A": (8,)}


def recorded(sim):
    """Sources that spike five times a sample."""
    rng, cell = np.random.default_rng(8), sim.IF_curr_exp(**LONG)
    a = sim.Population(8, sim.SpikeSourceArray(), label="A")
    e, out = (sim.Population(n, cell, label=label) for n, label in ((14, "E"), (3, "L")))
    projections = {}
    connected(sim, projections, "A>E", a, e, 0.8, (0.3, 1.5), (0.5, 0.5), rng)
    connected(sim, projections, "E>L", e, out, 0.9, (0.5, 3.0), (0.5, 1.0), rng)
    connected(sim, projections, "A>L", a, out, 0.5, (0.1, 0.5), (1.0, 2.0), rng)
    return Network(sim, projections, out, t_early=1.0, t_late=15.0, train_delays=["A>L", "E>L"]), {"A": (8, 5)}


def weighted(times, labels):
    """A loss in which every label spike counts."""
    spiking = np.isfinite(times)
    slopes = SLOPES * np.where(labels[:, None] == np.arange(3), 1.3, -0.7)
    return (np.where(spiking, times, 0.0) * slopes).sum(axis=1), np.where(spiking, slopes, 0.0)


def differences(network, times, labels, name, index):
    """Central differences with STEP and half of it."""
    base = dict(network.parameters)

    def loss(step):
        array = base[name].copy()
        array.ravel()[index] += step
        network.write({**base, name: array})
        return weighted(first_spikes(network.present(times)).labels, labels)[0].mean()

    try:
        at = {k: loss(k * STEP / 2) for k in (-4, -2, -1, 1, 2, 4)}
    finally:
        network.write(base)
    return ((at[-4] - 8 * at[-2] + 8 * at[2] - at[4]) / (12 * STEP), (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (6 * STEP))


def check(case, most):
    """Compare up to `most` values of each parameter (None: all)."""
    network, shapes = case(simulator("exact").setup(0.1))
    rng = np.random.default_rng(0)
    times = {label: np.sort(rng.uniform(1.0, 12.0, (12, *shape)), axis=-1) if len(shape) > 1
             else rng.uniform(1.0, 12.0, (12, *shape)) for label, shape in shapes.items()}
    labels = rng.integers(0, 3, 12)
    spikes = first_spikes(network.present(times))
    assert all(np.isfinite(spikes[node.label]).any(axis=0).mean() >= 0.9 for node in network.graph.neurons)
    gradients = GradientEngine(network.graph).gradients(network.present(times), network.parameters, weighted, labels).parameters
    left_out = compared = 0
    for name, found in gradients.items():
        assert (found != 0).mean() >= 1 / 3, name
        chosen = np.arange(found.size) if most is None else rng.permutation(found.size)[:most]
        for index in chosen:
            whole, half = differences(network, times, labels, name, index)
            size = max(abs(half), abs(found.ravel()[index]), 1e-3)
            if abs(whole - half) > 3e-6 * size:
                left_out += 1
                continue
            compared += 1
            assert abs(found.ravel()[index] - half) <= 1e-5 * size, (name, index)
    assert compared and left_out <= 1 + 0.15 * compared


@pytest.mark.parametrize("case", [own, skips, recurrent, recorded])
def test_some_of_each_parameter(case):
    check(case, 2)


@pytest.mark.slow
@pytest.mark.parametrize("case", [own, skips, recurrent, recorded])
def test_many_of_each_parameter(case):
    check(case, 25)
