"""The cell type behind neurons with several compartments."""

import numpy as np
from pyNN.standardmodels import StandardCellType, build_translations

from ttfs_pynn.brainscales2.dlens import halco, lola
from ttfs_pynn.brainscales2.morphology.parameters import McCircuitParameters
from ttfs_pynn.brainscales2.neuron_fields import NOT_CONFIGURABLE, flatten, unflatten
from ttfs_pynn.brainscales2.standardmodels.cells_base import CircuitCells

__all__ = ["McNeuronBase"]

_SET_BY_MORPHOLOGY = tuple(f"multicompartment_{name}" for name in (
    "connect_soma", "connect_soma_right", "connect_right", "connect_vertical", "enable_conductance"))
_DEFAULTS = flatten(lola.AtomicNeuron(), NOT_CONFIGURABLE + _SET_BY_MORPHOLOGY)
_INACTIVE_CIRCUIT = {"leak_i_bias": 0, "leak_enable_division": True, "leak_enable_multiplication": False,
                     "membrane_capacitance_capacitance": 0, "threshold_enable": False}


class McNeuronBase(StandardCellType):
    """Base of the cell types that create_mc_neuron() makes; the parameters are those of HXNeuron, with one value a circuit.

    A subclass has `compartments` ({CompartmentOnLogicalNeuron: Compartment}), `logical_compartments` (which circuits, by
    compartment), `logical_neuron` (their connections) and `single_active_circuit`. Making a subclass without compartments raises
    RuntimeError. Networks of it can be built; running them is not emulated.
    """

    recordable = ["spikes", "v", "exc_synin", "inh_synin", "adaptation"]
    receptor_types = ["excitatory", "inhibitory"]
    conductance_based = False
    injectable = True
    # Codes of the converter, for which there is no physical unit.
    units = {name: "dimensionless" for name in ("v", "exc_synin", "inh_synin", "adaptation")}
    translations = build_translations(*((name, name) for name in _DEFAULTS))
    default_parameters = _DEFAULTS

    KIND = "neuron"
    joined = 1
    compartments: dict = {}
    logical_compartments = halco.LogicalNeuronCompartments()
    logical_neuron = lola.LogicalNeuron()
    single_active_circuit = True

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        if not cls.compartments:
            raise RuntimeError(f"{cls.__name__} has no compartments; make cell types with create_mc_neuron()")
        # Circuits that only continue the shared line are compartments to the chip, but not to the user.
        placed, connected = len(cls.logical_compartments.get_compartments()), len(cls.logical_neuron.morphology)
        if not len(cls.compartments) <= placed == connected:
            raise RuntimeError(f"{cls.__name__} has {len(cls.compartments)} compartments, but {placed} of them are placed and "
                               f"{connected} connected; make cell types with create_mc_neuron()")
        cls.default_parameters = {
            name: cls._with_inactive_circuits(name, McCircuitParameters(
                compartment.parameters.get(name, [default] * compartment.size) for compartment in cls.compartments.values()))
            for name, default in _DEFAULTS.items()}

    def __init__(self, **parameters):
        self._given_by_user = parameters
        self._initial_config_applied = False
        super().__init__(**parameters)

    @property
    def columns(self):
        """How many columns of the chip a neuron takes."""
        columns = [int(circuit.x()) for circuits in self.logical_compartments.get_compartments().values() for circuit in circuits]
        return max(columns) - min(columns) + 1

    def create_group(self, size, parameters, state):
        """What a population keeps of its cells."""
        return CircuitCells(size, parameters)

    def own_circuits(self, circuits):
        """The first circuit of each neuron."""
        return circuits[::self.columns]

    def configure(self, population, circuits, state):
        """Take values from the chip's initial configuration when the network is mapped for the first time."""
        if state.initial_config is None or self._initial_config_applied:
            return
        self.apply_config([halco.LogicalNeuronOnDLS(self.logical_compartments, halco.AtomicNeuronOnDLS(halco.Enum(int(circuit))))
                           for circuit in circuits], state.initial_config)
        population.group.set_parameters(**{name: self._by_neuron(name, population.size) for name in self.default_parameters})

    def codes(self, population, state):
        raise NotImplementedError(f"{population.label}: the dynamics of neurons with several compartments are not emulated; "
                                  "networks of them can be built and mapped (RunCommand.PREPARE), not run")

    @classmethod
    def get_default_values(cls):
        """{name: value} of one circuit with nothing set."""
        return dict(_DEFAULTS)

    @classmethod
    def get_labels(cls):
        """The labels of all compartments, in order."""
        return [compartment.label for compartment in cls.compartments.values()]

    @classmethod
    def get_label(cls, compartment_id):
        """The label of one compartment; raises KeyError where there is no such compartment."""
        return cls.compartments[compartment_id].label

    @classmethod
    def get_compartment_ids(cls, labels):
        """The compartments with any of these labels (list of texts), as CompartmentOnLogicalNeuron, label by label.

        Raises ValueError for a label that no compartment has.
        """
        found = []
        for label in labels:
            matching = [compartment_id for compartment_id, part in cls.compartments.items() if part.label == label]
            if not matching:
                raise ValueError(f"no compartment is labelled {label!r}; there are {cls.get_labels()}")
            found += matching
        return found

    def can_record(self, variable, location=None):
        """Whether neurons of this type have such a variable; every compartment has all of them."""
        return variable in self.recordable

    def validate_parameter_space(self):
        """Raise RuntimeError while the parameters still wait for the initial configuration of the chip."""
        if not self._initial_config_applied and _initial_config() is not None:
            raise RuntimeError("the parameters are not known yet: they come from the initial configuration once neurons are "
                               "placed. Call pynn.run(None, pynn.RunCommand.PREPARE) first")

    def apply_config(self, coordinates, chip=None):
        """Take the parameters from a chip's configuration (default: the initial one of the simulator, if there is one).

        `coordinates` has one LogicalNeuronOnDLS a neuron. Values of the compartments, and then those given to the cell type, take
        precedence. Only the first call has an effect.
        """
        chip = _initial_config() if chip is None else chip
        if chip is None or self._initial_config_applied:
            return
        circuits = chip.neuron_block.atomic_neurons
        neurons = [{compartment_id: [flatten(circuits[place]) for place in places]
                    for compartment_id, places in coordinate.get_placed_compartments().items()} for coordinate in coordinates]
        for name in self.default_parameters:
            values = [McCircuitParameters(compartment.parameters.get(name, [circuit[name] for circuit in neuron[compartment_id]])
                                          for compartment_id, compartment in self.compartments.items()) for neuron in neurons]
            given = {name: self._given_by_user[name]} if name in self._given_by_user else {name: values}
            self.parameter_space.update(**given)
            if self.single_active_circuit and name in _INACTIVE_CIRCUIT:
                self.parameter_space.update(**{name: [self._with_inactive_circuits(name, value)
                                                      for value in self._by_neuron(name, len(neurons))]})
        self._initial_config_applied = True

    def get_logical_neuron(self, cell_in_pop):
        """The settings of one neuron of the population, as lola.LogicalNeuron.

        Raises OverflowError for values too large for the chip and TypeError for negative ones.
        """
        values = {name: self._by_neuron(name, cell_in_pop + 1)[cell_in_pop] for name in self.default_parameters}
        morphology = {}
        for number, compartment_id in enumerate(self.compartments):
            circuits = self.logical_neuron.morphology[compartment_id]
            morphology[compartment_id] = []
            for place, circuit in enumerate(circuits):
                settings = unflatten({name: _of_circuit(value, number, place) for name, value in values.items()})
                for name in circuit.multicompartment.fields:
                    if f"multicompartment_{name}" in _SET_BY_MORPHOLOGY:
                        setattr(settings.multicompartment, name, getattr(circuit.multicompartment, name))
                morphology[compartment_id].append(settings)
        return lola.LogicalNeuron(morphology)

    def _by_neuron(self, name, size):
        values = self.parameter_space[name].base_value
        return list(values) if isinstance(values, np.ndarray) and values.ndim else [values] * size

    @classmethod
    def _with_inactive_circuits(cls, name, value):
        """`value` with all circuits but the first of each compartment switched off, where the cell type wants this."""
        if not cls.single_active_circuit or name not in _INACTIVE_CIRCUIT:
            return value
        return McCircuitParameters([_of_circuit(value, number, 0)] + [_INACTIVE_CIRCUIT[name]] * (compartment.size - 1)
                                   for number, compartment in enumerate(cls.compartments.values()))


def _of_circuit(value, compartment, circuit):
    return value.value[compartment][circuit] if isinstance(value, McCircuitParameters) else value


def _initial_config():
    # Imported late: the simulator's state is made of cell types.
    from ttfs_pynn.brainscales2 import simulator

    return simulator.state.initial_config
