"""pyNN.nest: precise spike times, spikes at steps, and the model that misses no crossing."""

import os
import warnings

import numpy as np

from ttfs_pynn.simulators.base import Simulator, SimulatorError, detuned

__all__ = ["Nest", "NestGrid", "NestLossless"]


class Nest(Simulator):
    """NEST 3.10 with precise spike times, which is what pyNN.nest 0.13 does unless told otherwise."""

    precision, model = "off_grid", "iaf_psc_exp_ps"

    def setup(self, dt, seed=None, layers=()):
        os.environ.setdefault("PYNEST_QUIET", "1")  # else 20 lines are printed at import
        sim = self.load()
        # With min_delay 'auto' every spike source fires late by (smallest delay - dt), so it is given.
        sim.setup(timestep=dt, min_delay=dt, verbosity="error", spike_precision=self.precision, t_flush=1000.0,
                  **({} if seed is None else {"rng_seed": seed + 1}))
        import nest
        # Above zero, the default, every query of the kernel takes longer the longer the simulated time is.
        nest.spike_buffer_shrink_limit = 0.0
        sim.IF_curr_exp.nest_name = {"on_grid": "iaf_psc_exp", "off_grid": self.model}
        return sim

    def source_times(self, times, dt):
        # pyNN.nest 0.13 gives NEST the times less one step and leaves out those that are then negative; NEST 3.10 refuses 0.
        return np.maximum(times, (1 + 1e-6) * dt)

    def before_reset(self, sim, rest):
        # NEST cannot reset: pyNN.nest 0.13 simulates t_flush more in silence, which must outlast refractoriness.
        sim.simulator.state.t_flush = float(np.max(rest)) + 2 * sim.get_time_step()
        warnings.filterwarnings("ignore", "Full reset functionality", UserWarning)  # seen to, just above

    def read_weights(self, projection, neuron):
        # The first run sorts connections; pyNN.nest 0.13 goes on reading the handles that it looked up before, now of others.
        projection._connections = None
        return super().read_weights(projection, neuron)

    def write_weights(self, projection, weights, n_copies, neuron):
        # pyNN.nest 0.13 looks up the connections of every target by itself, half a minute for 50 copies.
        import nest
        connections = nest.GetConnections(synapse_model=projection.nest_synapse_model,
                                          synapse_label=projection.nest_synapse_label)
        n_pre, n_post = weights.shape
        pre = np.array(list(connections.sources())) - int(projection.pre.all_cells[0])
        post = np.array(list(connections.targets())) - int(projection.post.all_cells[0])
        connections.set(weight=list(1e3 * weights[pre % n_pre, post % n_post]))

    def is_set_up(self, sim):
        return sim.simulator.state.spike_precision == self.precision and sim.IF_curr_exp.nest_name["off_grid"] == self.model

    def cell_parameters(self, neuron):
        parameters = super().cell_parameters(neuron)
        if np.isinf(neuron.tau_m).any():
            raise SimulatorError("nest cannot simulate tau_m = inf; use a large value such as 1e6 ms, or the simulator 'exact'")
        # An infinite refractory period overflows the count of its steps.
        parameters["tau_refrac"] = np.minimum(parameters["tau_refrac"], 1e6)
        return parameters


class NestGrid(Nest):
    """NEST with spikes at steps, for the sake of speed."""

    precision = "on_grid"

    def source_times(self, times, dt):
        # A generator rounds up, and 1.5 - 0.1 is a little more than 1.4: aim between two steps for the one that is meant.
        return np.maximum((np.round(np.asarray(times) / dt) - 0.25) * dt, 1.75 * dt)


class NestLossless(Nest):
    """NEST's model that misses no crossing; iaf_psc_exp_ps misses one that is over before the step ends. It refuses equal time
    constants, and two different ones of the synapses."""

    model = "iaf_psc_exp_ps_lossless"

    def cell_parameters(self, neuron):
        return super().cell_parameters(neuron) | dict.fromkeys(("tau_syn_E", "tau_syn_I"), detuned(neuron.tau_m, neuron.tau_syn))
