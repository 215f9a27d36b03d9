"""What the neurons of a population hear, gathered from all edges that lead to it; and back from there to each edge.

Four ways to compute the same: one dense matrix, with zeros for absent pairs, where all delays belong to whole cells; dense
matrices with a delay for each connection; rows, the afferent synapses neuron by neuron, where few pairs are connected, where
connections of a sparse edge have delays of their own, and where populations depend on each other; and in place of rows without
delays a matrix for each field, where neurons hear the same sources (`first_spike.fields`).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ttfs_pynn.first_spike import (
    Arrivals,
    Fields,
    delayed_first_spike_times,
    delayed_vector_jacobian_product,
    fields_first_spike_times,
    fields_vector_jacobian_product,
    first_spike_times,
    membrane_peaks,
    peak_steps,
    recurrent_first_spike_times,
    recurrent_vector_jacobian_product,
    rows_first_spike_times,
    rows_peak_steps,
    rows_vector_jacobian_product,
    vector_jacobian_product,
)
from ttfs_pynn.first_spike.rows import Rows
from ttfs_pynn.graph.graph import Edge, Graph
from ttfs_pynn.graph.parameters import Parameters
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.spikes.first_spikes import FirstSpikes

__all__ = ["Afferents", "Backward", "afferents_of", "ideal_spikes"]

FIELDS_FROM = 4.0  # neurons of a field on average from which on fields are faster than rows; see benchmarks/sparse_rows.py
DENSE_FROM = 0.25  # share of connected pairs from which on a matrix with zeros is faster than rows; see benchmarks/sparse_rows.py


class Backward(NamedTuple):
    """Derivatives of a loss, by edge, summed over samples where they belong to parameters: weights (1/nA) and delays of
    connections (1/ms) of the edge's shape; inputs (samples, cells[, spikes]) of the times at which its spikes were sent (1/ms).
    dendritic (1/ms):
    by population. dropped: contributions left out because they exceeded max_dw."""

    weights: dict[str, np.ndarray]
    delays: dict[str, np.ndarray]
    inputs: dict[str, np.ndarray]
    dendritic: dict[str, np.ndarray]
    dropped: int


def afferents_of(graph: Graph, neurons: Mapping[str, LIFParameters] | None = None) -> tuple["Afferents", ...]:
    """One for each group of populations, causes first. neurons: parameters in place of the graph's, by population."""
    return tuple(Afferents(graph, group, neurons) for group in graph.groups)


def ideal_spikes(parts: Sequence["Afferents"], spikes: FirstSpikes, parameters: Parameters) -> FirstSpikes:
    """The spikes of the sources, and those that ideal neurons answer with, population by population."""
    for part in parts:
        spikes = spikes.with_times(part.first_spikes(spikes, parameters))
    return spikes


class Afferents:
    """The edges that lead to a group of populations (`Graph.groups`), one of them unless they depend on each other."""

    def __init__(self, graph: Graph, group: tuple[str, ...], neurons: Mapping[str, LIFParameters] | None = None) -> None:
        self.graph, self.group, self.is_cycle = graph, group, graph.is_cycle(group)
        self.edges = tuple(edge for label in group for edge in graph.afferents(label))
        self.neurons = {label: (neurons or {}).get(label, graph.node(label).neuron) for label in group}
        sizes = [graph.node(label).size for label in group]
        self._slices = {label: slice(end - size, end) for label, size, end in zip(group, sizes, np.cumsum(sizes), strict=True)}
        self.size = sum(sizes)
        self.neuron = self.neurons[group[0]] if len(group) == 1 else _joined(list(self.neurons.values()), sizes)
        share = sum(edge.n_connections for edge in self.edges) / max(sum(edge.sizes[0] for edge in self.edges) * self.size, 1)
        self._sparse = self.is_cycle or share < DENSE_FROM
        self._weights = [f"{edge.label}.weight" for edge in self.edges]
        self._synapses: _Synapses | None = None
        self._kept_delays: tuple[Any, ...] = (None,)

    def _in_rows(self, spikes: FirstSpikes) -> bool:
        """Whether the dense ways do not do."""
        return self._ways(spikes.delays)[0]

    def _ways(self, delays):
        """(whether rows are wanted, the delays of the dense ways). Kept: a network's delays are the same until it is written."""
        if self._kept_delays[0] is not delays:
            rows = self._sparse or any(edge.pairs is not None and delays[edge.label].synaptic is not None for edge in self.edges)
            self._kept_delays = delays, rows, None if rows else self._dense_delays(delays)
        return self._kept_delays[1:]

    @property
    def synapses(self) -> "_Synapses":
        if self._synapses is None:
            self._synapses = _Synapses(self.edges, self._slices, self.size)
        return self._synapses

    @cached_property
    def fields(self) -> Fields | None:
        """Of what is in rows, groups of neurons that hear the same; None where there are none."""
        columns = sum(edge.sizes[0] for edge in self.edges)
        return None if self.is_cycle else Fields.of(self.synapses.rows, columns, FIELDS_FROM)

    def first_spikes(self, spikes: FirstSpikes, parameters: Parameters) -> dict[str, np.ndarray]:
        """{population: (samples, neurons)}: when ideal neurons spike first (ms), for what the others of `spikes` send; inf where
        that is after the deadline."""
        if self._in_rows(spikes):
            rows, w, t_in = self.synapses.gathered(spikes, parameters)
            if self.is_cycle:
                found = recurrent_first_spike_times(t_in, w, rows, self.neuron, spikes.deadline)
            elif self.fields is not None and not rows.delay.size:
                found = fields_first_spike_times(self._arrivals(spikes), w, self.fields, self.neuron)
            else:
                found = rows_first_spike_times(t_in, w, rows, self.neuron)
        else:
            w, delays = self._gathered(spikes, parameters)
            if delays is None:
                found = first_spike_times(self._arrivals(spikes), w, self.neuron)
            else:
                found = delayed_first_spike_times(self._arrivals(spikes).given, w, delays, self.neuron)
        np.copyto(found, np.inf, where=found >= spikes.deadline)
        return {label: np.ascontiguousarray(found[:, part]) for label, part in self._slices.items()}

    def answers(self, spikes: FirstSpikes, parameters: Parameters) -> dict[str, np.ndarray]:
        """As `first_spikes`, for what every population of `spikes` sends, also those of this group."""
        if not self.is_cycle:
            return self.first_spikes(spikes, parameters)
        rows, w, t_in = self.synapses.gathered(spikes, parameters, heard=True)
        found = rows_first_spike_times(t_in, w, rows, self.neuron)
        np.copyto(found, np.inf, where=found >= spikes.deadline)
        return {label: np.ascontiguousarray(found[:, part]) for label, part in self._slices.items()}

    def backward(self, spikes: FirstSpikes, parameters: Parameters, errors: Mapping[str, np.ndarray], max_dw: float,
                 with_inputs: bool = True) -> Backward:
        """From errors = dL/dT (samples, neurons) of each population of the group. max_dw: in units of 1/current_scale, see
        `first_spike.backward.vector_jacobian_product`."""
        t_out, error = (np.concatenate([found[label] for label in self.group], axis=1) if len(self.group) > 1
                        else found[self.group[0]] for found in (spikes, errors))
        limit = max_dw / self.neuron.current_scale
        if self._in_rows(spikes):
            rows, w, t_in = self.synapses.gathered(spikes, parameters)
            if self.fields is not None and not rows.delay.size:
                dw, dt_in, dropped = fields_vector_jacobian_product(self._arrivals(spikes), w, self.fields, t_out, error,
                                                                    self.neuron, limit, with_inputs)
                return self._from_rows(spikes, dw, dt_in, None, dropped)
            product = recurrent_vector_jacobian_product if self.is_cycle else rows_vector_jacobian_product
            dw, dt_in, dd, dropped = product(t_in, w, rows, t_out, error, self.neuron, limit)
            return self._from_rows(spikes, dw, dt_in, dd if rows.delay.size else None, dropped)
        (w, delays), heard = self._gathered(spikes, parameters), self._arrivals(spikes)
        if delays is None:
            dw, dt_in, dropped = vector_jacobian_product(heard, w, t_out, error, self.neuron, limit, with_inputs=with_inputs)
            return self._from_dense(spikes, dw, dt_in, None, dropped)
        dw, dt_in, dd, dropped = delayed_vector_jacobian_product(heard.given, w, delays, t_out, error, self.neuron, limit)
        return self._from_dense(spikes, dw, dt_in, dd, dropped)

    def _gathered(self, spikes, parameters):
        """(w (inputs, neurons), delays or None) of the dense ways."""
        weights = [edge.matrix(parameters[name]) for edge, name in zip(self.edges, self._weights, strict=True)]
        return _one_below_the_other(weights), self._ways(spikes.delays)[1]

    def _arrivals(self, spikes):
        """What the neurons hear, (samples, inputs[, spikes]). Spikes are looked at forth and back: it is kept with them."""
        sent = [(spikes[edge.pre], spikes.delays[edge.label].axonal) for edge in self.edges]
        kept = spikes.arrivals.get(self.group)
        if kept is None or any(mine is not its for one, other in zip(kept[0], sent, strict=True)
                               for mine, its in zip(one, other, strict=True)):
            kept = spikes.arrivals[self.group] = sent, Arrivals(_side_by_side([_arriving(spikes, edge) for edge in self.edges]))
        return kept[1]

    def _dense_delays(self, of_edges):
        """(1, neurons) where delays are dendritic alone, (inputs, neurons) where an edge's connections have their own, or
        None."""
        found = [of_edges[edge.label] for edge in self.edges]
        dendritic = found[0].dendritic
        if all(delays.synaptic is None for delays in found):
            return None if dendritic is None else dendritic[None, :]
        each = [np.zeros(edge.sizes) if delays.synaptic is None else delays.synaptic
                for edge, delays in zip(self.edges, found, strict=True)]
        return np.concatenate(each) + (0.0 if dendritic is None else dendritic)

    def _from_dense(self, spikes, dw, dt_in, dd, dropped):
        """Scatter what the dense ways found to the edges."""
        label = self.group[0]
        dendritic = {label: dd.sum(axis=0)} if dd is not None and self.graph.node(label).dendritic_delay is not None else {}
        weights, delays, inputs, row = {}, {}, {}, 0
        for edge in self.edges:
            mine = slice(row, row + edge.sizes[0])
            row = mine.stop
            weights[edge.label] = _picked(edge, dw[mine])
            if dd is not None and len(dd) > 1:
                delays[edge.label] = _picked(edge, dd[mine])
            if dt_in is not None:
                inputs[edge.label] = _as_sent(dt_in[:, mine], spikes[edge.pre])
        return Backward(weights, delays, inputs, dendritic, dropped)

    def _from_rows(self, spikes, dw, dt_in, dd, dropped):
        """Scatter what rows found to the edges."""
        weights = self.synapses.scattered(dw)
        delays = {} if dd is None else self.synapses.scattered(dd)
        dendritic = {}
        for label, part in self._slices.items():
            if dd is not None and self.graph.node(label).dendritic_delay is not None:
                dendritic[label] = np.add.reduceat(np.append(dd, 0.0), self.synapses.rows.start[:-1])[part] \
                    * (np.diff(self.synapses.rows.start)[part] > 0)
        inputs, column = {}, 0
        for edge in self.synapses.external if dt_in is not None else ():
            inputs[edge.label] = _as_sent(dt_in[:, column:column + edge.sizes[0]], spikes[edge.pre])
            column += edge.sizes[0]
        return Backward(weights, delays, inputs, dendritic, dropped)

    def peak_steps(self, spikes: FirstSpikes, parameters: Parameters, wanted: Mapping[str, np.ndarray],
                   aim: float) -> dict[str, np.ndarray]:
        """{edge: changes of weights (nA)}, summed over samples, that bring the highest membrane of the wanted (samples, neurons)
        of each population, to first order, to `aim` times threshold (see `learning.silent_neurons.MembranePeak`)."""
        chosen = np.concatenate([wanted[label] for label in self.group], axis=1)
        # What is not connected has no share in a step: of matrices it would have.
        if self._in_rows(spikes) or any(edge.pairs is not None for edge in self.edges):
            rows, w, t_in = self.synapses.gathered(spikes, parameters, heard=True)
            return self.synapses.scattered(rows_peak_steps(t_in, w, rows, self.neuron, chosen, aim))
        w, delays = self._gathered(spikes, parameters)
        step = _dense_steps(self._arrivals(spikes).given, w, self.neuron, chosen, delays, aim)
        found, row = {}, 0
        for edge in self.edges:
            found[edge.label] = _picked(edge, step[row:row + edge.sizes[0]])
            row += edge.sizes[0]
        return found


def _arriving(spikes: FirstSpikes, edge: Edge) -> np.ndarray:
    """When what the edge's cells sent arrives (ms), but for what belongs to neurons and connections."""
    sent, axonal = spikes[edge.pre], np.asarray(spikes.delays[edge.label].axonal)
    if axonal.ndim == 0 and axonal == 0.0:
        return sent
    return sent + (axonal[:, None] if axonal.ndim and sent.ndim == 3 else axonal)


def _side_by_side(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Times (samples, cells) or (samples, cells, spikes) of several populations as one array, inf where a cell has fewer."""
    longest = max((part.shape[2] for part in parts if part.ndim == 3), default=0)
    if longest:
        parts = [part if part.ndim == 3 else part[:, :, None] for part in parts]
        parts = [np.pad(part, ((0, 0), (0, 0), (0, longest - part.shape[2])), constant_values=np.inf) for part in parts]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _one_below_the_other(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Matrices of as many columns as one; not copied where they lie like this in memory, as an optimizer leaves them."""
    if len(matrices) == 1:
        return matrices[0]
    owner = matrices[0].base
    if owner is None or owner.ndim != 1 or any(matrix.base is not owner or not matrix.flags.c_contiguous for matrix in matrices):
        return np.concatenate(matrices)
    places = [matrix.__array_interface__["data"][0] for matrix in matrices]
    if any(place + matrix.nbytes != after for place, matrix, after in zip(places[:-1], matrices, places[1:], strict=False)):
        return np.concatenate(matrices)
    first, size = (places[0] - owner.__array_interface__["data"][0]) // owner.itemsize, sum(matrix.size for matrix in matrices)
    return owner[first:first + size].reshape(-1, matrices[0].shape[1])


def _as_sent(part: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """A population's part of derivatives by times of `_side_by_side`, in the shape of its own times."""
    return part[:, :, :sent.shape[2]] if sent.ndim == 3 else part[:, :, 0] if part.ndim == 3 else part


def _dense_steps(t_in, w, neuron, wanted, delays, aim):
    if delays is not None and len(delays) > 1:  # every neuron hears its inputs at other times
        step = np.zeros_like(w)
        for n in np.flatnonzero(wanted.any(axis=0)):
            late = t_in + (delays[:, n] if t_in.ndim == 2 else delays[:, [n]])
            step[:, [n]] = _dense_steps(late, w[:, [n]], neuron.one(n), wanted[:, [n]], None, aim)
        return step
    t_peak, v_peak = membrane_peaks(t_in, w, neuron, wanted)  # dendritic delays shift the whole membrane
    missing = np.where(v_peak < neuron.threshold, aim * neuron.threshold - v_peak, 0.0)
    return peak_steps(t_in, t_peak, missing, neuron)


def _picked(edge: Edge, matrix: np.ndarray) -> np.ndarray:
    """The values of an edge's connections, of a matrix (pre, post)."""
    return matrix if edge.pairs is None else matrix[edge.pairs[:, 0], edge.pairs[:, 1]]


def _joined(neurons: Sequence[LIFParameters], sizes: Sequence[int]) -> LIFParameters:
    """The parameters of several populations, one value a neuron."""
    columns = [neuron.columns(size) for neuron, size in zip(neurons, sizes, strict=True)]
    tau_m, tau_syn, cm, threshold = (np.concatenate(values) for values in zip(*columns, strict=True))
    return LIFParameters(tau_m, tau_syn, cm, v_rest=0.0, v_thresh=threshold)


class _Synapses:
    """The connections of several edges, neuron by neuron. Columns are the cells of each edge that comes from outside, then the
    neurons of the group itself."""

    def __init__(self, edges: Sequence[Edge], slices: Mapping[str, slice], size: int) -> None:
        self.edges, self.slices = edges, slices
        self.external = [edge for edge in edges if edge.pre not in slices]
        self._n_external = sum(edge.sizes[0] for edge in self.external)
        columns, neurons, first = [], [], 0
        for edge in edges:
            if edge.pre in slices:
                columns.append(self._n_external + slices[edge.pre].start + edge.pre_index)
            else:
                columns.append(first + edge.pre_index)
                first += edge.sizes[0]
            neurons.append(slices[edge.post].start + edge.post_index)
        self._order = np.argsort(np.concatenate(neurons), kind="stable")
        counts = np.bincount(np.concatenate(neurons), minlength=size)
        self.rows = Rows(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
                         np.concatenate(columns)[self._order].astype(np.int64), np.empty(0))

    def gathered(self, spikes, parameters, heard=False):
        """(rows with delays, weights of the synapses, t_in of the columns). heard: with those of the group itself as inputs."""
        w = np.concatenate([parameters[f"{edge.label}.weight"].ravel() for edge in self.edges])[self._order]
        rows = self.rows._replace(delay=self._delays(spikes))
        parts = [_arriving(spikes, edge) for edge in self.external] + [spikes[label] for label in self.slices if heard]
        return rows, w, _side_by_side(parts) if parts else np.empty((len(next(iter(spikes.times.values()))), 0))

    def _delays(self, spikes):
        """Of each synapse, what is not in the times of its column already; empty where there is none."""
        found, any_delay = [], False
        for edge in self.edges:
            axonal, dendritic, synaptic = spikes.delays[edge.label]
            inside = edge.pre in self.slices
            each = np.zeros(edge.n_connections) if synaptic is None else np.asarray(synaptic, dtype=float).ravel()
            if inside:
                each = each + (axonal[edge.pre_index] if np.ndim(axonal) else axonal)
            if dendritic is not None:
                each = each + dendritic[edge.post_index]
            any_delay |= synaptic is not None or dendritic is not None or inside
            found.append(each)
        return np.concatenate(found)[self._order] if any_delay else np.empty(0)

    def scattered(self, values):
        """{edge: its part} of an array with one value a synapse."""
        flat = np.empty(len(values))
        flat[self._order] = values
        found, first = {}, 0
        for edge in self.edges:
            found[edge.label] = flat[first:first + edge.n_connections].reshape(edge.shape)
            first += edge.n_connections
        return found
