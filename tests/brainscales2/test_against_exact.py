"""The chip without any non-ideality is the exact simulator, seen through a clock of 8 ns.

Tolerance: a spike is stamped at the clock edge that follows it, so it may come up to 8 ns later, and never earlier but for
rounding (0.1 ns: the two solve the same equations, in ms of one and us of the other).
"""

import numpy as np
import pytest

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import IDEAL, connect, spikes
from ttfs_pynn import exact

TICK = 0.008  # us
ROUNDING = 1e-4  # us
DURATION = 300.0  # us
PARAMETERS = {"tau_m": 10.0, "tau_syn_E": 10.0, "tau_syn_I": 10.0, "tau_refrac": 2.0}


def gain(tau_syn):
    """Jump of dv/dt (LSB/us) of a weight of 1 at default targets: the peak that weight 63 makes where tau_m = tau_syn."""
    return np.e * 15.34 / 63.0 / tau_syn


def random_layers(rng, sizes, largest):
    """[(excitatory, inhibitory)] integer weights between successive layers, of either sign by chance."""
    weights = [rng.integers(-largest // 2, largest + 1, shape) for shape in zip(sizes[:-1], sizes[1:], strict=True)]
    return [(np.maximum(w, 0), np.minimum(w, 0)) for w in weights]


def on_chip(ticks, layers, parameters, recurrent=None):
    pynn.setup(non_idealities=IDEAL, seed=1)
    # half a tick later, for the adapter truncates
    sizes = [len(ticks), *(w.shape[1] for w, _ in layers)]
    populations = [pynn.Population(sizes[0], pynn.cells.SpikeSourceArray(spike_times=[(t + 0.5) / 125_000 for t in ticks]))]
    for size, (exc, inh), values in zip(sizes[1:], layers, parameters, strict=True):
        population = pynn.Population(size, pynn.cells.CalibHXNeuronCuba(**values))
        population.record("spikes")
        connect(populations[-1], population, 0).set(weight=exc)
        connect(populations[-1], population, 0, "inhibitory").set(weight=inh)
        populations.append(population)
    pynn.run(DURATION / 1000.0)
    return [train for population in populations[1:] for train in spikes(population)]


def in_equations(ticks, layers, parameters):
    exact.setup(timestep=0.01)
    sizes = [len(ticks), *(w.shape[1] for w, _ in layers)]
    populations = [exact.Population(sizes[0], exact.SpikeSourceArray(spike_times=[t * TICK for t in ticks]))]
    for size, weights, values in zip(sizes[1:], layers, parameters, strict=True):
        cell = exact.IF_curr_exp(cm=1.0, v_rest=80.0, v_reset=70.0, v_thresh=125.0, **values)
        population = exact.Population(size, cell, initial_values={"v": 80.0})
        population.record("spikes")
        for w, receptor, name in zip(weights, ("excitatory", "inhibitory"), ("tau_syn_E", "tau_syn_I"), strict=True):
            projection = exact.Projection(populations[-1], population, exact.AllToAllConnector(), receptor_type=receptor,
                                          synapse_type=exact.StaticSynapse(weight=0.0, delay=0.0))
            projection.set(weight=w * gain(values[name]))
        populations.append(population)
    exact.run(DURATION)
    return [train.magnitude for population in populations[1:] for train in population.get_data().segments[0].spiketrains]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("taus", [{}, {"tau_syn_E": 5.0, "tau_syn_I": 12.0},
                                  {"tau_m": 25.0, "tau_syn_E": 6.0, "tau_refrac": 0.8}],
                         ids=["equal", "two synaptic", "all different"])
def test_every_spike_of_a_layered_network_within_a_tick(seed, taus):
    rng = np.random.default_rng(seed)
    values = PARAMETERS | taus
    ticks = [np.sort(rng.choice(int(DURATION / TICK), rng.integers(6, 16), replace=False)) for _ in range(12)]
    layers = random_layers(rng, (12, 15, 10, 4), 63)
    chip, equations = (run(ticks, layers, [values] * 3) for run in (on_chip, in_equations))
    assert sum(map(len, equations)) > 50 and max(map(len, equations)) > 5  # neurons that fire again after their refractory time
    assert [len(train) for train in chip] == [len(train) for train in equations]
    late = np.concatenate(chip) - np.concatenate(equations)
    assert late.min() >= -ROUNDING and late.max() <= TICK + ROUNDING, (late.min(), late.max())
