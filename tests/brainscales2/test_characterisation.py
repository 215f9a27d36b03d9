"""Measured neurons are those that the virtual chip has."""

import numpy as np
import pytest

import ttfs_pynn.brainscales2 as pynn
from ttfs_pynn.brainscales2.calibration import calibrate, refractory_clocks
from ttfs_pynn.brainscales2.characterisation import ChipProfile, characterise
from ttfs_pynn.brainscales2.circuits import physics_of
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator

NEURON = LIFParameters()
TARGETS = simulator("brainscales2").targets(NEURON)
CIRCUITS = np.arange(100, 148)


@pytest.fixture(scope="module")
def profile():
    return characterise(pynn, 5, TARGETS, CIRCUITS, repetitions=30, seed=1)


@pytest.fixture(scope="module")
def truth():
    chip = pynn.chip_from_seed(5)
    targets = {name: np.full(CIRCUITS.size, value) for name, value in TARGETS.items()}
    clocks = refractory_clocks(targets["tau_refrac"])
    return physics_of(calibrate(targets, chip, CIRCUITS, clocks), chip, CIRCUITS)


@pytest.mark.parametrize("name, largest", [
    # Standard errors of the fits to 30 repetitions with noise of 0.76 LSB are 0.5 to 1 %; four of them.
    ("tau_m", 0.03), ("tau_syn_E", 0.05), ("tau_syn_I", 0.05), ("gain_E", 0.03), ("gain_I", 0.03)])
def test_time_constants_and_gains_are_found(profile, truth, name, largest):
    measured, true = profile.values[name], getattr(truth, name)
    assert np.isfinite(measured).all()
    assert np.abs(measured / true - 1).max() < largest
    assert np.corrcoef(measured, true)[0, 1] > 0.9, "differences between neurons are what it is for"


def test_thresholds_are_found_relative_to_rest(profile, truth):
    # The CADC of each column has an offset of its own, which rest and threshold share; latency adds up to 1 LSB.
    measured = profile.values["v_thresh"] - profile.values["v_rest"]
    true = truth.v_thresh - truth.v_rest
    assert np.abs(measured - true - np.mean(measured - true)).max() < 1.5
    assert 0 < np.mean(measured - true) < 1.5


def test_a_profile_is_read_as_it_was_written(profile, tmp_path):
    profile.save(tmp_path / "chip.npz")
    read = ChipProfile.load(tmp_path / "chip.npz")
    assert read.chip == 5 and read.targets == TARGETS
    for name, values in profile.values.items():
        np.testing.assert_array_equal(read.values[name], values)


def test_neurons_that_could_not_be_measured_have_the_mean(profile):
    values = {name: column.copy() for name, column in profile.values.items()}
    values["v_thresh"][3] = np.nan
    found = ChipProfile(5, profile.circuits, values, TARGETS).of(CIRCUITS[2:5])
    assert found["v_thresh"][1] == np.nanmean(values["v_thresh"])
    assert found["v_thresh"][0] == values["v_thresh"][2]


def test_circuits_that_were_not_measured_are_named(profile):
    with pytest.raises(ResultsError, match="no circuit 7"):
        profile.of(np.array([7, 100]))


def test_a_file_that_is_no_profile(tmp_path):
    pynn.chip_from_seed(1).save(tmp_path / "chip.npz")
    with pytest.raises(ResultsError, match="characterise"):
        ChipProfile.load(tmp_path / "chip.npz")
