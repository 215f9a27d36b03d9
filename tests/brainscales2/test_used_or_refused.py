"""What a script for the chip gives is used, or refused: units, signs through every connector, keywords, assemblies."""

import numpy as np
import pytest
import quantities as pq
from pyNN import errors

import ttfs_pynn.brainscales2 as pynn
from ttfs_pynn.units import UnitError

cells, synapses = pynn.cells, pynn.synapses


def sources(n=3):
    return pynn.Population(n, cells.SpikeSourceArray(spike_times=[0.005]))


def neurons(n=3, **parameters):
    return pynn.Population(n, cells.CalibHXNeuronCuba(**parameters))


def projection(connector=None, weight=10, receptor="excitatory", post=None):
    return pynn.Projection(sources(), post or neurons(), connector or pynn.AllToAllConnector(),
                           synapses.StaticSynapse(weight=weight), receptor_type=receptor)


def after(change, read):
    """What `read` says after a change."""
    change()
    return read()


USED = {
    "tau_m": (lambda: neurons(tau_m=0.02 * pq.ms).get("tau_m"), 20.0),
    "tau_m set": (lambda: (p := neurons(), after(lambda: p.set(tau_m=3e-5 * pq.s), lambda: p.get("tau_m")))[1], 30.0),
    "spike times": (lambda: pynn.Population(2, cells.SpikeSourceArray(spike_times=[5, 6] * pq.us)).get("spike_times").value,
                    [0.005, 0.006]),
    "spike times set": (lambda: (p := sources(1), after(lambda: p.set(spike_times=[[5, 6] * pq.us]),
                                                        lambda: p.get("spike_times").value))[1], [0.005, 0.006]),
    "rate": (lambda: pynn.Population(2, cells.SpikeSourcePoisson(start=0 * pq.s, rate=50 * pq.kHz, duration=1000 * pq.us)).get(
        ["rate", "duration"]), [50_000.0, 1.0]),
    "run": (lambda: (neurons(), pynn.run(100 * pq.us), pynn.get_current_time())[2], 0.1),
    "run_until": (lambda: (neurons(), pynn.run_until(200 * pq.us), pynn.get_current_time())[2], 0.2),
    "an array of ones and zeros": (lambda: projection(pynn.ArrayConnector(np.eye(3))).get("weight", "list"),
                                   [(k, k, 10.0) for k in range(3)]),
}


@pytest.mark.parametrize("what", USED)
def test_what_is_used(what):
    pynn.setup()
    do, expected = USED[what]
    np.testing.assert_allclose(do(), expected, rtol=1e-12)


REFUSED = {
    "voltage of the chip": (lambda: neurons(v_rest=80 * pq.mV), UnitError, "v_rest = 80.0 mV is to have no unit"),
    "weight": (lambda: projection(weight=10 * pq.nA), UnitError, "weight = 10.0 nA is to have no unit"),
    "weight set": (lambda: projection().set(weight=10 * np.ones((3, 3)) * pq.nA), UnitError, "weight = .*nA is to have no unit"),
    "weight of a list": (lambda: projection(pynn.FromListConnector([(0, 0, 5 * pq.nA, 0)])), UnitError, "is to have no unit"),
    "negative in a list": (lambda: projection(pynn.FromListConnector([(0, 0, -5, 0)])), errors.ConnectionError, "positive"),
    "positive in a list": (lambda: projection(pynn.FromListConnector([(0, 0, 5, 0)]), receptor="inhibitory"),
                           errors.ConnectionError, "negative"),
    "positive in an array": (lambda: projection(pynn.ArrayConnector(np.eye(3, dtype=bool)), 5, "inhibitory"),
                             errors.ConnectionError, "negative"),
    "positive set": (lambda: projection(weight=-5, receptor="inhibitory").set(weight=4), errors.ConnectionError, "negative"),
    "source -1": (lambda: projection(pynn.FromListConnector([(-1, 0, 5, 0)])), errors.ConnectionError, "source -1"),
    "larger weights": (lambda: projection(weight=np.ones((4, 4))), errors.InvalidDimensionsError, "weight of shape"),
    "misspelt seed": (lambda: pynn.setup(sede=3), KeyError, "unknown keyword.*'sede'; did you mean 'seed'"),
    "seed of NEST": (lambda: pynn.setup(rng_seed=3), KeyError, "did you mean 'seed'"),
    "time step by another name": (lambda: pynn.setup(time_step=0.1), KeyError, "did you mean 'timestep'"),
    "threads": (lambda: pynn.setup(threads=2), KeyError, "unknown keyword.*'threads'; known: timestep"),
    "no switch": (lambda: pynn.setup(record_at_once="no"), TypeError, "record_at_once = 'no' must be True or False"),
    "no switch either": (lambda: pynn.setup(enable_neuron_bypass=0), TypeError, "enable_neuron_bypass = 0 must be True or False"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    pynn.setup()
    do, error, text = REFUSED[what]
    with pytest.raises(error, match=text):
        do()


def test_a_projection_onto_an_assembly():
    """The same spikes as through a projection onto each part, to the tick of the clock."""
    spikes = []
    for whole in (True, False):
        pynn.setup(chip=3, seed=1, non_idealities=pynn.NonIdealities.off())
        drive = pynn.Population(4, cells.SpikeSourceArray(spike_times=[0.01, 0.012, 0.014, 0.016]))
        parts = neurons(4)[1:3], neurons(3, tau_m=20)
        weights = np.arange(20).reshape(4, 5) + 40
        for target, chosen in ([(parts[0] + parts[1], slice(0, 5))] if whole else
                               [(parts[0], slice(0, 2)), (parts[1], slice(2, 5))]):
            pynn.Projection(drive, target, pynn.AllToAllConnector(), synapses.StaticSynapse(weight=weights[:, chosen]),
                            receptor_type="excitatory")
        for part in parts:
            part.record("spikes")
        pynn.run(0.1)
        spikes.append([train.magnitude.tolist() for part in parts for train in part.get_data().segments[0].spiketrains])
    assert len(spikes[0]) == 5 and sum(map(len, spikes[0])) >= 5 and spikes[0] == spikes[1]
