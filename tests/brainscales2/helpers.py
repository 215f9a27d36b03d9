"""Small experiments on the emulated chip for tests."""

import numpy as np

import ttfs_pynn.brainscales2 as pynn
from ttfs_pynn.brainscales2 import NonIdealities
from ttfs_pynn.brainscales2.standardmodels.synapses import StaticSynapse

IDEAL = NonIdealities.off()


def source_and_neurons(size=2, spike_times=(0.01,), neurons=None, **setup):
    """(source, neurons) of a new experiment, not connected."""
    pynn.setup(**setup)
    source = pynn.Population(size, pynn.cells.SpikeSourceArray(spike_times=list(spike_times)))
    return source, pynn.Population(size, neurons or pynn.cells.CalibHXNeuronCuba())


def connect(pre, post, weight=63, receptor="excitatory", connector=None, **synapse):
    """A projection of one weight, all to all unless a connector is given."""
    return pynn.Projection(pre, post, connector or pynn.AllToAllConnector(), receptor_type=receptor,
                           synapse_type=StaticSynapse(weight=weight, **synapse))


def projection(weight=10, receptor="excitatory", neurons=None, **synapse):
    """A projection between the two populations of a new experiment."""
    return connect(*source_and_neurons(neurons=neurons), weight, receptor, **synapse)


def recorded(size=3, **setup):
    """Neurons that have fired once each."""
    source, neurons = source_and_neurons(size, (0.01,), non_idealities=IDEAL, **setup)
    connect(source[0:1], neurons, 300)
    neurons.record("spikes")
    pynn.run(0.1)
    return neurons


def spikes(population, segment=-1):
    """Recorded spike times in us, an array a neuron."""
    return [train.magnitude * 1000.0 for train in population.get_data("spikes").segments[segment].spiketrains]


def traces(population, segment=-1):
    """{index: (times in us, values)} of recorded analog signals."""
    first = int(population.first_id)
    return {signal.annotations["source_ids"][0] - first: (signal.times.magnitude * 1000.0, signal.magnitude[:, 0])
            for signal in population.get_data().segments[segment].irregularlysampledsignals}


def only(**sizes):
    """A chip with these non-idealities alone."""
    return NonIdealities(**{**{name: getattr(IDEAL, name) for name in IDEAL.__dataclass_fields__}, **sizes})


def raised(action):
    """The error of a call, None where there was none."""
    try:
        action()
    except Exception as error:  # noqa: BLE001  (whatever it is, the test looks at it)
        return error
    return None


def within(values, low, high):
    """Whether there are values and all are in this range."""
    values = np.asarray(values)
    return values.size > 0 and bool(((values >= low) & (values <= high)).all())
