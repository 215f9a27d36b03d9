"""pyNN.nest: precise spike times, spikes at steps, and the model that misses no crossing."""

import os
import warnings

import numpy as np
from pyNN.parameters import Sequence

from ttfs_pynn.simulators.base import Simulator, SimulatorError, detuned
from ttfs_pynn.simulators.connectors import BlockConnector
from ttfs_pynn.simulators.nest_handles import Handles

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

    def after_run(self, projections):
        # The first run sorts connections; pyNN.nest 0.13 goes on reading the handles that it looked up before, now of others.
        for projection in projections:
            projection._connections = None

    def after_clear(self, population, before):
        # pyNN.nest 0.13: after record(None) the cells count as recorded, though nothing records them.
        recorder = population.recorder
        for variable in set(recorder.recorded_all) - set(recorder.recorded):
            del recorder.recorded_all[variable]

    def membrane(self, population):
        return np.atleast_1d(population.node_collection.get("V_m"))

    def spike_times(self, population):
        # pyNN.nest 0.13 gives back times since setup(), which it does not reset.
        offset = population._simulator.state._time_offset
        return [train - offset for train in super().spike_times(population)]

    def reset_script(self, sim, populations, projections, annotations):
        # NEST cannot reset: pyNN.nest 0.13 simulates t_flush more, in which driven neurons go on, and may be refractory then.
        driven = [(p, p.get("i_offset")) for p in populations if "i_offset" in p.celltype.default_parameters]
        for population, _ in driven:
            population.set(i_offset=0.0)
        for population in populations:
            if type(population.celltype).__name__ == "SpikeSourceArray":
                population.set(spike_times=[Sequence([])] * population.size)
        self.before_reset(sim, max((float(np.max(p.get("tau_refrac"))) for p, _ in driven), default=0.0) + 1000.0)
        sim.reset(annotations)
        for population, i_offset in driven:
            population.set(i_offset=i_offset)

    def connections(self, projection):
        # pyNN.nest 0.13 numbers the cells of an assembly wrongly, and has no celltype for one.
        unit = 1.0 / self._weight_scale(projection)
        return tuple(array * (unit if name == "weight" else 1) for name, array in Handles.of(projection).columns().items())

    @staticmethod
    def _weight_scale(projection):
        """What a weight of 1 is on NEST: 1000 pA or nS, or what the cell type says, such as 1 mV; an assembly has none."""
        return 1e3 * getattr(getattr(projection.post, "celltype", None), "receptor_scale", 1.0)

    def assign(self, projection, name, values):
        # pyNN.nest 0.13 looks up the connections of every target by itself, half a minute for 50 copies.
        Handles.of(projection).set(name, values * (self._weight_scale(projection) if name == "weight" else 1))
        self.after_run([projection])

    def _as_made(self, projection):
        return slice(None)

    def connector(self, n_copies, pairs=None):
        return _AtOnceConnector(n_copies, pairs)

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


class _AtOnceConnector(BlockConnector):
    """pyNN.nest 0.13 connects every target by itself, 12 times slower than one call."""

    def connect(self, projection):
        import nest
        pre, post = self.indices(projection)
        if not pre.size:
            return
        given = {name: value.evaluate(simplify=True) for name, value in self._parameters_from_synapse_type(projection).items()}
        nest.Connect(projection.pre.all_cells.astype(int)[pre], projection.post.all_cells.astype(int)[post], "one_to_one",
                     {"synapse_model": projection.nest_synapse_model, "synapse_label": projection.nest_synapse_label,
                      **{name: np.broadcast_to(given[name], pre.shape).astype(float) for name in ("weight", "delay")}})
        projection._sources.update(projection.pre.all_cells.astype(int)[np.unique(pre)].tolist())
        projection._connections = None
        projection._simulator.state.stale_connection_cache = True
