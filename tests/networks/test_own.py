"""The user's own network trained: what it answers, what its objects hold before and afterwards."""

import numpy as np
import pytest

from benchmarks.own_network import as_before, held
from benchmarks.own_network import build as own_network
from tests.networks.test_from_pynn import cells, connect, sources
from tests.small_networks import assert_same
from ttfs_pynn import Network, SpikeData, Trainer, TrainingOptions, evaluate
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.learning.trainer import Callback
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.simulators import simulator

OPTIONS = TrainingOptions(epochs=1, batch_size=5, learning_rate=0.02)


def task(n=10, seed=0):
    rng = np.random.default_rng(seed)
    return SpikeData({"A": rng.uniform(1, 15, (n, 6)), "B": rng.uniform(1, 15, (n, 6))}, rng.integers(0, 3, n))


@pytest.fixture
def sim():
    return simulator("exact").setup(0.1)


def first_of(population, deadline):
    """First spikes of the user's own population, of one run, read from PyNN."""
    trains = [np.asarray(train) for train in population.get_data("spikes", clear=True).segments[-1].spiketrains]
    return np.array([train[0] if train.size and train[0] < deadline else np.inf for train in trains])


@pytest.mark.parametrize("backend", ["exact", "brian2", "nest"])
def test_weights_are_written_back_and_nothing_else_is_changed(backend):
    """Connectivity, delays and signs are as they were; weights are those that were trained, and the user's own run has them."""
    pytest.importorskip(simulator(backend).needs, reason="make test-simulators installs it")
    sim = simulator(backend).setup(0.1)
    populations, projections = own_network(sim)
    network = Network(sim, projections, populations["L"], t_early=1.0, t_late=15.0, copies=5)
    before, data = held(projections), task()
    start = {name: array.copy() for name, array in network.parameters.items()}
    assert all(np.array_equal(now[0], then[0], equal_nan=True) for now, then in zip(held(projections).values(), before.values(),
                                                                                    strict=True))
    trainer = Trainer(network, data, OPTIONS)
    trainer.run()
    assert as_before(before, projections)
    assert_same(trainer.parameters, network.parameters)
    for name, projection in projections.items():
        w = network.graph.edge(name).matrix(network.parameters[f"{name}.weight"], absent=np.nan)
        np.testing.assert_allclose(projection.get("weight", format="array"), w, rtol=1e-9, atol=1e-12)
        assert (network.parameters[f"{name}.weight"] != start[f"{name}.weight"]).any()
    expected = first_spikes(network.present(data.batch(slice(0, 5))))
    assert np.isfinite(expected["E"]).mean() > 0.3 and np.isfinite(expected.labels).any()
    # The user's script goes on: its own populations, one sample, the weights that were learned.
    sim.reset()
    for label in "AB":
        simulator(backend).give_spikes(populations[label], list(data.times[label][:1].T), 0.1)
    sim.run(network.timing.deadline)
    for label in "EIL":
        found = first_of(populations[label], network.timing.deadline)
        np.testing.assert_array_equal(np.isfinite(found), np.isfinite(expected[label][0]))
        np.testing.assert_allclose(found, expected[label][0], rtol=0, atol=1e-6 if backend == "exact" else 0.21)


def test_it_is_the_network_of_its_graph(sim):
    populations, projections = own_network(sim)
    network = Network(sim, list(projections.values()), "L", 15.0, 1.0, copies=4)
    found = evaluate(network, task(8))
    ideal = evaluate(ArrayNetwork(network.graph, network.parameters), task(8))
    assert np.isfinite(ideal.label_times).mean() > 0.2
    assert_same(found.first_spikes.times, ideal.first_spikes.times, atol=1e-9)
    assert network.n_copies == 4 and network.timing.deadline > 15 and network.neurons == {} and network.simulator.name == "exact"


@pytest.mark.parametrize("options", [{}, {"in_place": True}])
def test_some_weights_some_delays_some_times(sim, options):
    populations, projections = own_network(sim)
    given = [[1.0 + 0.6 * i] for i in range(6)]
    populations["B"].set(spike_times=given)
    if options:
        for label in "EIL":
            populations[label].set(tau_refrac=600.0)
    network = Network(sim, projections, "L", 15.0, 1.0, train=["E>L", projections["A>L"]], train_delays=["A>E"],
                      train_times=["B"],
                      **options)
    before, data = held(projections), SpikeData(task(10).times["A"], task(10).labels)
    Trainer(network, data, TrainingOptions(epochs=2, batch_size=5, learning_rate=0.05)).run()
    after = held(projections)
    for name in projections:
        same_weights, same_delays = (np.array_equal(a, b, equal_nan=True) for a, b in zip(before[name], after[name], strict=True))
        assert same_weights == (name not in ("E>L", "A>L")) and same_delays == (name != "A>E"), name
    np.testing.assert_allclose(after["A>E"][1], network.graph.edge("A>E").matrix(network.parameters["A>E.delay"], absent=np.nan))
    times = [list(train.value) for train in populations["B"].get("spike_times", simplify=False)]
    np.testing.assert_array_equal(np.ravel(times), network.parameters["B.times"])
    assert (np.ravel(times) != np.ravel(given)).any()


def test_in_place_shows_samples_to_the_users_own_populations(sim):
    populations, projections = own_network(sim)
    with pytest.warns(UserWarning, match="neurons of 'E', 'I', 'L' have tau_refrac = 2 ms"):
        for label in "EIL":
            populations[label].set(tau_refrac=2.0)
        Network(sim, projections, "L", 15.0, 1.0)
    for label in "EIL":
        populations[label].set(tau_refrac=600.0)
    network = Network(sim, projections, "L", 15.0, 1.0, in_place=True)
    assert network.n_copies == 1 and network.in_place and network.timing.tau_refrac == 600.0
    recording = network.present(task(3).times)
    assert recording["E"].name == populations["E"].label and recording["E"].annotations["size"] == 24
    network.finish()  # the sources have what they had: no times of their own
    other = Network(sim, projections, "L", 15.0, 1.0, copies=3)
    assert_same(first_spikes(recording).times, first_spikes(other.present(task(3).times)).times, atol=1e-7)
    network.write({name: 0.5 * array for name, array in network.parameters.items()})  # in place: at once
    w = network.graph.edge("E>L").matrix(network.parameters["E>L.weight"], absent=np.nan)
    np.testing.assert_array_equal(projections["E>L"].get("weight", format="array"), w)


def test_a_pair_of_projections_of_signed_weights(sim):
    """What changes its sign moves from one projection to the other."""
    a, e = sources(sim, 4, "A"), cells(sim, 3, "E")
    w = np.random.default_rng(0).normal(0, 2, (4, 3))
    pair = [connect(sim, a, e, receptor, 0.0, receptor=receptor) for receptor in ("excitatory", "inhibitory")]
    pair[0].set(weight=np.maximum(w, 0))
    pair[1].set(weight=np.minimum(w, 0))
    network = Network(sim, pair, e, 15.0)
    network.write({"excitatory.weight": -w})
    np.testing.assert_array_equal(network.read()["excitatory.weight"], -w)
    np.testing.assert_array_equal(pair[0].get("weight", format="array"), np.maximum(w, 0))  # copies have it, not yet the user's
    network.finish()
    np.testing.assert_array_equal(pair[0].get("weight", format="array"), np.maximum(-w, 0))
    np.testing.assert_array_equal(pair[1].get("weight", format="array"), np.minimum(-w, 0))


@pytest.mark.parametrize("backend", ["exact", "brian2", "nest"])
def test_views_assemblies_and_several_connections_of_a_pair_are_written_back(backend):
    """Each value to its own connection, whatever the order in which a simulator keeps them."""
    pytest.importorskip(simulator(backend).needs, reason="make test-simulators installs it")
    sim = simulator(backend).setup(0.1)
    a, b, e, i = sources(sim, 5, "A"), sources(sim, 2, "B"), cells(sim, 4, "E"), cells(sim, 3, "I")
    pairs = [(1, 0, 1.0, 0.3), (0, 0, 1.0, 0.5), (0, 1, 1.0, 0.7)] + ([] if backend == "brian2" else [(1, 0, 1.0, 1.1)])
    projections = {"views": connect(sim, a[1:4], e[np.array([0, 3])], "views"), "within": connect(sim, e, i[1:3], "within"),
                   "together": connect(sim, a, sim.Assembly(e, i, label="both"), "together"),
                   "listed": connect(sim, b, i, "listed", connector=sim.FromListConnector(pairs))}
    network = Network(sim, projections, i, 15.0, 1.0, train_delays=["listed"], copies=2)
    rng = np.random.default_rng(3)
    new = {name: np.round(rng.uniform(1, 3, array.shape), 1) for name, array in network.parameters.items()}
    network.write(new)
    assert_same(network.read(), new, rtol=1e-9)
    network.finish()

    def matrix(label, what="weight"):
        return network.graph.edge(label).matrix(new[f"{label}.{what}"], absent=np.nan)

    def of(name):
        projection = projections[name]
        if backend != "brian2":
            return projection.get("weight", format="array")
        found = np.full((projection.pre.size, projection.post.size), np.nan)  # pyNN.brian2 0.13 cannot read those of views
        pre, post, weights, _ = simulator(backend).connections(projection)
        places = (list(map(int, cells.all_cells)) for cells in (projection.pre, projection.post))
        found[tuple([order.index(cell) for cell in cells_of] for order, cells_of in zip(places, (pre, post),
                                                                                        strict=True))] = weights
        return found

    np.testing.assert_allclose(of("views"), matrix("views")[1:4][:, [0, 3]], rtol=1e-9)
    np.testing.assert_allclose(of("within"), matrix("within")[:, 1:3], rtol=1e-9)
    np.testing.assert_allclose(of("together"), np.hstack([matrix("together A>E"), matrix("together A>I")]), rtol=1e-9)
    edge = network.graph.edge("listed")
    held_now = np.array(projections["listed"].get(["weight", "delay"], format="list"), dtype=float)
    expected = np.column_stack([edge.pairs, new["listed.weight"], new["listed.delay"]])
    np.testing.assert_allclose(sorted(map(tuple, held_now)), sorted(map(tuple, expected)), rtol=1e-9)


def test_weights_that_were_not_set_are_drawn(sim):
    """Where all weights onto a population are 0, PyNN's default; others stay as the script has them."""
    a, e, out = sources(sim, 6, "A"), cells(sim, 20, "E"), cells(sim, 3, "L")
    projections = [connect(sim, a, e, "A>E", weight=0.0), connect(sim, e, out, "E>L", weight=1.5)]
    one, same, other = (Network(sim, projections, out, 15.0, 1.0, rng=rng).parameters
                        for rng in (None, np.random.default_rng(0), np.random.default_rng(1)))
    assert_same(same, one)
    assert (one["A>E.weight"] > 0).all() and (other["A>E.weight"] != one["A>E.weight"]).all()
    np.testing.assert_array_equal(one["E>L.weight"], np.full((20, 3), 1.5))
    assert not projections[0].get("weight", format="array").any()  # the user's own wait for the end of training
    spikes = first_spikes(Network(sim, projections, out, 15.0, 1.0).present(task(4).times["A"]))
    assert np.isfinite(spikes["E"]).mean() > 0.6


def test_training_that_is_interrupted_leaves_what_was_learned(sim):
    class Stop(Callback):
        def on_epoch_end(self, trainer, record):
            raise KeyboardInterrupt

    populations, projections = own_network(sim)
    network = Network(sim, projections, "L", 15.0, 1.0)
    before = held(projections)
    with pytest.raises(KeyboardInterrupt):
        Trainer(network, task(), OPTIONS, callbacks=[Stop()]).run()
    assert as_before(before, projections)
    w = network.graph.edge("E>L").matrix(network.parameters["E>L.weight"], absent=np.nan)
    np.testing.assert_array_equal(projections["E>L"].get("weight", format="array"), w)
    assert not np.array_equal(before["E>L"][0], w, equal_nan=True)


def test_sources_that_spike_several_times_a_sample(sim):
    """Every spike counts; those that were not asked for are silent."""
    a, e = sources(sim, 3, "A"), cells(sim, 2, "E")
    network = Network(sim, [connect(sim, a, e, "A>E", weight=1.2)], e, 15.0, 1.0)
    times = np.array([[[1.0, 5.0], [2.0, np.inf], [np.inf, np.inf]], [[3.0, 4.0], [1.0, 9.0], [2.0, 8.0]]])
    recording = network.present({"A": times})
    np.testing.assert_allclose(first_spikes(recording)["A"], times)
    expected = ArrayNetwork(network.graph, network.parameters).present({"A": times})
    assert np.isfinite(expected.labels).any()
    assert_same(first_spikes(recording).times, expected.times, atol=1e-9)
    once = first_spikes(network.present({"A": times[:, :, 0]}))
    assert once["A"].ndim == 2 and (once.labels >= expected.labels).all() and (once.labels > expected.labels).any()
