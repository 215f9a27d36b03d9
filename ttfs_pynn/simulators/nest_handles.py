"""The connections of one projection in NEST, in an order that lasts."""

import numpy as np

__all__ = ["Handles"]

_COLUMNS = ("source", "target", "weight", "delay")


class Handles:
    """NEST's handles of a projection's connections, sorted by target, then by source.

    NEST 3.10 sorts connections when a run begins after some were made; of handles that were fetched before, each is another
    connection's then. To ask which connection each handle is takes five times longer than to set all weights, so handles are kept
    until they can be others. Several connections of one pair are told from each other by the delays and weights that they have.
    """

    @classmethod
    def of(cls, projection):
        """The present handles of a projection of pyNN.nest."""
        import nest
        kept = projection.__dict__.get("_ttfs_pynn_handles")
        made, time = nest.num_connections, nest.biological_time
        if kept is None or made != kept.made or (time != kept.time and not kept.settled):
            settled = kept is not None and made == kept.made  # a run since they were fetched has sorted all that there is
            kept = projection._ttfs_pynn_handles = cls(projection, made, time, settled, kept)
        return kept

    def __init__(self, projection, made, time, settled, before):
        import nest
        self.made, self.time, self.settled = made, time, settled
        found = nest.GetConnections(synapse_model=projection.nest_synapse_model, synapse_label=projection.nest_synapse_label)
        columns = _columns(found)
        pre, post = columns["source"], columns["target"]
        order = np.lexsort((columns["weight"], columns["delay"], pre, post))
        pre, post = pre[order], post[order]
        self._several = bool(((np.diff(pre) == 0) & (np.diff(post) == 0)).any())
        if self._several and before is not None and before.given["weight"].size == order.size:
            as_before = np.empty_like(order)
            as_before[np.lexsort((before.given["weight"], before.given["delay"], pre, post))] = order
            order = as_before
        self.given = {name: columns[name][order] for name in ("weight", "delay")}
        self._found = nest.SynapseCollection([found._datum[k] for k in order]) if order.size else found

    def columns(self):
        """{'source', 'target', 'weight', 'delay'}: NEST's ids, pA and ms, one a connection."""
        return _columns(self._found)

    def set(self, name, values):
        """Set 'weight' (pA) or 'delay' (ms)."""
        if not values.size == len(self._found):
            raise ValueError(f"{values.size} values for {len(self._found)} connections")
        if values.size:
            self._found.set({name: values.tolist()})
        if self._several:
            self.given[name] = self.columns()[name]  # delays as NEST has rounded them


def _columns(found):
    if not len(found):
        return dict(zip(_COLUMNS, (np.empty(0, int), np.empty(0, int), np.empty(0), np.empty(0)), strict=True))
    columns = found.get(list(_COLUMNS))
    return {name: np.atleast_1d(columns[name]) for name in _COLUMNS}
