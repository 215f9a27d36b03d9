"""Cell and synapse types: what this backend simulates, and clear refusals of what it does not."""

from pyNN.standardmodels import StandardCellType, StandardModelType, build_translations, cells, electrodes, synapses

from ttfs_pynn.event_driven import cell_types, current_sources
from ttfs_pynn.event_driven.delta_synapses import DeltaGroup
from ttfs_pynn.event_driven.groups import LIFGroup
from ttfs_pynn.event_driven.integrated_groups import (
    AdExGroup,
    ConductanceGroup,
    HodgkinHuxleyGroup,
    IzhikevichGroup,
    RefractoryGroup,
)
from ttfs_pynn.event_driven.spike_sources import PoissonSourceGroup
from ttfs_pynn.exact import simulator

AVAILABLE = ("IF_curr_exp", "IF_curr_delta", "IF_cond_exp", "IF_cond_alpha", "EIF_cond_exp_isfa_ista",
             "EIF_cond_alpha_isfa_ista", "IF_cond_exp_gsfa_grr", "IF_facets_hardware1", "Izhikevich", "HH_cond_exp",
             "SpikeSourceArray",
             "SpikeSourcePoisson", "StaticSynapse", "DCSource", "StepCurrentSource", "ACSource", "NoisyCurrentSource")
__all__ = list(AVAILABLE)


def _same_names(*names):
    return build_translations(*((name, name) for name in names))


class IF_curr_exp(cell_types.InUnits, cells.IF_curr_exp):
    __doc__ = cells.IF_curr_exp.__doc__
    translations = _same_names(*cells.IF_curr_exp.default_parameters)
    recordable = ["spikes", "v", "isyn_exc", "isyn_inh"]

    @staticmethod
    def create_group(size, parameters, state):
        return LIFGroup(size, parameters)


class IF_curr_delta(cell_types.InUnits, cells.IF_curr_delta):
    __doc__ = cells.IF_curr_delta.__doc__
    translations = _same_names(*cells.IF_curr_delta.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return DeltaGroup(size, parameters)


class IF_cond_exp(cell_types.InUnits, cells.IF_cond_exp):
    __doc__ = cells.IF_cond_exp.__doc__
    translations = _same_names(*cells.IF_cond_exp.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return ConductanceGroup(size, parameters, tolerance=state.tolerance)


class IF_cond_alpha(cell_types.InUnits, cells.IF_cond_alpha):
    __doc__ = cells.IF_cond_alpha.__doc__
    translations = _same_names(*cells.IF_cond_alpha.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return ConductanceGroup(size, parameters, alpha=True, tolerance=state.tolerance)


class EIF_cond_exp_isfa_ista(cell_types.InUnits, cells.EIF_cond_exp_isfa_ista):
    __doc__ = cells.EIF_cond_exp_isfa_ista.__doc__
    translations = _same_names(*cells.EIF_cond_exp_isfa_ista.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return AdExGroup(size, parameters, tolerance=state.tolerance)


class EIF_cond_alpha_isfa_ista(cell_types.InUnits, cells.EIF_cond_alpha_isfa_ista):
    __doc__ = cells.EIF_cond_alpha_isfa_ista.__doc__
    translations = _same_names(*cells.EIF_cond_alpha_isfa_ista.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return AdExGroup(size, parameters, alpha=True, tolerance=state.tolerance)


class IF_cond_exp_gsfa_grr(cell_types.InUnits, cells.IF_cond_exp_gsfa_grr):
    __doc__ = cells.IF_cond_exp_gsfa_grr.__doc__
    translations = _same_names(*cells.IF_cond_exp_gsfa_grr.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return RefractoryGroup(size, parameters, tolerance=state.tolerance)


class IF_facets_hardware1(cell_types.InUnits, cells.IF_facets_hardware1):
    __doc__ = cells.IF_facets_hardware1.__doc__
    # g_leak is in nS, and what the hardware has fixed is PyNN's: 0.2 nF, 1 ms, 0 mV.
    translations = build_translations(("g_leak", "tau_m", "200.0 / g_leak", "200.0 / tau_m"),
                                      *((name, name) for name in cells.IF_facets_hardware1.default_parameters
                                        if name != "g_leak"))

    @staticmethod
    def create_group(size, parameters, state):
        return ConductanceGroup(size, {"cm": 0.2, "tau_refrac": 1.0, "e_rev_E": 0.0, "i_offset": 0.0, **parameters},
                                tolerance=state.tolerance)


class Izhikevich(cell_types.InUnits, cells.Izhikevich):
    __doc__ = cells.Izhikevich.__doc__
    translations = _same_names(*cells.Izhikevich.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return IzhikevichGroup(size, parameters, tolerance=state.tolerance)


class HH_cond_exp(cell_types.InUnits, cells.HH_cond_exp):
    __doc__ = cells.HH_cond_exp.__doc__
    translations = _same_names(*cells.HH_cond_exp.default_parameters)

    @staticmethod
    def create_group(size, parameters, state):
        return HodgkinHuxleyGroup(size, parameters, tolerance=state.tolerance)


class SpikeSourceArray(cell_types.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = _same_names("spike_times")


class SpikeSourcePoisson(cell_types.InUnits, cells.SpikeSourcePoisson):
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = _same_names("rate", "start", "duration")

    @staticmethod
    def create_group(size, parameters, state):
        return PoissonSourceGroup(size, parameters, state.rng)


class StaticSynapse(cell_types.InUnits, synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = _same_names("weight", "delay")
    units = {"weight": "nA", "delay": "ms"}
    # The projection's own check says which weight it refuses.
    parameter_checks = {"weight": lambda weights, projection: projection.checked_weights(weights)}

    def _get_minimum_delay(self):
        return simulator.state.default_delay


class DCSource(current_sources.DCSource):
    __doc__ = current_sources.DCSource.__doc__
    _simulator = simulator


class StepCurrentSource(current_sources.StepCurrentSource):
    __doc__ = current_sources.StepCurrentSource.__doc__
    _simulator = simulator


class ACSource(current_sources.ACSource):
    __doc__ = current_sources.ACSource.__doc__
    _simulator = simulator


class NoisyCurrentSource(current_sources.NoisyCurrentSource):
    __doc__ = current_sources.NoisyCurrentSource.__doc__
    _simulator = simulator


def _refuse(self, *args, **kwargs):
    raise NotImplementedError(f"{type(self).__name__} is not available on the exact simulator, which has "
                              f"{', '.join(AVAILABLE)}; pyNN.brian2, pyNN.nest or pyNN.neuron may have it")


for _module in (cells, synapses, electrodes):
    for _name, _model in list(vars(_module).items()):
        if isinstance(_model, type) and issubclass(_model, StandardModelType) and _model.__module__ == _module.__name__ \
                and _name not in __all__ and not _name.startswith("_"):
            globals()[_name] = type(_name, (_model,), {"__init__": _refuse, "__doc__": _model.__doc__})
            __all__.append(_name)


def list_standard_models():
    """Names of the cell types that can be simulated."""
    return [name for name in AVAILABLE if issubclass(globals()[name], StandardCellType)]
