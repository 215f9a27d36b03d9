"""What users may get wrong about a network of their own: one line each, which says what was given and what to do."""

import neo
import numpy as np
import pytest

from benchmarks.own_network import CELL
from ttfs_pynn import Network, SpikeData, Trainer, TrainingOptions, evaluate
from ttfs_pynn.errors import TTFSError
from ttfs_pynn.graph import Edge, Graph, Node, layered, local_fields, random_pairs
from ttfs_pynn.simulators import simulator

S = simulator("exact")


def projection(sim, post=None, pre=None, connector=None, **cell):
    """Three sources 'A', all connected to two neurons 'L'."""
    sources = pre or sim.Population(3, sim.SpikeSourceArray(), label="A")
    neurons = post or sim.Population(2, sim.IF_curr_exp(**{**CELL, "tau_refrac": 600.0, **cell}), label="L")
    return sim.Projection(sources, neurons, connector or sim.AllToAllConnector(), sim.StaticSynapse(weight=2.0, delay=0.5),
                          label="A>L")


def network(sim, outputs="L", projections=None, t_late=10.0, options=None, **given):
    return Network(sim, [projection(sim, **given)] if projections is None else projections, outputs, t_late, **(options or {}))


def started(sim):
    made = projection(sim)
    made.post.initialize(v=-60.0)
    return network(sim, projections=[made])


def injected(sim):
    made = projection(sim)
    sim.DCSource(amplitude=0.5).inject_into(made.post)
    return network(sim, projections=[made])


def left_out(sim):
    made = projection(sim)
    sim.Projection(made.pre, made.post, sim.AllToAllConnector(), sim.StaticSynapse(weight=3.0, delay=0.5), label="other")
    return network(sim, projections=[made])


def assembled(sim):
    made = projection(sim)
    return network(sim, outputs=made.post[:1], projections=[made])


def of_yesterday(sim):
    made = network(sim)
    S.setup(0.1)
    return made.present(np.ones((1, 3)))


ONES, LABELS = np.ones((4, 3)), [0, 1, 1, 0]
CASES = {
    "other cells": ("IF_curr_delta", lambda s: network(s, post=s.Population(2, s.IF_curr_delta(), label="D"), outputs="D")),
    "unequal synapses": ("'L': tau_syn_E = 5.0 and tau_syn_I = 7.0", lambda s: network(s, tau_syn_I=7.0)),
    "a current": ("'L': i_offset", lambda s: network(s, i_offset=0.1)),
    "Poisson sources": ("'P' is SpikeSourcePoisson", lambda s: network(s, pre=s.Population(3, s.SpikeSourcePoisson(),
                                                                                           label="P"))),
    "not at rest": ("'L' starts at v = -60", started),
    "no projections": ("no projections", lambda s: network(s, projections=[])),
    "no such output": ("unknown population 'X'; known: A, L", lambda s: network(s, outputs="X")),
    "sources as output": ("must be a population of neurons", lambda s: network(s, outputs="A")),
    "numbers for projections": ("1 is no PyNN Projection", lambda s: network(s, projections=[1])),
    "text for a projection": ("is str, no PyNN Projection", lambda s: network(s, projections={"A>L": "A>L"})),
    "train what is not there": ("did you mean 'A>L'", lambda s: network(s, options={"train": ["B>L"]})),
    "train a text": ("give a list", lambda s: network(s, options={"train": "A>L"})),
    "delays of what is not there": ("train_delays: unknown projection", lambda s: network(s, options={"train_delays": ["zz"]})),
    "times that there are not": ("'A' have no spike times", lambda s: network(s, options={"train_times": ["A"]})),
    "negative t_late": ("need 0 <= t_early <= t_late", lambda s: network(s, t_late=-1.0)),
    "t_early after t_late": ("from 20 to 10 ms", lambda s: network(s, options={"t_early": 20.0})),
    "no copies": ("copies = 0", lambda s: network(s, options={"copies": 0})),
    "copies in place": ("give one of the two", lambda s: network(s, options={"copies": 2, "in_place": True})),
    "short refractoriness in place": ("set tau_refrac >= 70.5 ms", lambda s: network(s, options={"in_place": True},
                                                                                     tau_refrac=2.0)),
    "one label for two": ("two populations have the label 'A'", lambda s: network(s, projections=[projection(s), projection(s)])),
    "no connections": ("'A>L' has no connections", lambda s: network(s, connector=s.FromListConnector([]))),
    "no module": ("'exact' is no PyNN module", lambda s: Network("exact", [projection(s)], "L", 10.0)),
    "one projection": ("give a list of all projections", lambda s: network(s, projections=projection(s))),
    "the same twice": ("there twice", lambda s: network(s, projections=dict.fromkeys(("a", "b"), projection(s)))),
    "a current source": ("a current is injected into population 'L'", injected),
    "a projection left out": ("6 of 12 connections to population 'L'", left_out),
    "a part as output": ("is a part or an assembly", assembled),
    "times of neurons": ("'L' are neurons", lambda s: network(s, options={"train_times": ["L"]})),
    "times as a text": ("train_times = 'A': give a list", lambda s: network(s, options={"train_times": "A"})),
    "times that differ in number": ("spike differently often", lambda s: network(
        s, pre=s.Population(3, s.SpikeSourceArray(spike_times=[[1.0, 2.0], [3.0], [4.0]]), label="A"),
        options={"train_times": ["A"]})),
    "delays too long": ("longest_delay = 0.1 ms", lambda s: network(s, options={"train_delays": ["A>L"], "longest_delay": 0.1})),
    "samples after t_late": ("after the network's t_late", lambda s: evaluate(network(s), SpikeData(11 * ONES, LABELS))),
    "an earlier setup": ("before the last setup", of_yesterday),
    "other sources": ("unknown population of spike sources 'B'", lambda s: network(s).present({"B": ONES})),
    "other number of sources": ("shape (2, 4); expected (samples, 3 inputs)", lambda s: network(s).present(np.ones((2, 4)))),
    "no spike times": ("no spike times of 'A'", lambda s: network(s).present({})),
    "negative spike times": ("spikes at -1 ms", lambda s: network(s).present(-ONES)),
    "late spike times": ("larger t_late", lambda s: network(s).present(50 * ONES)),
    "classes": ("labels up to 2", lambda s: Trainer(network(s), SpikeData(ONES, [0, 1, 2, 0]), TrainingOptions())),
    "arrays for SpikeData": ("give SpikeData", lambda s: Trainer(network(s), ONES, TrainingOptions())),
    "no network": ("str is no network", lambda s: Trainer("x", SpikeData(ONES, LABELS), TrainingOptions())),
    "a share a layer": ("one a layer is no more", lambda s: TrainingOptions(silent_tolerated=[0.9, 0.9])),
    "a share of nobody": ("silent_tolerated: unknown population 'Z'",
                          lambda s: Trainer(network(s), SpikeData(ONES, LABELS), TrainingOptions(silent_tolerated={"Z": 0.5}))),
    "empty batches": ("batch_size = 0", lambda s: TrainingOptions(batch_size=0)),
    "empty batches to evaluate": ("batch_size = 0", lambda s: evaluate(network(s), SpikeData(ONES, LABELS), batch_size=0)),
    "true epochs": ("epochs = True", lambda s: TrainingOptions(epochs=True)),
    "ragged samples": ("samples have 1, 2 sources", lambda s: SpikeData([[[1.0], [2.0]], [[1.0]]], [0, 1])),
    "an annotation of an array": ("no Block was given", lambda s: SpikeData(ONES, "orientation")),
    "a block without trials": ("no annotation 'x'", lambda s: SpikeData({"A": neo.Block()}, "x")),
    "texts for times": ("could not convert", lambda s: SpikeData([[["a"], [2.0]], [[1.0], [2.0]]], [0, 1])),
    "other numbers of samples": ("of 'B' of shape (4, 2)",
                                 lambda s: SpikeData({"A": np.ones((3, 2)), "B": np.ones((4, 2))}, [0, 1, 0])),
    "NaN": ("4 spike times are NaN", lambda s: SpikeData(np.full((2, 2), np.nan), [0, 1])),
    "weights of another shape": ("A>L.weight has shape (3, 3); expected (3, 2)",
                                 lambda s: network(s).write({"A>L.weight": np.ones((3, 3))})),
    "a misspelt weight": ("did you mean 'A>L.weight'", lambda s: network(s).write({"A>L.weigth": np.ones((3, 2))})),
    "a list of weights": ("give a dict", lambda s: network(s).write([np.ones((3, 2))])),
    "no weights": ("A>L.weight missing", lambda s: network(s).write({})),
    "no layers": ("at least one layer", lambda s: layered(3, (), 1.0, 2.0)),
    "fields too large": ("give a field that fits", lambda s: local_fields((4, 4), 5)),
    "nobody connected": ("probability = 0", lambda s: random_pairs(3, 3, 0, np.random.default_rng(0))),
    "sources alone": ("must be a population of neurons", lambda s: Graph((Node("a", 2),), (), "a", 0.0, 1.0)),
    "pairs in no order": ("sorted by post", lambda s: Edge("x", "a", "b", pairs=[(1, 0), (0, 0)])),
}


@pytest.mark.parametrize("name", CASES)
def test_one_line(name):
    text, wrong = CASES[name]
    with pytest.raises(TTFSError) as error:
        wrong(S.setup(0.1))
    assert text in str(error.value) and "\n" not in str(error.value)
    assert len(str(error.value)) < 260


def test_neurons_that_may_spike_twice_are_said():
    with pytest.warns(UserWarning, match="set tau_refrac >= 70.5 ms"):
        network(S.setup(0.1), tau_refrac=2.0)
