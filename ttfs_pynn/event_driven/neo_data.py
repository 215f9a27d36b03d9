"""Neo objects of arrays, made without the detours that Neo's and quantities' constructors take for data from anywhere.

Blocks of a few spikes take them longer than the simulation of those spikes does.
"""

import neo
import numpy as np
import quantities as pq
from neo.core.objectlist import ObjectList
from neo.core.spiketrainlist import SpikeTrainList

__all__ = ["in_ms", "new_block", "new_segment", "put_spike_trains"]

_MS = pq.ms.dimensionality


class _Mould:
    """Makes empty Neo containers as the constructor has made one: with the same fields, the lists among them made anew."""

    def __init__(self, made):
        self._class, self._fields, self._lists = type(made), dict(vars(made)), []
        for name, value in self._fields.items():
            if isinstance(value, ObjectList):
                fields = vars(value)
                self._lists.append((name, type(value), dict(fields), [key for key, own in fields.items() if own is made],
                                    [(key, type(own)) for key, own in fields.items() if type(own) in (list, dict)]))

    def make(self, **fields):
        made = object.__new__(self._class)
        filled = made.__dict__
        filled.update(self._fields)
        filled.update(fields)
        for name, kind, of_list, parents, containers in self._lists:
            filled[name] = own = object.__new__(kind)
            own.__dict__.update(of_list)
            for key in parents:
                own.__dict__[key] = made
            for key, container in containers:
                own.__dict__[key] = container()
        return made


_BLOCK, _SEGMENT = _Mould(neo.Block()), _Mould(neo.Segment())


def new_block(name, description, rec_datetime, **annotations):
    """neo.Block(...) of annotations that Neo allows."""
    return _BLOCK.make(name=name, description=description, rec_datetime=rec_datetime, annotations=annotations)


def new_segment(name, description, rec_datetime, **annotations):
    """neo.Segment(...) of annotations that Neo allows."""
    return _SEGMENT.make(name=name, description=description, rec_datetime=rec_datetime, annotations=annotations)


def in_ms(values):
    """values * pq.ms, not copied if they are an array of floats."""
    quantity = np.asarray(values, dtype=float).view(pq.Quantity)
    quantity._dimensionality = _MS.copy()
    return quantity


def put_spike_trains(segment, times, ids, channels, t_start, t_stop, **annotations):
    """Let the spikes (times in ms, ids of their cells) of the cells `channels` be the spike trains of a new segment.

    They stay arrays until somebody asks for spike trains. The arrays are not copied. t_start, t_stop: quantities. annotations:
    one value, or one a channel.
    """
    if _KNOWN:
        trains = segment.spiketrains
        trains._spike_time_array, trains._channel_id_array, trains._all_channel_ids = in_ms(times), ids, channels
        trains._spiketrain_metadata = {"t_start": t_start, "t_stop": t_stop}
        trains._annotations = annotations
    else:
        segment.spiketrains = SpikeTrainList.from_spike_time_array(in_ms(times), ids, channels, t_stop=t_stop, t_start=t_start,
                                                                   **annotations)
        segment.spiketrains.segment = segment


def _is_known():
    """Whether this version of Neo keeps spikes in the fields that `put_spike_trains` fills, and in no others."""
    segment, made = neo.Segment(), SpikeTrainList.from_spike_time_array(
        np.zeros(1) * pq.ms, np.zeros(1, dtype=int), np.zeros(1, dtype=int), t_stop=1 * pq.ms, t_start=0 * pq.ms, note="")
    filled = {"_spike_time_array", "_channel_id_array", "_all_channel_ids", "_spiketrain_metadata", "_annotations"}
    empty = segment.spiketrains
    return vars(made).keys() == vars(empty).keys() | filled == filled | {"_items", "segment"} and empty.segment is segment \
        and made._spiketrain_metadata.keys() == {"t_start", "t_stop"}


_KNOWN = _is_known()
