"""Keywords of setup(): used, without effect on an exact result, or refused with which line."""

import re

import numpy as np
import pytest
import quantities as pq

from tests.exact.helpers import spike_lists
from ttfs_pynn.errors import ConfigurationError


def poisson(sim, **keywords):
    """Spikes of two populations of random sources."""
    sim.setup(timestep=0.1, **keywords)
    populations = [sim.Population(5, sim.SpikeSourcePoisson(rate=50.0)) for _ in range(2)]
    for population in populations:
        population.record("spikes")
    sim.run(200.0)
    return [train for population in populations for train in spike_lists(population.get_data())]


def test_a_script_without_a_seed_repeats_itself_and_a_seed_is_used(sim):
    plain = poisson(sim)
    assert sum(map(len, plain)) > 50 and plain[:5] != plain[5:]
    assert poisson(sim) == poisson(sim, seed=None) == poisson(sim, seed=42) == plain
    seven = poisson(sim, seed=7)
    assert seven != plain
    for other in ({"rng_seed": 7}, {"grng_seed": 7}, {"rng_seeds": [7]}, {"rng_seeds_seed": 7}, {"native_rng_baseseed": 7},
                  {"seed": np.int64(7), "rng_seed": 7}, {"rng_seed": 7, "native_rng_baseseed": 7}):
        assert poisson(sim, **other) == seven
    assert sim.simulator.State().rng.random() == np.random.default_rng(42).random()  # of a script that does not call setup()
    several = poisson(sim, grng_seed=7, rng_seeds=[1, 2])
    assert several not in (seven, poisson(sim, grng_seed=7, rng_seeds=[1, 3]))
    assert several == poisson(sim, grng_seed=7, rng_seeds=np.array([1, 2]))


@pytest.mark.parametrize("keywords", [
    {"threads": 4, "verbosity": "error", "spike_precision": "on_grid", "recording_precision": 3, "rng_type": "mt19937",
     "t_flush": 100.0}, {"use_cvode": True, "rtol": 1e-3, "atol": 1e-3, "default_maxstep": 10.0},
    {"n_chips_required": 3, "n_boards_required": 1, "time_scale_factor": 10}, {"debug": True, "rank": 0, "num_processes": 1},
    {"quit_on_end": False, "loglevel": 2, "filename": "va.xml", "label": "VA", "file": "VA.xml"}])  # PyNN's own examples

def test_keywords_of_other_simulators_that_change_nothing(sim, keywords):
    assert poisson(sim, seed=7, **keywords) == poisson(sim, seed=7)


@pytest.mark.parametrize("keywords, text", [
    ({"sede": 42}, "unknown keyword of setup() 'sede'; did you mean 'seed'?"),
    ({"rgn_seed": 1}, "did you mean 'rng_seed'?"), ({"thread": 2}, "did you mean 'threads'?"),
    ({"dt": 0.1}, "'dt'; did you mean 'timestep'?"), ({"time_step": 0.1}, "did you mean 'timestep'?"),
    ({"mindelay": 1.0}, "did you mean 'min_delay'?"), ({"maxdelay": 1.0}, "did you mean 'max_delay'?"),
    ({"quantum": 1}, "unknown keyword of setup() 'quantum'; known: timestep, min_delay, max_delay, tolerance, seed"),
    ({"seed": 1.5}, "seed = 1.5 must be an integer"), ({"seed": "42"}, "seed = '42' must be an integer"),
    ({"seed": True}, "seed = True must be an integer"), ({"rng_seed": -1}, "rng_seed = -1 must be an integer, zero or more"),
    ({"rng_seeds": [1, 0.5]}, "rng_seeds = [1, 0.5] must be"), ({"timestep": 0.0}, "timestep = 0.0 ms must be positive"),
    ({"timestep": np.nan}, "timestep = nan ms must be positive"), ({"min_delay": np.nan}, "min_delay = nan ms must be positive"),
    ({"min_delay": "Auto"}, "min_delay = 'Auto' ms must be positive and finite, or 'auto'"),
    ({"max_delay": -5.0}, "max_delay = -5.0 ms must be"), ({"max_delay": np.inf}, "max_delay = inf ms must be"),
    ({"timestep": 0.1 * pq.mV}, "timestep = 0.1 mV cannot be in ms")])
def test_keywords_that_are_refused(sim, keywords, text):
    with pytest.raises(ConfigurationError, match=re.escape(text)):
        sim.setup(**keywords)


def test_structure_initial_values_and_label_of_a_population_come_by_position_too(sim):
    sim.setup()
    cells = sim.Population(2, sim.IF_curr_exp, {}, None, {"v": -60.0}, "cells")
    assert cells.label == "cells" and cells.initial_values["v"].evaluate(simplify=True) == -60.0
