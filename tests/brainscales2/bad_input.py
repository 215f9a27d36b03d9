"""Things that cannot be done on the emulated chip, each as a function without arguments, or one that makes such a function."""

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import connect, projection, source_and_neurons
from ttfs_pynn.brainscales2.morphology import Compartment, SharedLineConnection, create_mc_neuron

cells = pynn.cells


def setup(**keywords):
    return lambda: pynn.setup(**keywords)


def neurons(action, **keywords):
    """What happens with two neurons."""
    return lambda: action(source_and_neurons(**keywords)[1])


def run_of(celltype, size=2, **keywords):
    def action():
        pynn.setup(**keywords)
        pynn.Population(size, celltype())
        pynn.run(0.1)
    return action


def hxneuron(**codes):
    return run_of(lambda: cells.HXNeuron(**codes))


def calibrated(**targets):
    return run_of(lambda: cells.CalibHXNeuronCuba(**targets))


def without_setup(action):
    def without():
        pynn.end()
        action()
    return without


def run_twice():
    source_and_neurons()
    pynn.run(0.1)
    pynn.run(0.1)


def default_delay():
    source, targets = source_and_neurons(min_delay=0.1)
    pynn.Projection(source, targets, pynn.AllToAllConnector())


def two_variables_one_after_the_other():
    _, population = source_and_neurons()
    population.record("v")
    population.record("exc_synin")


def pad_twice():
    _, population = source_and_neurons()
    population[0:1].record("v", device="pad_0")
    population[1:2].record("v", device="pad_0")


def unequal_biases():
    source_and_neurons()
    pynn.Population(2, cells.CalibHXNeuronCuba(synapse_dac_bias=400))
    pynn.run(0.1)


def with_initial_config(action):
    def access():
        pynn.setup(initial_config=pynn.helper.chip_from_nightly())
        action(pynn.Population(1, cells.HXNeuron()))
    return access


def in_degree(n_sources=257, n_neurons=1):
    def too_many():
        pynn.setup()
        source = pynn.Population(n_sources, cells.SpikeSourceArray())
        connect(source, pynn.Population(n_neurons, cells.HXNeuron()), 1)
        pynn.run(0.1)
    return too_many


def too_many_rows():
    pynn.setup()
    targets = pynn.Population(2, cells.HXNeuron())
    for _ in range(2):  # 130 sources of either sign and neuron: 260 rows, though no neuron has more than 130 synapses
        for receptor, sign in (("excitatory", 1), ("inhibitory", -1)):
            source = pynn.Population(65, cells.SpikeSourceArray())
            connect(source, targets[0:1] if receptor == "excitatory" else targets[1:2], sign, receptor)
            connect(source, targets[1:2] if receptor == "excitatory" else targets[0:1], -sign,
                    "inhibitory" if receptor == "excitatory" else "excitatory")
    pynn.run(0.1)


def connected(connector, from_assembly=False, reverse=False):
    def action():
        source, targets = source_and_neurons()
        pre = pynn.Assembly(source, targets) if from_assembly else source
        ends = (targets, source) if reverse else (pre, targets)
        pynn.Projection(*ends, connector(), synapse_type=pynn.synapses.StaticSynapse(weight=1))
    return action


def earlier_experiment():
    source, targets = source_and_neurons()
    pynn.setup()
    connect(source, targets)


def several_compartments():
    pynn.setup()
    parts = [Compartment(positions=[0], label="soma", connect_conductance=[(0, 200)]),
             Compartment(positions=[1], label="dendrite", connect_shared_line=[1])]
    cell = create_mc_neuron("Neuron", compartments=parts, connections=[SharedLineConnection(start=0, stop=1, row=0)])
    pynn.Population(1, cell())
    pynn.run(0.1)


def five_generators():
    pynn.setup()
    for _ in range(5):
        pynn.Population(3, cells.SpikeSourcePoissonOnChip(rate=1, seed=1))
    pynn.run(0.1)


def set_connection(**attribute):
    def action():
        (name, value), = attribute.items()
        setattr(projection()[0], name, value)
    return action


def poisson(rate, seed=1):
    return run_of(lambda: cells.SpikeSourcePoissonOnChip(rate=rate, seed=seed), 4)
