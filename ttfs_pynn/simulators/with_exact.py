"""`ttfs_pynn.exact`."""

from ttfs_pynn.simulators.base import BlockConnector, Simulator

__all__ = ["Exact"]


class Exact(Simulator):

    def set_spikes(self, population, matrix, dt):
        population.set_spike_matrix(matrix)

    def setup(self, dt, seed=None, layers=()):
        sim = self.load()
        sim.setup(timestep=dt, seed=seed)
        return sim

    def connector(self, n_copies):
        from pyNN.connectors import AllToAllConnector
        return AllToAllConnector() if n_copies == 1 else BlockConnector(n_copies)

    def set_delays(self, projection, delays):
        projection._assign("delay", delays)

    def membrane(self, population):
        return population.group.get_state()["v"]
