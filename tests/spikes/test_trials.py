"""Neo Blocks as samples: trials, sources, labels."""

import neo
import numpy as np
import pytest
import quantities as pq

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.spikes.trials import is_block, labels_of, trials_of

INF = np.inf
TRAINS = [[[3.0, 1.0], [], [2.5]], [[4.0], [7.0, 5.0, 6.0], []]]


def block_of(trials, annotations=({},) * 9, start=0.0, units="ms", channels=None):
    """A Block of trials, each a list of trains (ms from the start of the trial)."""
    block = neo.Block(name="recording")
    for trains, of_segment in zip(trials, annotations, strict=False):
        segment = neo.Segment(**of_segment)
        for k, train in enumerate(trains):
            times = (np.sort(train) + start) * pq.ms
            own = {} if channels is None else {"channel_id": channels[k]}
            segment.spiketrains.append(neo.SpikeTrain(times.rescale(units), t_start=(start * pq.ms).rescale(units),
                                                      t_stop=((start + 50) * pq.ms).rescale(units), **own))
        block.segments.append(segment)
    return block


@pytest.mark.parametrize("start, units", [(0.0, "ms"), (1200.0, "ms"), (1200.0, "s")])
def test_times_are_from_the_start_of_each_trial(start, units):
    found = trials_of(block_of(TRAINS, start=start, units=units))
    expected = [[[1, 3, INF], [INF] * 3, [2.5, INF, INF]], [[4, INF, INF], [5, 6, 7], [INF] * 3]]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_sources_are_in_the_order_of_their_channels():
    by_channel = trials_of(block_of(TRAINS, channels=[7, 3, 5]))
    np.testing.assert_array_equal(by_channel, trials_of(block_of(TRAINS))[:, [1, 2, 0]])


def test_trials_without_spikes():
    found = trials_of(block_of([[[], []], [[], []]]))
    assert found.shape == (2, 2, 1) and np.isinf(found).all()


def test_through_a_file(tmp_path):
    """As another script wrote it: NIX keeps the order of trains, their start and the annotations of segments."""
    block = block_of(TRAINS, [{"orientation": 45}, {"orientation": 0}], start=100.0)
    with neo.io.NixIO(str(tmp_path / "a.nix"), "ow") as file:
        file.write_block(block)
    with neo.io.NixIO(str(tmp_path / "a.nix"), "ro") as file:
        again = file.read_block()
    assert is_block(again) and not is_block(np.ones(3))
    np.testing.assert_allclose(trials_of(again), trials_of(block), rtol=1e-12)
    labels, classes = labels_of(again, "orientation")
    assert labels.tolist() == [45, 0] and classes == ()


@pytest.mark.parametrize("values, classes, labels, named", [
    ([1, 0], (), [1, 0], ()), ([np.int64(2), 0], (), [2, 0], ()), (["b", "a"], (), [1, 0], ("a", "b")),
    ([45.0, 0.0], (), [1, 0], (0.0, 45.0)), ([45, 0], (45, 0), [0, 1], (45, 0)), ([True, False], (), [1, 0], (False, True)),
    (["a", "a"], ("b", "a"), [1, 1], ("b", "a"))])
def test_labels_from_an_annotation(values, classes, labels, named):
    block = block_of(TRAINS, [{"kind": value} for value in values])
    found = labels_of(block, "kind", classes)
    assert (found[0].tolist(), found[1]) == (labels, named)


def several_of_a_channel():
    return trials_of(block_of(TRAINS, channels=[1, 2, 1]))


@pytest.mark.parametrize("do, text", [
    (lambda: trials_of(neo.Block(name="nothing")), "block 'nothing' has no segments; each is a trial"),
    (lambda: trials_of(block_of([[[1.0]], [[1.0], [2.0]]])), "the segments of block 'recording' have 1, 2 spike trains"),
    (lambda: trials_of(block_of([[], []])), "have 0 spike trains"),
    (several_of_a_channel, "several spike trains of one channel_id"),
    (lambda: labels_of(block_of(TRAINS, [{"a": 1}, {"b": 2}]), "a"), "1 of 2 segments have no annotation 'a'; they have a, b"),
    (lambda: labels_of(block_of(TRAINS), "a"), "2 of 2 segments have no annotation 'a'; they have none"),
    (lambda: labels_of(block_of(TRAINS, [{"a": "x"}, {"a": "y"}]), "a", ("y", "z")), "a trial is labelled 'x'; classes are"),
    (lambda: labels_of(block_of(TRAINS, [{"a": "x"}, {"a": 3}]), "a"), "the annotation 'a' of the trials is int, str; give"),
    (lambda: labels_of(block_of(TRAINS, [{"a": [1]}, {"a": [2]}]), "a"), "the annotation 'a' of the trials is list; give")])
def test_what_is_no_trial_in_one_line(do, text):
    with pytest.raises(ConfigurationError, match=text) as error:
        do()
    assert "\n" not in str(error.value)
