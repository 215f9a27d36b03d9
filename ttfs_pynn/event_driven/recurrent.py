"""Groups that reach each other in a cycle: laid side by side and simulated together by a compiled kernel."""

import numpy as np

from ttfs_pynn.event_driven import kernels
from ttfs_pynn.event_driven.delay_rows import DelayRows
from ttfs_pynn.event_driven.event_queue import run_queue
from ttfs_pynn.event_driven.groups import SimulationError, endless
from ttfs_pynn.event_driven.windows import Links, run_windows

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
        self._table = self._key = None

    def _sets(self):
        """Synapses of one source group and one receptor, which can share rows: the same spikes are on their way through them."""
        sets = []
        for s in self.synapses:
            for members in sets:
                if members[0].receptor == s.receptor and members[0].shares_spikes(s, self.groups[0].t):
                    members.append(s)
                    break
            else:
                sets.append([s])
        return sets

    def _arrange(self):
        """Rows of all connections; made anew where connections, delays, or what can share rows changed, or weights do not fit."""
        sets = self._sets()
        key = [[(s, s.layout_version) for s in members] for members in sets]
        if key != self._key or not self._table.set_weights():
            self._table = None  # memory for one is enough
            first = dict(zip(self.groups, self._first[:-1], strict=True))
            self._table = DelayRows(sets, first)
            self._links = self._link(first)
            self._shortest_delay = min((s.delay.min() for s in self.synapses if s.pre_group in first), default=np.inf)
            self._key = key
        return self._table.rows

    def _link(self, first):
        """Links: the rows that each neuron is."""
        neurons, rows = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for members, first_row in zip(self._table.sets, self._table.first_row, strict=False):
            group = members[0].pre_group
            if group in first:
                neurons.append(first[group] + np.arange(group.size))
                rows.append(first_row + np.arange(group.size))
        neurons, rows = np.concatenate(neurons), np.concatenate(rows)
        order = np.argsort(neurons, kind="stable")
        return Links(np.searchsorted(neurons[order], np.arange(self._first[-1] + 1)), rows[order])

    def _known_spikes(self, t_stop):
        """(times, rows) in time order: spikes of other groups, and those of these groups that are still on their way."""
        times, rows = [], []
        for members, first_row in zip(self._table.sets, self._table.first_row, strict=False):
            # Who has the longest delay has kept all that others have.
            taken = [s.take_spikes(t_stop) for s in sorted(members, key=lambda s: s.longest_delay)]
            times.append(taken[-1][0])
            rows.append(taken[-1][1] + first_row)
        times, rows = np.concatenate(times), np.concatenate(rows)
        order = np.argsort(times, kind="stable")
        return times[order], rows[order]

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
        rows = self._arrange()
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
            ok, index, time = run_windows(*known, self._links, rows, t, float(t_stop), longest, kind, rates, *state,
                                          parameters)
        else:
            ok, index, time = run_queue(*known, self._links, rows, t, float(t_stop), *state, parameters)
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
            raise SimulationError("in a recurrent network, neurons that are integrated, or have injected currents or delta "
                                  "synapses, need delays > 0"
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
