"""Neo objects that are filled field by field are what Neo's constructors make of the same arrays, whatever fields they have."""

import copy
import pickle
from datetime import datetime

import neo
import numpy as np
import pytest
import quantities as pq
from neo.core.objectlist import ObjectList
from neo.core.spiketrainlist import SpikeTrainList

from ttfs_pynn.event_driven import neo_data
from ttfs_pynn.event_driven.neo_data import in_ms, new_block, new_segment, put_spike_trains

TIMES, IDS, CHANNELS = np.array([1.0, 2.5, 2.5, 9.0]), np.array([4, 6, 4, 5]), np.arange(4, 8)
ANNOTATIONS = {"source_population": "p", "source_index": np.arange(4)}


def constructed():
    segment = neo.Segment(name="s")
    segment.spiketrains = SpikeTrainList.from_spike_time_array(
        TIMES * pq.ms, IDS, CHANNELS, t_stop=10.0 * pq.ms, t_start=0.0 * pq.ms, **ANNOTATIONS)
    segment.spiketrains.segment = segment
    return segment


def filled():
    return filled_into(neo.Segment(name="s"))


def filled_into(segment):
    put_spike_trains(segment, TIMES.copy(), IDS, CHANNELS, in_ms(0.0), in_ms(10.0), **ANNOTATIONS)
    return segment


def assert_same(mine, its, name="spiketrains"):
    assert type(mine) is type(its), name
    if isinstance(its, dict):
        assert list(mine) == list(its), name
        for key in its:
            assert_same(mine[key], its[key], f"{name}[{key!r}]")
    elif isinstance(its, np.ndarray):
        assert mine.dtype == its.dtype and mine.shape == its.shape, name
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(its), name)
        if isinstance(its, pq.Quantity):
            assert mine.dimensionality == its.dimensionality and vars(mine).keys() == vars(its).keys(), name
            assert mine.flags.writeable == its.flags.writeable and mine.flags.c_contiguous
    elif isinstance(its, list):
        assert len(mine) == len(its), name
    else:
        assert mine == its or isinstance(its, neo.Segment), name


def assert_same_trains(one, other):
    assert len(one) == len(other) == 4
    for mine, its in zip(one, other, strict=True):
        assert_same(vars(mine) | {"segment": None}, vars(its) | {"segment": None}, "train")
        assert_same(mine.view(pq.Quantity), its.view(pq.Quantity), "train")
        assert mine.t_start == its.t_start and mine.t_stop == its.t_stop


@pytest.mark.parametrize("known", [True, False])
def test_every_field_is_the_constructors(monkeypatch, known):
    """In any version of Neo: of one whose fields are others the constructor is used."""
    monkeypatch.setattr(neo_data, "_KNOWN", known)
    mine, its = filled(), constructed()
    assert mine.spiketrains.segment is mine
    assert vars(mine).keys() == vars(its).keys()
    assert_same(vars(mine.spiketrains), vars(its.spiketrains))
    assert_same_trains(mine.spiketrains, its.spiketrains)
    assert all(train.segment is mine for train in mine.spiketrains)


@pytest.mark.parametrize("constructor, mine", [(neo.Block, new_block), (neo.Segment, new_segment)])
def test_containers_are_the_constructors(constructor, mine):
    """Every field, those of the lists in it included, which are its own."""
    given = {"name": "n", "description": "d", "rec_datetime": datetime(2026, 1, 1), "size": 3, "label": "l"}
    made, its = mine(**given), constructor(**given)
    lists = [name for name, value in vars(its).items() if isinstance(value, ObjectList)]
    assert list(vars(made)) == list(vars(its)) and len(lists) >= 2
    for name, value in vars(its).items():
        if name not in lists:
            assert_same(getattr(made, name), value, name)
            continue
        own, other = vars(getattr(made, name)), vars(mine(**given))[name]
        assert type(getattr(made, name)) is type(value) and own.keys() == vars(value).keys()
        for key, expected in vars(value).items():
            if expected is its:
                assert own[key] is made
            else:
                assert own[key] == expected and type(own[key]) is type(expected)
                assert type(expected) not in (list, dict) or own[key] is not vars(other)[key]
    made.annotate(more=1)
    assert "more" not in mine(**given).annotations


def test_a_block_of_them_works():
    block = new_block("b", None, None, size=4)
    segment = filled_into(new_segment("s", None, None))
    segment.analogsignals.append(neo.AnalogSignal(np.zeros((3, 1)), units="mV", sampling_period=1 * pq.ms))
    block.segments.append(segment)
    assert segment.block is block and len(block.data_children_recur) == 5
    assert new_segment("s", None, None).size["spiketrains"] == 0
    for other in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        assert_same_trains(other.segments[0].spiketrains, constructed().spiketrains)
        assert other.segments[0].block is other and len(other.segments[0].analogsignals) == 1
    with pytest.raises(TypeError, match="AnalogSignal"):
        segment.analogsignals.append(neo.Segment())


def test_this_version_of_neo_is_known():
    """Else Blocks of a batch take longer than its simulation; the fields of the new version are to be looked at."""
    assert neo_data._KNOWN


def test_what_is_done_to_them_works():
    for change in (copy.deepcopy, lambda segment: pickle.loads(pickle.dumps(segment))):
        assert_same_trains(change(filled()).spiketrains, constructed().spiketrains)
    ids, times = filled().spiketrains.multiplexed
    assert ids.tolist() == IDS.tolist() and times.rescale("s").magnitude == pytest.approx(TIMES / 1000)
    segment = filled()
    segment.spiketrains.append(neo.SpikeTrain([1.0] * pq.ms, t_stop=10 * pq.ms))
    assert len(segment.spiketrains) == 5 and segment.t_stop == 10 * pq.ms


@pytest.mark.parametrize("values", [0.0, 3, np.arange(4.0), np.zeros(0), np.zeros((2, 3))])
def test_quantities_are_those_of_a_product(values):
    mine, its = in_ms(values), values * pq.ms
    assert_same(mine, pq.Quantity(its, dtype=float))
    mine._dimensionality[pq.s] = 1  # each has its own
    assert in_ms(values).dimensionality == its.dimensionality
