"""Random Neo Blocks as they come: units and times of their own, trials, silent and unsorted trains, views, sorted units."""

import neo
import numpy as np
import quantities as pq

_UNITS = (pq.s, pq.ms, pq.us)


def train(rng, begin, end, **annotations):
    """A SpikeTrain recorded from begin to end (s), in some unit; silent, or of up to 80 spikes, not always in order."""
    times = rng.uniform(begin, end, rng.integers(0, 81) * (rng.random() > 0.15))
    times = times if rng.random() < 0.3 else np.sort(times)
    unit = _UNITS[rng.integers(3)]
    return neo.SpikeTrain((times * pq.s).rescale(unit), t_start=(begin * pq.s).rescale(unit), t_stop=(end * pq.s).rescale(unit),
                          **annotations)


def block(seed):
    """A Block of one population; what annotates it depends on the seed."""
    rng = np.random.default_rng([seed, 41])
    n, n_trials, kind = int(rng.integers(1, 7)), int(rng.choice([1, 1, 2, 4])), seed % 5
    whole = neo.Block(name="population")
    windows = [(float(rng.choice([0.0, -1.0, 100.0, 0.5])), float(rng.uniform(0.4, 3.0))) for _ in range(n)]
    one_window = rng.random() < 0.5
    numbers = np.sort(rng.choice(20, n, replace=False))
    if kind == 0:  # PyNN's: some cells of a population of 20
        whole.annotate(size=20, first_id=7)
    for _ in range(n_trials):
        segment = neo.Segment()
        trains = []
        for k in range(n):
            begin, length = windows[0 if one_window else k]
            notes = ({"source_population": "population", "source_index": int(numbers[k]), "channel_id": 7 + int(numbers[k])},
                     {"channel_id": int(numbers[k])}, {"channel_id": k // 2, "unit": k % 2}, {"name": f"unit {k}"}, {})[kind]
            trains.append(train(rng, begin, begin + length, **notes))
        # Where the neurons are annotated, their order in a segment means nothing.
        for k in rng.permutation(n) if kind != 4 else range(n):
            segment.spiketrains.append(trains[k])
        whole.segments.append(segment)
    return whole
