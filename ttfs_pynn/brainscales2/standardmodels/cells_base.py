"""What cell types of the emulated chip have in common: where their parameters live, and what a run needs of them."""

import copy

import numpy as np
from pyNN.standardmodels import StandardCellType, build_translations

from ttfs_pynn.brainscales2.dlens import lola
from ttfs_pynn.brainscales2.plasticity import PlasticityRuleHandle
from ttfs_pynn.units import in_units

__all__ = ["ANALOG", "Cells", "ChipCell", "CircuitCells", "NeuronCell", "check_codes", "same_names"]

ANALOG = ("v", "exc_synin", "inh_synin", "adaptation")


def same_names(names):
    return build_translations(*((name, name) for name in names))


class Cells:
    """Parameters of the cells of one population, {name: array (size,)}, which `space` (a ParameterSpace) repeats for readers."""

    def __init__(self, size, values, space):
        self.size, self.label, self._space = size, None, space
        self.values = {}
        self.version = 0  # changes with every value
        self.set_parameters(**values)

    def get_parameters(self):
        return {name: array.copy() for name, array in self.values.items()}

    def set_parameters(self, **values):
        new = {name: np.array(np.broadcast_to(np.asarray(value, dtype=float), (self.size,))) for name, value in values.items()}
        for name, array in new.items():
            if np.isnan(array).any():
                raise ValueError(f"{name} is not a number for {int(np.isnan(array).sum())} of {self.size} cells; give numbers")
        self.values.update(new)
        self.version += 1
        for name, array in new.items():
            self._space._parameters[name] = array


class CircuitCells:
    """Parameters of neurons that are made of several circuits, {name: object array (size,)}."""

    def __init__(self, size, values):
        self.size, self.label, self.values = size, None, {}
        self.set_parameters(**values)

    def get_parameters(self):
        return {name: array.copy() for name, array in self.values.items()}

    def set_parameters(self, **values):
        for name, value in values.items():
            self.set_at(name, slice(None), value)

    def set_at(self, name, index, value):
        """Set the neurons `index` to one value, or to one each."""
        column = self.values.setdefault(name, np.empty(self.size, dtype=object))
        places = np.arange(self.size)[index]
        single = not isinstance(value, list | np.ndarray)
        for k, place in enumerate(places):
            column[place] = value if single else value[k]


class ChipCell(StandardCellType):
    """KIND: 'neuron' (on a circuit), 'external' (spikes from the FPGA) or 'background' (sources on the chip)."""

    KIND = "external"
    columns = 1  # places in the list of circuits that a neuron takes
    joined = 1  # circuits that share its membrane, and its inputs
    recordable = ["spikes"]
    injectable = False
    _unused = None

    def __init__(self, **parameters):
        super().__init__(**in_units({name: value for name, value in parameters.items() if value is not None}, self.units))

    def for_one_population(self):
        """This cell type, in which the population's parameters live, or, if it is in use, a copy as it was before."""
        unused = self._copy() if self._unused is None else self._unused
        mine = self if self._unused is None else unused._copy()
        mine._unused = unused
        return mine

    def _copy(self):
        made = copy.copy(self)
        made.parameter_space = copy.deepcopy(self.parameter_space)
        return made

    def can_record(self, variable, location=None):
        return variable in self.recordable

    def create_group(self, size, parameters, state):
        self.parameter_space.shape = (size,)
        self.parameter_space.evaluate(simplify=False)
        self.group = Cells(size, parameters, self.parameter_space)
        return self.group

    def validate_parameter_space(self):
        """RuntimeError while parameters are not known yet (before an initial configuration is applied)."""

    def events(self, population, begin, end, state):
        """(index, ticks since begin) of the spikes in [begin, end) ms."""
        raise NotImplementedError(f"{type(self).__name__} cannot be run on the emulated chip")


class NeuronCell(ChipCell, PlasticityRuleHandle):
    """A point neuron on one circuit."""

    ReadoutSource = lola.AtomicNeuron.Readout.Source

    KIND = "neuron"
    recordable = ["spikes", *ANALOG]
    receptor_types = ["excitatory", "inhibitory"]
    conductance_based = False
    injectable = True

    def __init__(self, plasticity_rule=None, **parameters):
        ChipCell.__init__(self, **parameters)
        PlasticityRuleHandle.__init__(self, plasticity_rule)

    def own_circuits(self, circuits):
        """Of the circuits of a population, neuron by neuron, those that matter: all first ones, then all second ones, ..."""
        return circuits.reshape(-1, self.joined).T.ravel()

    def configure(self, population, circuits, state):
        """Take what follows from the place on the chip: an initial configuration, a calibration."""

    def codes(self, population, state):
        """CircuitCodes of all neurons as they are now."""
        raise NotImplementedError(f"the dynamics of {type(self).__name__} are not emulated; it can be created and mapped only")


def check_codes(values, ranges):
    """OverflowError for values that do not fit their registers, as the adapter's containers raise: {name: (lowest, highest)}."""
    for name, (lowest, highest) in ranges.items():
        array = values.get(name)
        if array is not None and ((array < lowest) | (array > highest)).any():
            bad = array[(array < lowest) | (array > highest)][0]
            kind = TypeError if bad < 0 else OverflowError
            raise kind(f"{name} = {bad:g} does not fit its register; allowed are numbers from {lowest} to {highest}")
