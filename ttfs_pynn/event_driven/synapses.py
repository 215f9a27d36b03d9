"""All connections of one projection, as arrays, and the spikes that are on their way through them.

A *row* is what one arrival delivers: the connections of one source that share a delay. Where every pair of neurons is
connected once, with one delay, the rows are those of a dense (n_pre, n_post) matrix and a row is a source.
"""

from typing import NamedTuple

import numpy as np

from ttfs_pynn.event_driven.in_flight import InFlight
from ttfs_pynn.event_driven.sorting import order_by_source
from ttfs_pynn.membrane.ranges import LARGEST, all_below


class _Rows(NamedTuple):
    """The rows where they are not those of a matrix. Connections order[start[r]:start[r + 1]] are those of row r, in the order in
    which they were created; rows of_source[i] to of_source[i + 1] - 1 are those of source i."""

    start: np.ndarray
    delay: np.ndarray
    of_source: np.ndarray
    order: np.ndarray
    one_each: bool  # every source has one row, whose number is the source's


class Synapses(InFlight):
    """Connections from `pre_group` to `post_group` in the order in which they were created.

    receptor: 'excitatory' or 'inhibitory'; pre, post: indices in the groups; weight in nA, delay in ms, one a connection.
    is_dense: every pair of neurons is connected once and all delays are equal.
    """

    def __init__(self, pre_group, post_group, receptor, pre, post, weight, delay):
        if receptor not in ("excitatory", "inhibitory"):
            raise ValueError(f"receptor {receptor!r} is not known; use 'excitatory' or 'inhibitory'")
        self.pre_group, self.post_group, self.receptor = pre_group, post_group, receptor
        self.pre, self.post = np.array(pre, dtype=np.int32), np.array(post, dtype=np.int32)
        n_pre, n_post = pre_group.size, post_group.size
        self._in_rows = self.pre.size == n_pre * n_post > 0 and self._row_after_row()  # in the order of the matrix
        self._complete = self._in_rows or (self.pre.size == n_pre * n_post > 0 and self._every_pair())
        self._weight = self._storage = self._signed = None
        self.layout_version = self.weight_version = 0
        super().__init__()
        self.set_delays(delay)
        if self._complete:
            self._storage = np.empty((n_pre, n_post))
        self.set_weights(weight)

    def __len__(self):
        return self.pre.size

    def _row_after_row(self):
        n_pre, n_post = self.pre_group.size, self.post_group.size
        return bool((self.pre.reshape(n_pre, n_post) == np.arange(n_pre)[:, None]).all()
                    and (self.post.reshape(n_pre, n_post) == np.arange(n_post)).all())

    def _every_pair(self):
        connected = np.zeros((self.pre_group.size, self.post_group.size), dtype=bool)
        connected[self.pre, self.post] = True
        return bool(connected.all())

    def _checked(self, name, values):
        values = np.array(np.broadcast_to(np.asarray(values, dtype=float), self.pre.shape))
        if not all_below(values):
            wrong = int((~(np.abs(values) <= LARGEST)).sum())
            raise ValueError(f"{name} must be finite, and at most {LARGEST:g}; {wrong} of {values.size} connections are not")
        return values

    def check(self, name, values):
        """ValueError where these values of 'weight' or 'delay' cannot be set now; returns them as an array of its own."""
        values = self._checked(name, values)
        if name == "delay" and values.size and values.min() < 0:
            raise ValueError(f"delay = {values.min():g} ms must not be negative")
        if name == "delay" and self._in_flight:
            raise ValueError("delays cannot change while spikes are on their way; reset first")
        return values

    @property
    def weight(self):
        if self._in_rows:
            return self._dense.flatten()
        return self._dense[self.pre, self.post] if self._complete else self._weight

    @property
    def dense_weights(self):
        """(n_pre, n_post), read only; None where not every pair is connected exactly once."""
        if not self._complete:
            return None
        view = self._dense.view()
        view.flags.writeable = False
        return view

    def set_weights(self, weight):
        self.put_weights(self._checked("weight", weight))

    def put_weights(self, weight):
        """Keep an array that `check` has returned."""
        self.weight_version += 1
        if self._in_rows:
            self._dense[...] = weight.reshape(self._storage.shape)
        elif self._complete:
            self._dense[self.pre, self.post] = weight
        else:
            self._weight = weight

    def set_dense_weights(self, matrix):
        matrix = np.asarray(matrix, dtype=float)
        if matrix.shape != self._dense.shape:
            raise ValueError(f"weights of shape {matrix.shape} do not fit {self._dense.shape}")
        if not all_below(matrix):
            raise ValueError(f"weight must be finite, and at most {LARGEST:g}")
        self._dense[...] = matrix
        self.weight_version += 1

    def set_signed(self, inhibitory, matrix):
        """Signed weights of these and of inhibitory synapses of the same pairs, both dense: what is above 0 here, what is below
        there. They stay in one matrix, see `is_signed_with`, until somebody looks at one of the two."""
        matrix = np.asarray(matrix, dtype=float)
        shapes = matrix.shape, self._storage.shape, inhibitory._storage.shape
        if len(set(shapes)) > 1:
            raise ValueError(f"weights of shape {shapes[0]} do not fit {shapes[1]} and {shapes[2]}")
        if not all_below(matrix):
            raise ValueError(f"weight must be finite, and at most {LARGEST:g}")
        if not self.is_signed_with(inhibitory):
            self.divide_signed()
            inhibitory.divide_signed()
            self._signed = inhibitory._signed = self, inhibitory
        self._storage[...] = matrix
        self.weight_version += 1
        inhibitory.weight_version += 1

    def is_signed_with(self, inhibitory):
        """Whether `signed_weights` are those of both, of which neither has been looked at since they were set. Where delays
        differ rows are laid out connection by connection: then they are not."""
        return self._signed is not None and self._signed[0] is self and self._signed[1] is inhibitory and self.is_dense

    @property
    def signed_weights(self):
        """(n_pre, n_post): of these, and of the inhibitory synapses that they are signed with, if there are any."""
        return self._storage

    def divide_signed(self):
        """Where weights are kept signed with those of others, give each their own."""
        if self._signed is not None:
            excitatory, inhibitory = self._signed
            excitatory._signed = inhibitory._signed = None
            np.minimum(excitatory._storage, 0.0, out=inhibitory._storage)
            np.maximum(excitatory._storage, 0.0, out=excitatory._storage)

    @property
    def _dense(self):
        """The matrix of these weights alone."""
        self.divide_signed()
        return self._storage

    def get_one(self, name, k):
        """'weight' or 'delay' of the k-th connection, without a copy of them all."""
        if name == "delay":
            return float(self.delay[k])
        return float(self._dense[self.pre[k], self.post[k]] if self._complete else self._weight[k])

    def set_one(self, name, k, value):
        if name == "delay":
            delay = self.delay.copy()
            delay[k] = value
            self.set_delays(delay)
        elif not all_below(value):
            raise ValueError(f"weight = {value} must be finite, and at most {LARGEST:g}")
        else:
            if self._complete:
                self._dense[self.pre[k], self.post[k]] = value
            else:
                self._weight[k] = value
            self.weight_version += 1

    def move_dense_weights(self, storage):
        """From now on keep the dense weights in `storage`, which already holds what `dense_weights` is."""
        self._storage = storage

    def set_delays(self, delay):
        self.put_delays(self.check("delay", delay))

    def put_delays(self, delay):
        """Keep an array that `check` has returned."""
        self.delay = delay
        self.longest_delay = delay.max(initial=0.0)
        self.one_delay = bool(delay.size == 0 or (delay == delay[0]).all())
        self.is_dense = self._complete and self.one_delay
        self.layout_version += 1
        self._rows = None

    @property
    def n_rows(self):
        return self.pre_group.size if self.is_dense else self._divide().delay.size

    def sorted_table(self):
        """(start, order): connections order[start[i]:start[i + 1]] are those of source i, by delay, then as created."""
        return order_by_source(self.pre, self.delay, self.pre_group.size)

    def _divide(self):
        """Made when needed."""
        if self._rows is None:
            start, order = self.sorted_table()
            pre, delay = self.pre[order], self.delay[order]
            new_row = np.ones(pre.size, dtype=bool)
            new_row[1:] = (pre[1:] != pre[:-1]) | (delay[1:] != delay[:-1])
            begin = np.flatnonzero(new_row)
            of_source = np.searchsorted(pre[begin], np.arange(self.pre_group.size + 1))
            self._rows = _Rows(np.append(begin, pre.size).astype(np.int64), delay[begin], of_source, order,
                               bool((np.diff(of_source) == 1).all()))
            self._places = None
        return self._rows

    def sparse_table(self):
        """(row_start, targets): what each row reaches."""
        if self.is_dense:
            n_pre, n_post = self._storage.shape
            return np.arange(n_pre + 1) * n_post, np.tile(np.arange(n_post), n_pre)
        rows = self._divide()
        return rows.start, self.post[rows.order].astype(np.int64)

    def sparse_weights(self):
        return self._dense.ravel() if self.is_dense else self.weight[self._divide().order]

    def fill(self, table):
        """Write the weights to a table (rows, n_post) that is 0 where nothing is connected; the sum where several connections of
        a row reach one neuron."""
        rows = self._divide()
        if self._places is None:
            self._places = np.empty(self.pre.size, dtype=np.int64)
            self._places[rows.order] = np.repeat(np.arange(rows.delay.size), np.diff(rows.start)) * table.shape[1]
            self._places += self.post
            self._several = bool((np.bincount(self._places, minlength=1) > 1).any())
        if self._several:
            table[...] = np.bincount(self._places, self.weight, table.size).reshape(table.shape)
        else:
            table.reshape(-1)[self._places] = self.weight

    def count_events(self):
        """How many arrivals, at most, the spikes on their way make."""
        if self.is_dense or not self._in_flight:
            return sum([spikes.sources.size for spikes in self._in_flight])
        return int(sum(np.diff(self._divide().of_source)[spikes.sources].sum() for spikes in self._in_flight))

    def leave_events(self, t_stop):
        """As `take_events`, of arrivals that others bring along."""
        self._take(t_stop)

    def take_events(self, t_stop):
        """Arrivals before t_stop: (times, rows), unsorted; the later ones stay on their way."""
        spikes, delivered_until = self._take(t_stop)
        times, index = spikes.times, spikes.sources
        if spikes.last >= t_stop:
            times, index = times[times < t_stop], index[times < t_stop]
        if not times.size:
            return np.empty(0), np.empty(0, dtype=np.int64)
        if self.is_dense:
            delay = self.delay[0]
            times, rows, first, last = times + delay if delay else times, index, spikes.first + delay, spikes.last + delay
        else:
            rows, divided = index, self._divide()
            if not divided.one_each:
                n_rows = np.diff(divided.of_source)[index]
                rows = np.repeat(divided.of_source[index] - np.cumsum(n_rows) + n_rows, n_rows) + np.arange(n_rows.sum())
                times = np.repeat(times, n_rows)
            times = times + divided.delay[rows]
            first, last = times.min(initial=np.inf), times.max(initial=-np.inf)
        if first >= delivered_until and last < t_stop:
            return times, rows
        due = (times >= delivered_until) & (times < t_stop)
        return times[due], rows[due]

    def arrives_as(self, other):
        """Whether the rows are of the same sources and have the same delays as those of other synapses."""
        return all(np.array_equal(mine, its) for mine, its in zip(self._sources(), other._sources(), strict=True))

    def _sources(self):
        """(rows of each source, delay of each row)."""
        if self.is_dense:
            n_pre = self.pre_group.size
            return np.arange(n_pre + 1), np.full(n_pre, self.delay[0])
        return self._divide().of_source, self._divide().delay
