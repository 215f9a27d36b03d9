"""One neuron with default targets and synapses of weight 63, inputs at 10, 15, 20 and 30 us: it fires once, near 32 us.

In a nominal circuit the third input lifts the membrane to 42.5 LSB above rest and the fourth to 46.5, around the 45 LSB of the
threshold; where circuits differ by some per cent, many fire at the third input or not at all.
"""

import numpy as np
import pytest

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import IDEAL, connect, source_and_neurons, spikes, traces
from ttfs_pynn.brainscales2 import NonIdealities

INPUTS = (0.010, 0.015, 0.020, 0.030)
MADC = 2.95, 88.0  # a voltage v (LSB of the CADC) reads 2.95 v + 88


def run(size, record=False, **setup):
    source, neurons = source_and_neurons(size, INPUTS, seed=1, **setup)
    connect(source[0:1], neurons)  # one source, for coincident inputs of several are sent one after the other
    neurons.record("spikes")
    if record:
        neurons.record("v")
    pynn.run(0.1)
    return neurons


def test_a_nominal_circuit_fires_once():
    neurons = run(4, non_idealities=IDEAL)
    assert [train.size for train in spikes(neurons)] == [1] * 4
    assert np.abs(np.concatenate(spikes(neurons)) - 32.0).max() <= 1.5  # as asked for
    assert np.ptp(np.concatenate(spikes(neurons))) == 0  # all circuits are alike


def test_it_is_held_at_reset_and_recovers():
    neurons = run(1, True, non_idealities=IDEAL)
    (time, value), = traces(neurons).values()
    spike, = spikes(neurons)[0]
    assert np.abs(np.diff(time) - 0.034).max() < 0.0081  # stamps are multiples of 8 ns
    v = (value - MADC[1]) / MADC[0]
    # The trace has a resolution of 1/2.95 LSB, and the spike's stamp is up to 8 ns late.
    assert abs(v[time < 10.0] - 80.0).max() <= 0.17
    assert 124.0 < v[time < spike].max() <= 125.2
    held = v[(time > spike) & (time < spike + 1.98)]
    assert held.size > 50 and np.abs(held - 70.0).max() <= 0.17
    assert v[(time > spike + 2.1) & (time < spike + 3.0)].min() > 70.2  # synaptic currents lift it at once
    tail = v[time > 70.0]
    assert tail.size > 500 and 80.0 < tail.min() and tail.max() < 100.0 and (np.diff(tail[::50]) <= 0.34).all()
    assert abs(v[time > 90.0].mean() - 80.0) < 3.0


@pytest.mark.parametrize("chip", range(2))
def test_some_neurons_of_a_default_chip_do_not(chip):
    """Threshold (1.4 and 0.7 LSB), leak (1 LSB), gain (3 % of 45 LSB) add to 2.4 LSB; a neuron fires once at the right time where
    this is in a band from -2.4 to 1.35 LSB: 56 %, minus what time constants add. Of 128 neurons the share is binomial with 4.4 %,
    so it is within 40 and 70 %.
    """
    found = spikes(run(128, chip=chip))
    once = sum(train.size == 1 and abs(train[0] - 32.0) <= 1.5 for train in found)
    assert len(found) == 128 and 0.4 * 128 <= once <= 0.7 * 128, once


def test_without_mismatch_nearly_all_do():
    """Thresholds differ from run to run by 0.7 LSB in a band from -2.4 to 1.35 LSB: 97 %, 96 % with codes of 10 bits. That less
    than 88 % of 128 neurons do has a probability below 1e-3, and the seed is fixed.
    """
    found = spikes(run(128, non_idealities=NonIdealities().without_mismatch()))
    once = sum(train.size == 1 and abs(train[0] - 32.0) <= 1.5 for train in found)
    assert once >= 0.88 * 128, once
