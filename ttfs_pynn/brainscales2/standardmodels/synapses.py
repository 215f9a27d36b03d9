"""Synapse types. Weights are integers of any size: above 63 they take several synapses of the chip. Delays are 0."""

import numpy as np
from pyNN.standardmodels import build_translations, synapses

from ttfs_pynn.brainscales2 import simulator
from ttfs_pynn.brainscales2.plasticity import PlasticityRuleHandle
from ttfs_pynn.event_driven.cell_types import InUnits

__all__ = ["PlasticSynapse", "StaticRecordingSynapse", "StaticSynapse"]


class StaticSynapse(InUnits, synapses.StaticSynapse):
    """Fixed weight (rounded to an integer) and delay (0)."""

    translations = build_translations(("weight", "weight"), ("delay", "delay"))
    units = {"weight": "dimensionless", "delay": "ms"}
    # PyNN's check does not say which weight it refuses.
    parameter_checks = {"weight": lambda weights, projection: projection.checked_weights(np.asarray(weights, dtype=float))}

    def _get_minimum_delay(self):
        return simulator.active("a synapse type without a delay of its own").min_delay


class PlasticSynapse(StaticSynapse, PlasticityRuleHandle):
    """A weight that a rule on the embedded processor would change: can be created and mapped, but not run."""

    def __init__(self, weight=0, delay=0, plasticity_rule=None):
        StaticSynapse.__init__(self, weight=weight, delay=delay)
        PlasticityRuleHandle.__init__(self, plasticity_rule=plasticity_rule)


class StaticRecordingSynapse(StaticSynapse, PlasticityRuleHandle):
    """A static weight that a rule on the embedded processor would record: can be created and mapped, but not run."""

    def __init__(self, timer, weight, observables):
        from ttfs_pynn.brainscales2.plasticity import PlasticityRule
        StaticSynapse.__init__(self, weight=weight)
        PlasticityRuleHandle.__init__(self, PlasticityRule(timer=timer))
        self.observables = observables
