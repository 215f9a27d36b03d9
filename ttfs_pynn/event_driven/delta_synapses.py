"""Neurons whose membrane moves at once when a spike arrives."""

import numpy as np

from ttfs_pynn.event_driven.groups import LIFGroup

__all__ = ["DeltaGroup"]


class DeltaGroup(LIFGroup):
    """`size` neurons:  cm dv/dt = -(cm/tau_m) (v - v_rest) + i_offset;  an arrival moves v by its weight (mV).

    A neuron that is moved to v_thresh or beyond fires at that time; what arrives at the same time counts together. While v is
    held at v_reset arrivals are lost, as in NEST's iaf_psc_delta. Parameters as those of `LIFGroup`, without the synaptic ones.
    """

    PARAMETERS = ("tau_m", "cm", "v_rest", "v_reset", "v_thresh", "tau_refrac", "i_offset")
    VARIABLES = ("v",)
    JUMPS = True

    def _completed(self, parameters):
        return {**parameters, "tau_syn_E": np.ones(self.size), "tau_syn_I": np.ones(self.size)}  # of currents that stay 0
