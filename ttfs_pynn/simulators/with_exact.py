"""`ttfs_pynn.exact`."""

import numpy as np

from ttfs_pynn.simulators.base import Simulator
from ttfs_pynn.simulators.connectors import spread

__all__ = ["Exact"]


class Exact(Simulator):

    def set_spikes(self, population, matrix, dt):
        population.set_spike_matrix(matrix)

    def setup(self, dt, seed=None, layers=()):
        sim = self.load()
        sim.setup(timestep=dt, seed=seed)
        return sim

    def connector(self, n_copies, pairs=None):
        from pyNN.connectors import AllToAllConnector
        return AllToAllConnector() if n_copies == 1 and pairs is None else super().connector(n_copies, pairs)

    def connections(self, projection):
        pre, post = (np.array([int(cell) for cell in cells.all_cells]) for cells in (projection.pre, projection.post))
        return (pre[projection._pre], post[projection._post], projection._values("weight"), projection._values("delay"))

    def assign_matrix(self, projections, weights):
        if any(projection._dense is None or projection.shape != weights.shape for projection in projections.values()):
            return False
        if len(projections) == 2:
            projections[1].set_signed(projections[-1], weights)
        for sign, projection in projections.items() if len(projections) == 1 else ():
            projection.set(weight=np.maximum(weights, 0.0) if sign > 0 else np.minimum(weights, 0.0))
        return True

    def assign(self, projection, name, values):
        projection._assign(name, values)

    def write_values(self, projection, name, values, n_copies, n_pre, n_post, pairs=None, neuron=None):
        if name == "weight" and n_copies == 1 and pairs is None:
            projection.set(weight=values)  # the matrix as it is
        else:
            projection._assign(name, spread(values, n_copies, n_pre, n_post, pairs))

    def write_signed(self, excitatory, inhibitory, weights, n_copies, n_pre, n_post, pairs=None, neuron=None):
        if n_copies == 1 and pairs is None:
            excitatory.set_signed(inhibitory, weights)
        else:
            super().write_signed(excitatory, inhibitory, weights, n_copies, n_pre, n_post, pairs, neuron)

    def _as_made(self, projection):
        return slice(None)

    def is_injected(self, sim, population):
        return population.group.driven and not population.group.JUMPS

    def count_afferents(self, sim, population):
        return sum(len(synapses) for synapses in population.group.incoming)

    def membrane(self, population):
        return population.group.get_state()["v"]
