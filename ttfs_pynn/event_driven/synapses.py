"""All connections of one projection, as arrays, and the spikes that are on their way through them.

A *row* is what one arrival delivers: the connections of one source that share a delay. Where every pair of neurons is
connected once, with one delay, the rows are those of a dense (n_pre, n_post) matrix and a row is a source.
"""

import numpy as np


class Synapses:
    """Connections from `pre_group` to `post_group` in the order in which they were created.

    receptor: 'excitatory' or 'inhibitory'; pre, post: indices in the groups; weight in nA, delay in ms, one a connection.
    """

    def __init__(self, pre_group, post_group, receptor, pre, post, weight, delay):
        if receptor not in ("excitatory", "inhibitory"):
            raise ValueError(f"receptor {receptor!r} is not known; use 'excitatory' or 'inhibitory'")
        self.pre_group, self.post_group, self.receptor = pre_group, post_group, receptor
        self.pre, self.post = np.array(pre, dtype=np.int64), np.array(post, dtype=np.int64)
        n_pre, n_post = pre_group.size, post_group.size
        self._complete = bool(self.pre.size == n_pre * n_post and n_pre * n_post > 0
                              and np.unique(self.pre * n_post + self.post).size == self.pre.size)
        self._weight = self._dense = None
        self.layout_version = 0
        self.clear()
        self.set_delays(delay)
        if self._complete:
            self._dense = np.empty((n_pre, n_post))
        self.set_weights(weight)

    def __len__(self):
        return self.pre.size

    def _checked(self, name, values):
        values = np.array(np.broadcast_to(np.asarray(values, dtype=float), self.pre.shape))
        if not np.isfinite(values).all():
            raise ValueError(f"{name} must be finite; {int((~np.isfinite(values)).sum())} of {values.size} connections are not")
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
    def is_dense(self):
        """Every pair of neurons is connected once and all delays are equal."""
        return self._complete and self.one_delay

    @property
    def weight(self):
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
        weight = self._checked("weight", weight)
        if self._complete:
            self._dense[self.pre, self.post] = weight
        else:
            self._weight = weight

    def set_dense_weights(self, matrix):
        matrix = np.asarray(matrix, dtype=float)
        if matrix.shape != self._dense.shape:
            raise ValueError(f"weights of shape {matrix.shape} do not fit {self._dense.shape}")
        if not np.isfinite(matrix).all():
            raise ValueError("weight must be finite")
        self._dense[...] = matrix

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
        elif not np.isfinite(value):
            raise ValueError(f"weight = {value} must be finite")
        elif self._complete:
            self._dense[self.pre[k], self.post[k]] = value
        else:
            self._weight[k] = value

    def move_dense_weights(self, storage):
        """From now on keep the dense weights in `storage`, which already holds them."""
        self._dense = storage

    def set_delays(self, delay):
        delay = self.check("delay", delay)
        self.delay = delay
        self.one_delay = bool(delay.size == 0 or (delay == delay[0]).all())
        self.layout_version += 1
        if self._complete and self.one_delay:
            self.n_rows = self.pre_group.size
            self._order = None
            return
        self._order = np.lexsort((np.arange(delay.size), delay, self.pre))
        pre, delay = self.pre[self._order], delay[self._order]
        new_row = np.ones(pre.size, dtype=bool)
        new_row[1:] = (pre[1:] != pre[:-1]) | (delay[1:] != delay[:-1])
        begin = np.flatnonzero(new_row)
        self.n_rows = begin.size
        self._row_start = np.append(begin, pre.size).astype(np.int64)
        self._row_delay = delay[begin]
        self._source_rows = np.searchsorted(pre[begin], np.arange(self.pre_group.size + 1))

    def sparse_table(self):
        """(row_start, targets): what each row reaches."""
        if self._order is None:
            n_pre, n_post = self._dense.shape
            return np.arange(n_pre + 1) * n_post, np.tile(np.arange(n_post), n_pre)
        return self._row_start, self.post[self._order]

    def sparse_weights(self):
        return self._dense.ravel() if self._order is None else self.weight[self._order]

    def send(self, index, time):
        """Spikes of the sources `index` at `time` set out."""
        if not self.pre.size:
            return
        if self._order is None:
            self._in_flight.append((time + self.delay[0], index))
            return
        n_rows = np.diff(self._source_rows)[index]
        rows = np.repeat(self._source_rows[index] - np.cumsum(n_rows) + n_rows, n_rows) + np.arange(n_rows.sum())
        self._in_flight.append((np.repeat(time, n_rows) + self._row_delay[rows], rows))

    def take_events(self, t_stop):
        """Arrivals before t_stop: (times, rows), unsorted; the later ones stay on their way."""
        if not self._in_flight:
            return np.empty(0), np.empty(0, dtype=np.int64)
        times, rows = self._in_flight[0] if len(self._in_flight) == 1 else \
            (np.concatenate(parts) for parts in zip(*self._in_flight, strict=True))
        due = times < t_stop
        if due.all():
            self._in_flight = []
            return times, rows
        self._in_flight = [(times[~due], rows[~due])]
        return times[due], rows[due]

    def clear(self):
        self._in_flight = []
