"""Neo objects of arrays, made without the detours that Neo's and quantities' constructors take for data from anywhere.

A Block of a few spikes takes them ten times as long as the simulation of those spikes does.
"""

import neo
import numpy as np
import quantities as pq
from neo.core.spiketrainlist import SpikeTrainList

__all__ = ["in_ms", "put_spike_trains"]

_MS = pq.ms.dimensionality


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
    return vars(made).keys() == filled | {"_items", "segment"} and vars(segment.spiketrains).keys() | filled == vars(made).keys() \
        and segment.spiketrains.segment is segment and made._spiketrain_metadata.keys() == {"t_start", "t_stop"}


_KNOWN = _is_known()
