"""Neurons with several compartments: described, checked and placed in networks; their dynamics are not emulated.

    soma = Compartment(positions=[0], label="soma", connect_shared_line=[0])
    dendrite = Compartment(positions=[1], label="dendrite", connect_conductance=[(1, 200)])
    Cell = create_mc_neuron("Cell", [soma, dendrite], [SharedLineConnection(start=0, stop=1, row=0)])
"""

from ttfs_pynn.brainscales2.morphology.cell_type import McNeuronBase
from ttfs_pynn.brainscales2.morphology.compartment import Compartment, SharedLineConnection
from ttfs_pynn.brainscales2.morphology.creation import create_mc_neuron
from ttfs_pynn.brainscales2.morphology.parameters import McCircuitParameters

__all__ = ["Compartment", "McCircuitParameters", "McNeuronBase", "SharedLineConnection", "create_mc_neuron"]
