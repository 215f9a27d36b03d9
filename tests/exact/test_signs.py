"""Weights of the wrong sign: one rule for every connector of PyNN and for what is set later."""

import numpy as np
import pytest
import quantities as pq
from pyNN import connectors, errors
from pyNN.random import NumpyRNG, RandomDistribution


@pytest.fixture
def ends(sim):
    """Three sources and three neurons."""
    sources = sim.Population(3, sim.SpikeSourceArray(spike_times=[5.0]), label="pre")
    return sources, sim.Population(3, sim.IF_curr_exp(), label="post")


def listed(sim, weight):
    return sim.FromListConnector([(0, 0, 0.0, 1.0), (2, 1, weight, 1.0)])


def from_file(sim, weight, tmp_path):
    (tmp_path / "list.txt").write_text(f"0\t0\t0.0\t1.0\n2\t1\t{weight}\t1.0\n")
    return sim.FromFileConnector(str(tmp_path / "list.txt"))


def connection_set(sim, weight):
    csa = pytest.importorskip("csa", reason="the package csa, of which PyNN's CSAConnector is made, is not installed")
    return sim.CSAConnector(csa.cset(csa.full, weight, 1.0))


# Each makes (connector, weights of the synapse type) for a weight w; `part`: a connector of its own.
WAYS = {
    "all to all": lambda sim, w, ends, path: (sim.AllToAllConnector(), w),
    "matrix": lambda sim, w, ends, path: (sim.AllToAllConnector(), np.array([[0.0, 0, 0], [0, 0, 0], [0, 0, w]])),
    "random weights": lambda sim, w, ends, path: (sim.AllToAllConnector(), RandomDistribution("uniform", (w, w), NumpyRNG(1))),
    "function of distance": lambda sim, w, ends, path: (sim.AllToAllConnector(), lambda d: w + 0 * d),
    "text": lambda sim, w, ends, path: (sim.AllToAllConnector(), f"{w} * (d + 1)"),
    "one to one": lambda sim, w, ends, path: (sim.OneToOneConnector(), w),
    "list": lambda sim, w, ends, path: (listed(sim, w), 0.0),
    "list of quantities": lambda sim, w, ends, path: (sim.FromListConnector([(0, 0, w * pq.nA, 1 * pq.ms)]), 0.0),
    "list without weights": lambda sim, w, ends, path: (sim.FromListConnector([(0, 0), (1, 2)]), w),
    "file": lambda sim, w, ends, path: (from_file(sim, w, path), 0.0),
    "array": lambda sim, w, ends, path: (sim.ArrayConnector(np.eye(3, dtype=bool)), w),
    "fixed probability": lambda sim, w, ends, path: (sim.FixedProbabilityConnector(1.0), w),
    "distance": lambda sim, w, ends, path: (sim.DistanceDependentProbabilityConnector("d < 100"), w),
    "fixed number pre": lambda sim, w, ends, path: (sim.FixedNumberPreConnector(2), w),
    "fixed number post": lambda sim, w, ends, path: (sim.FixedNumberPostConnector(2), w),
    "fixed total number": lambda sim, w, ends, path: (sim.FixedTotalNumberConnector(4), w),
    "small world": lambda sim, w, ends, path: (sim.SmallWorldConnector(1, 0.0), w),
    "clone": lambda sim, w, ends, path: (sim.CloneConnector(sim.Projection(*ends, sim.OneToOneConnector())), w),
    "connection set": lambda sim, w, ends, path: (connection_set(sim, w), 0.0),
}
SIGNS = [("inhibitory", 0.5, "negative for current-based, inhibitory synapses"), ("excitatory", -0.5, "positive for")]


@pytest.mark.parametrize("receptor, wrong, text", SIGNS)
@pytest.mark.parametrize("way", WAYS)
def test_weights_of_the_wrong_sign(sim, ends, tmp_path, way, receptor, wrong, text):
    """One rule for every connector: as PyNN's AllToAllConnector, and of a projection that is refused nothing stays."""
    for weight in (-wrong, wrong):
        connector, weights = WAYS[way](sim, weight, ends, tmp_path)
        synapse = sim.StaticSynapse(weight=weights, delay=1.0)
        try:
            if weight != wrong:
                assert sim.Projection(*ends, connector, synapse, receptor_type=receptor).get("weight", "list")
                continue
        except NotImplementedError:
            pytest.skip(f"PyNN 0.13 has no {way}")
        before = len(sim.simulator.state.network.synapses)
        with pytest.raises(errors.ConnectionError, match=f"Weights must be {text}"):
            sim.Projection(*ends, connector, synapse, receptor_type=receptor)
        assert len(sim.simulator.state.network.synapses) == before


@pytest.mark.parametrize("receptor, wrong, text", SIGNS)
@pytest.mark.parametrize("way", ["number", "matrix", "list", "random", "function", "connection", "assembly"])
def test_weights_of_the_wrong_sign_that_are_set(sim, ends, way, receptor, wrong, text):
    target = ends[1] + sim.Population(2, sim.IF_curr_exp()) if way == "assembly" else ends[1]
    projection = sim.Projection(ends[0], target, sim.AllToAllConnector(), sim.StaticSynapse(weight=-wrong),
                                receptor_type=receptor)
    value = {"number": wrong, "matrix": np.full((3, 3), wrong), "list": [wrong] * 9, "function": lambda d: wrong + 0 * d,
             "random": RandomDistribution("uniform", (wrong, wrong), NumpyRNG(1)), "assembly": wrong}.get(way)
    with pytest.raises(errors.ConnectionError, match=f"Weights must be {text}"):
        if way == "connection":
            projection[0].weight = wrong
        else:
            projection.set(weight=value)
    assert {w for *_, w in projection.get("weight", "list")} == {-wrong}


def test_a_projection_that_asks_for_no_check(sim, ends):
    """PyNN's safe=False: signed weights in one projection, at creation and when they are set."""
    projection = sim.Projection(*ends, sim.AllToAllConnector(safe=False), sim.StaticSynapse(weight=-0.5),
                                receptor_type="excitatory")
    projection.set(weight=-0.25)
    assert projection.get("weight", "array").tolist() == [[-0.25] * 3] * 3


def test_every_connector_is_tried(sim):
    """A connector that PyNN gains is to be added to WAYS."""
    known = {"AllToAllConnector", "OneToOneConnector", "FromListConnector", "FromFileConnector", "ArrayConnector",
             "FixedProbabilityConnector", "DistanceDependentProbabilityConnector", "FixedNumberPreConnector",
             "FixedNumberPostConnector", "FixedTotalNumberConnector", "SmallWorldConnector", "CloneConnector", "CSAConnector",
             "IndexBasedProbabilityConnector", "DisplacementDependentProbabilityConnector",  # as the last but four: MapConnectors
             "Connector", "MapConnector", "FixedNumberConnector"}
    assert {name for name, value in vars(connectors).items() if isinstance(value, type)
            and issubclass(value, connectors.Connector)} == known
