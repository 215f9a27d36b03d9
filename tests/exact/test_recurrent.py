"""Recurrent networks and delays of all kinds through PyNN."""

import numpy as np
import pytest
from pyNN import errors
from pyNN.standardmodels import build_translations, synapses

from tests.exact.helpers import ONE_SPIKE, driven, spike_lists


def balanced(sim, n=60, seed=1):
    """Neurons that excite and inhibit each other through delays drawn one a connection."""
    rng = np.random.default_rng(seed)
    cells = sim.Population(n, sim.IF_curr_exp(**{**ONE_SPIKE, "tau_refrac": 1.0}, i_offset=rng.uniform(0.5, 1.5, n)))
    for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
        rows = [(i, j, sign * w, d) for i, j, w, d in zip(rng.integers(0, n, 5 * n), rng.integers(0, n, 5 * n),
                                                        rng.uniform(0, 0.4, 5 * n), rng.uniform(0.2, 4, 5 * n), strict=True)]
        sim.Projection(cells, cells, sim.FromListConnector(rows, column_names=["weight", "delay"]), sim.StaticSynapse(),
                       receptor_type=receptor)
    cells.record("spikes")
    return cells


def test_runs_in_pieces_with_callbacks_give_what_one_run_gives(sim):
    cells = balanced(sim)
    sim.run(100.0)
    whole = spike_lists(cells.get_data(clear=True))
    sim.reset()
    sim.run(100.0, callbacks=[lambda t: t + 3.7])
    pieces = spike_lists(cells.get_data())
    assert sum(map(len, whole)) > 100
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-8)  # rounding, grown over some spikes in a row


def test_a_cycle_without_delay_names_populations(sim):
    a, b = (sim.Population(2, sim.IF_curr_exp(), label=label) for label in ("here", "there"))
    for pre, post in ((a, b), (b, a)):
        sim.Projection(pre, post, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=0.0), receptor_type="excitatory")
    with pytest.raises(ValueError, match=r"there neuron 0 -> here neuron 0 -> there neuron 0: give one of them a delay > 0"):
        sim.run(10.0)


def test_a_delay_of_zero_back_and_forth_is_no_cycle_if_it_has_one_delay(sim):
    sources, cells, _ = driven(sim, n=1)
    other = sim.Population(1, sim.IF_curr_exp(**ONE_SPIKE))
    for pre, post, delay in ((cells, other, 0.0), (other, cells, 2.0)):
        sim.Projection(pre, post, sim.OneToOneConnector(), sim.StaticSynapse(weight=12.0, delay=delay),
                       receptor_type="excitatory")
    other.record("spikes")
    sim.run(12.0)
    (first,), (second,) = spike_lists(cells.get_data()), spike_lists(other.get_data())
    rise = first[0] - 6.0
    np.testing.assert_allclose(second[0], first[0] + rise, rtol=0, atol=1e-12)


def test_what_else_a_synapse_type_has_is_kept_by_name(sim):
    class Tagged(synapses.StaticSynapse):
        default_parameters = {**synapses.StaticSynapse.default_parameters, "tag": 0.0}
        translations = build_translations(("weight", "weight"), ("delay", "delay"), ("tag", "tag"))
        _get_minimum_delay = sim.StaticSynapse._get_minimum_delay

    cells = sim.Population(2, sim.IF_curr_exp())
    projection = sim.Projection(cells, cells, sim.AllToAllConnector(), Tagged(weight=1.0, tag=3.0), receptor_type="excitatory")
    np.testing.assert_array_equal(projection.get("tag", format="array"), 3.0)
    projection.set(tag=np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert sorted(projection.get(["tag", "weight"], format="list")) == [(0, 0, 1.0, 1.0), (0, 1, 2.0, 1.0), (1, 0, 3.0, 1.0),
                                                                        (1, 1, 4.0, 1.0)]
    projection[0].tag = 7.0
    assert projection[0].tag == 7.0 and projection.get("tag", format="array")[0, 0] == 7.0
    with pytest.raises(AttributeError):
        _ = projection[0].label
    with pytest.raises(errors.NonExistentParameterError):
        projection.set(other=1.0)


def test_setup_starts_with_one_process(sim):
    sim.simulator.state.num_processes, sim.simulator.state.mpi_rank = 2, 1
    sim.setup()
    assert (sim.num_processes(), sim.rank()) == (1, 0)
