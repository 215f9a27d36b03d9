"""Groups that reach each other in a cycle: laid side by side and simulated together by a compiled kernel."""

import numpy as np

from ttfs_pynn.event_driven import kernels
from ttfs_pynn.event_driven.event_queue import run_queue
from ttfs_pynn.event_driven.groups import SimulationError, endless
from ttfs_pynn.event_driven.windows import Links, Outgoing, run_windows

__all__ = ["RecurrentGroups"]

_SHORTEST_WINDOW = 1 / 64  # of the median time constant; below, looking at all neurons in each window would cost too much
_DIGITS_OF_TIME = 16  # how many floats a window needs at the end of a run, to be told from the next one


class RecurrentGroups:
    """The groups of one strongly connected component and the synapses that reach them.

    Where the smallest delay between them is no less than 1/64 of the median time constant, time goes on in windows
    (`windows`), else, and so late that floats hardly tell one window from the next, from event to event (`event_queue`);
    `method` ('windows' or 'queue') fixes it.
    """

    def __init__(self, groups, synapses, method=None):
        self.groups, self.synapses, self.method = groups, [s for s in synapses if len(s)], method
        self._first = np.cumsum([0] + [group.size for group in groups])
        self._key = self._weight_key = None

    def _arrange(self):
        """Connections of all synapses one after the other, by sender (a source in one projection), each sender's by delay."""
        key = tuple(s.layout_version for s in self.synapses)
        if key != self._key:
            position = {group: k for k, group in enumerate(self.groups)}
            sorted_tables = [s.sorted_table() for s in self.synapses]
            self._orders = [order.astype(np.int32) if order.size < 2**31 else order for _, order in sorted_tables]
            counts = [np.diff(start) for start, _ in sorted_tables]
            del sorted_tables
            self._start = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
            target, delay = np.empty(self._start[-1], dtype=np.int32), np.empty(self._start[-1])
            for s, order, part in self._parts():
                target[part] = s.post[order]
                target[part] += self._first[position[s.post_group]]
                delay[part] = s.delay[order]
            self._target, self._delay = target, delay
            self._inhibitory = np.repeat([s.receptor == "inhibitory" for s in self.synapses],
                                         [s.pre_group.size for s in self.synapses])
            self._first_sender = np.cumsum([0] + [s.pre_group.size for s in self.synapses])
            self._links = self._link(position)
            inside = [s.delay.min() for s in self.synapses if s.pre_group in position]
            self._shortest_delay = min(inside, default=np.inf)
            self._key, self._weight_key = key, None
        weight_key = tuple(s.weight_version for s in self.synapses)
        if weight_key != self._weight_key:
            self._weight = np.empty(self._delay.size)
            for s, order, part in self._parts():
                self._weight[part] = s.weight[order]
            self._weight_key = weight_key
        return self._start, self._target, self._weight, self._delay, self._inhibitory

    def _parts(self):
        first = 0
        for s, order in zip(self.synapses, self._orders, strict=True):
            yield s, order, slice(first, first + order.size)
            first += order.size

    def _link(self, position):
        """Links: the senders that each neuron is."""
        neurons, senders = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for s, first in zip(self.synapses, self._first_sender[:-1], strict=True):
            if s.pre_group in position:
                neurons.append(self._first[position[s.pre_group]] + np.arange(s.pre_group.size))
                senders.append(first + np.arange(s.pre_group.size))
        neurons, senders = np.concatenate(neurons), np.concatenate(senders)
        order = np.argsort(neurons, kind="stable")
        return Links(np.searchsorted(neurons[order], np.arange(self._first[-1] + 1)), senders[order])

    def _known_spikes(self, t_stop):
        """(times, senders) in time order: spikes of other groups, and those of these groups that are still on their way."""
        parts = [(times, index + first) for s, first in zip(self.synapses, self._first_sender[:-1], strict=True)
                 for times, index, _ in [s.take_spikes(t_stop)]]
        times, senders = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(times, kind="stable")
        return times[order], senders[order]

    def _kinds(self, parameters):
        """(kind of each neuron, rates (kinds, 3)): neurons with the same time constants share exponentials."""
        rates = np.ascontiguousarray(parameters[:, [kernels.RATE_M, kernels.RATE_E, kernels.RATE_I]])
        kinds, kind = np.unique(rates, axis=0, return_inverse=True)
        return kind.ravel(), np.ascontiguousarray(kinds)

    def advance(self, t_stop):
        """Deliver the events before t_stop. Returns {group: (index, time)}: spikes of [t, t_stop), in time order."""
        groups, t = self.groups, self.groups[0].t
        if any(group.driven for group in groups):
            return self._advance_in_steps(t_stop)
        outgoing = Outgoing(*self._arrange())
        parameters = np.concatenate([group.table for group in groups])
        state = tuple(np.concatenate(arrays) for arrays in zip(*(group.state for group in groups), strict=True))
        if self.method == "windows" and self._shortest_delay == 0:
            raise SimulationError("windows need delays > 0; leave the method out, and delays of 0 are simulated event by event")
        in_flight = [list(s._in_flight) for s in self.synapses], [s._delivered_until for s in self.synapses]
        known = self._known_spikes(t_stop)
        kind, rates = self._kinds(parameters)
        with np.errstate(divide="ignore"):
            typical = float(np.median(1 / rates[kind].max(axis=1)))
        method = self.method or ("windows" if self._shortest_delay >= _SHORTEST_WINDOW * typical else "queue")
        longest = 2.0 ** np.floor(np.log2(min(self._shortest_delay, typical))) if method == "windows" else 0.0
        if longest >= _DIGITS_OF_TIME * np.spacing(float(t_stop)):
            ok, index, time = run_windows(*known, self._links, outgoing, t, float(t_stop), longest, kind, rates, *state,
                                          parameters)
        else:
            ok, index, time = run_queue(*known, self._links, outgoing, t, float(t_stop), *state, parameters)
        if not ok:
            for s, spikes, until in zip(self.synapses, *in_flight, strict=True):
                s._in_flight, s._delivered_until = spikes, until
            raise endless(t, t_stop)
        return self._finish(t_stop, state, index, time, in_flight)

    def _advance_in_steps(self, t_stop):
        """In steps of the smallest delay, where all input of each group is known: for neurons that these kernels do not have.

        Where no neuron fires in a step, the next one is twice as long, as far as a rehearsal of it has no arrival of a new spike.
        """
        inside = [s for s in self.synapses if s.pre_group in self.groups]
        step = min(s.delay.min() for s in inside)
        begin = self.groups[0].t
        if not float(t_stop) + step > float(t_stop):
            late = f", and more than the resolution of time, {np.spacing(float(t_stop)):.3g} ms at {t_stop:g} ms" if step else ""
            raise SimulationError("in a recurrent network, neurons with injected currents or delta synapses need delays > 0"
                                  f"{late}; give all projections between them one")
        parts = {group: [] for group in self.groups}
        length = step
        while begin < t_stop:
            # not a multiple of the step: a spike in this step arrives after its end, however either is rounded
            end = min(begin + length, float(t_stop))
            if length > step:
                pieces = max(group.pieces(begin, end) for group in self.groups)
                end = begin + max(step, (end - begin) / pieces) if pieces > 1 else end
                first = self._rehearsed(end)
                end = end if first == np.inf else max(begin + step, min(end, first + step))
            begin = end
            for group in self.groups:
                parts[group].append(group.advance(begin))
            for s in inside:
                s.send(*parts[s.pre_group][-1])
            length = step if any(parts[group][-1][0].size for group in self.groups) else 2.0 * length
        return {group: tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True)) for group, found in parts.items()}

    def _rehearsed(self, t_stop):
        """When the first neuron fires before t_stop if no spike arrives that does not yet exist; inf: none. Changes no state."""
        first = np.inf
        for group in self.groups:
            kept = group.t, group.state, group.table, group.probe
            on_the_way = [(s, list(s._in_flight), s._delivered_until) for s in group.incoming]
            once = group.table.copy()
            once[:, kernels.TAU_REFRAC] = np.inf  # for only the first spike is looked for
            group.table, group.probe = once, None
            try:
                first = min(first, group.advance(t_stop)[1].min(initial=np.inf))
            finally:
                group.t, group.state, group.table, group.probe = kept
                for s, spikes, until in on_the_way:
                    s._in_flight, s._delivered_until = spikes, until
        return first

    def _finish(self, t_stop, state, index, time, in_flight):
        order = np.argsort(time, kind="stable")
        index, time = index[order], time[order]
        owner = np.searchsorted(self._first, index, side="right") - 1
        spikes = {group: (index[owner == k] - self._first[k], time[owner == k]) for k, group in enumerate(self.groups)}
        for s, earlier, until in zip(self.synapses, *in_flight, strict=True):
            if s.post_group.probe is not None:  # it is to see all arrivals, once
                s._in_flight, s._delivered_until = earlier, until
            if s.pre_group in spikes:
                s.send(*spikes[s.pre_group])
        for k, group in enumerate(self.groups):
            if group.probe is not None:
                group.trace(t_stop, *spikes[group])
            part = slice(self._first[k], self._first[k + 1])
            group.state = tuple(array[part].copy() for array in state)
            group.t = float(t_stop)
        for s in self.synapses:
            s.forget()
        return spikes
