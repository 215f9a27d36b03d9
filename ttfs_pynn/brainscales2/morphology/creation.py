"""From compartments and connections to a cell type."""

from collections.abc import Iterable
from copy import deepcopy

from pyNN.errors import NonExistentParameterError

from ttfs_pynn.brainscales2.dlens import lola
from ttfs_pynn.brainscales2.morphology.cell_type import McNeuronBase
from ttfs_pynn.brainscales2.morphology.compartment import Compartment, SharedLineConnection

__all__ = ["create_mc_neuron"]


def create_mc_neuron(name, compartments, connections=None, single_active_circuit=False):
    """A new cell type, a class called `name`, whose neurons have these compartments (list of Compartment).

    `connections` lists the closed pieces of the shared line (SharedLineConnection). With `single_active_circuit`, only the first
    circuit of each compartment has leak, capacitance and threshold: the others leak as little as they can, have the smallest
    capacitance and never spike.

    Raises TypeError for anything but such lists, RuntimeError where the neuron cannot be built (shared circuits, compartments
    apart or merged, a circuit connected both ways) or a parameter has the wrong number of values, and
    NonExistentParameterError for a parameter that circuits do not have.
    """
    _check_list("compartments", compartments, Compartment)
    _check_list("connections", connections or [], SharedLineConnection)
    morphology = lola.Morphology()
    described = {}
    for given in compartments:
        compartment = deepcopy(given)
        described[morphology.create_compartment(compartment.positions)] = compartment
        for circuit in compartment.connect_shared_line:
            morphology.connect_to_soma(circuit)
        for circuit, _ in compartment.connect_conductance:
            morphology.connect_resistor_to_soma(circuit)
        _set_parameters(name, compartment)
    for start, stop, row in connections or []:
        morphology.connect_soma_line(start, stop, row)
    logical_compartments, logical_neuron = morphology.done()
    return type(name, (McNeuronBase,), {
        "compartments": described, "logical_compartments": logical_compartments, "logical_neuron": logical_neuron,
        "single_active_circuit": single_active_circuit, "__doc__": f"A neuron with {len(described)} compartments."})


def _check_list(name, given, kind):
    # A connection is itself a tuple: its three numbers would pass as a list of connections.
    if not isinstance(given, Iterable) or isinstance(given, str | kind) or not all(isinstance(part, kind) for part in given):
        raise TypeError(f"{name} cannot be {given!r}; give a list of {kind.__name__}")


def _set_parameters(name, compartment):
    """Give each parameter one value a circuit, and the conductances as the parameter that they are."""
    known = McNeuronBase.get_default_values()
    if compartment.connect_conductance:
        conductances = dict(compartment.connect_conductance)
        others = compartment.parameters.get("multicompartment_i_bias_nmda", 0)
        compartment.parameters["multicompartment_i_bias_nmda"] = [
            conductances.get(circuit, other)
            for circuit, other in zip(compartment.positions, _one_a_circuit(compartment, "i_bias_nmda", others), strict=True)]
    for parameter, value in compartment.parameters.items():
        if parameter not in known:
            raise NonExistentParameterError(parameter, name, known)
        compartment.parameters[parameter] = _one_a_circuit(compartment, parameter, value)


def _one_a_circuit(compartment, parameter, value):
    if not isinstance(value, Iterable) or isinstance(value, str):
        return [value] * compartment.size
    values = list(value)
    if len(values) != compartment.size:
        raise RuntimeError(f"compartment {compartment.label!r} has {compartment.size} circuits, but {parameter} has "
                           f"{len(values)} values; give one value, or one a circuit")
    return values
