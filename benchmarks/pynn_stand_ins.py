"""Stand-ins for cell types that the exact backend does not have, for PyNN's tests of everything but cells.

Most of PyNN's tests of populations, views, connectors and recording take a conductance-based cell where any cell would do.
Here such a name means
IF_curr_exp that keeps the other model's parameters and initial values without using them; names of synapses with
short-term plasticity mean static ones that keep their parameters. A test of what
that model does fails with it, and is listed as one that does not apply. The library itself refuses these names.
"""

import numpy as np
from pyNN.standardmodels import StandardCellType, StandardSynapseType, build_translations, cells, synapses

from ttfs_pynn import exact
from ttfs_pynn.event_driven.groups import LIFGroup

REFUSED_BY_THE_LIBRARY = ("MultiCompartmentNeuron", "PointNeuron")


class StandInGroup(LIFGroup):
    """IF_curr_exp neurons beside parameters and variables of another model, which are kept and returned."""

    def __init__(self, size, parameters, variables):
        self._kept = {}
        self._kept_initial = {name: np.full(size, float(value)) for name, value in variables.items() if name != "v"}
        defaults = exact.IF_curr_exp.default_parameters
        usable = {name: value for name, value in parameters.items() if name in defaults}
        super().__init__(size, {**defaults, **usable})
        self._kept = {name: np.array(np.broadcast_to(value, (size,)), dtype=object if isinstance(value, np.ndarray)
                                     and value.dtype == object else float)
                      for name, value in parameters.items() if name not in defaults}
        self.VARIABLES = tuple({**dict.fromkeys(LIFGroup.VARIABLES), **self._kept_initial})

    def get_parameters(self):
        return {**super().get_parameters(), **{name: array.copy() for name, array in self._kept.items()}}

    def set_parameters(self, **parameters):
        for name in set(parameters) & set(self._kept):
            self._kept[name] = np.array(parameters.pop(name))
        super().set_parameters(**parameters)

    def get_initial(self):
        return {**super().get_initial(), **self._kept_initial}

    def set_initial(self, **values):
        for name in set(values) & set(self._kept_initial):
            self._kept_initial[name] = np.array(values.pop(name))
        super().set_initial(**values)

    def _restore(self, name):
        if name in LIFGroup.VARIABLES:
            super()._restore(name)


def _stand_in(model):
    def create_group(size, parameters, state):
        return StandInGroup(size, parameters, model.default_initial_values)
    return type(model.__name__, (model,), dict(
        __doc__=model.__doc__, recordable=exact.IF_curr_exp.recordable,
        units={**exact.IF_curr_exp.units, **model.units}, create_group=staticmethod(create_group),
        translations=build_translations(*((name, name) for name in model.default_parameters))))


def install():
    """Put a stand-in into `ttfs_pynn.exact` for every cell type with neurons that it lacks; only where tests run."""
    for name, model in vars(cells).items():
        if isinstance(model, type) and issubclass(model, StandardCellType) and model.__module__ == cells.__name__ \
                and getattr(model, "receptor_types", None) \
                and name not in (*REFUSED_BY_THE_LIBRARY, "IF_curr_exp", "IF_curr_delta") \
                and "v" in model.default_initial_values:
            setattr(exact, name, _stand_in(model))
    for name in ("TsodyksMarkramSynapse", "SimpleStochasticSynapse", "StochasticTsodyksMarkramSynapse"):
        model = getattr(synapses, name)
        assert issubclass(model, StandardSynapseType)
        setattr(exact, name, type(name, (model,), dict(
            __doc__=model.__doc__, _get_minimum_delay=exact.StaticSynapse._get_minimum_delay,
            translations=build_translations(*((name, name) for name in model.default_parameters)))))
