"""calix on the emulated chip: targets, results, what programs do with them, and what is refused."""

import pickle

import numpy as np
import pytest
import quantities as pq

from ttfs_pynn.brainscales2 import calix, helper
from ttfs_pynn.brainscales2.calix.common.base import StatefulConnection
from ttfs_pynn.brainscales2.calix.spiking import SpikingCalibTarget, neuron
from ttfs_pynn.brainscales2.calix.spiking.neuron import NeuronCalibTarget
from ttfs_pynn.brainscales2.chip import ENVIRONMENT, ChipError, default_chip
from ttfs_pynn.brainscales2.dlens import coordinates, hxcomm, sta

TARGETS = {"leak": 80, "reset": 80, "threshold": 150, "tau_mem": 6e-6 * pq.s, "tau_syn": 6e-6 * pq.s, "i_synin_gm": 550,
           "membrane_capacitance": 63, "synapse_dac_bias": 800, "refractory_time": 16e-6 * pq.s}


def calibrated(**targets):
    with hxcomm.ManagedConnection() as connection:
        return neuron.calibrate(StatefulConnection(connection), target=NeuronCalibTarget(**targets))


def applied(result):
    """The configuration that a result leaves on a chip, through bytes."""
    builder = sta.PlaybackProgramBuilderDumper()
    result.apply(builder)
    return helper.chip_from_portable_binary(sta.to_portablebinary(builder.done()))


def test_the_result_is_the_chip_that_helper_makes_of_the_same_targets():
    """By calix's names and by the adapter's, with units and without; it survives pickling."""
    result = calibrated(**TARGETS)
    same = helper.chip_from_targets(v_rest=80.0, v_reset=80.0, v_thresh=150.0, tau_m=6.0, tau_syn_E=6.0, tau_syn_I=6.0,
                                    i_synin_gm_E=550.0, i_synin_gm_I=550.0, cm=63.0, synapse_dac_bias=800.0, tau_refrac=16.0)
    assert applied(result) == applied(pickle.loads(pickle.dumps(result))) == same
    assert helper.chip_from_targets(**TARGETS) == same != helper.chip_from_targets()
    assert len(result.neurons) == len(result.success) == 512 and all(result.success.values())
    first = result.neurons[coordinates.AtomicNeuronOnDLS(0)]
    assert first.excitatory_input.i_bias_gm.value() == same.neuron_block.atomic_neurons[0].excitatory_input.i_bias_gm.value()


def test_one_value_for_each_circuit_and_codes_that_are_set_as_they_are():
    halves = np.repeat([6.0, 10.0], 256)
    codes = np.arange(512) + 100
    both = calibrated(tau_syn=halves * pq.us, i_synin_gm=codes)
    one, other = (calibrated(tau_syn=tau * pq.us, i_synin_gm=codes) for tau in (6.0, 10.0))
    for k in (0, 255, 256, 511):
        place = coordinates.AtomicNeuronOnDLS(k)
        assert both.neurons[place] == (one if k < 256 else other).neurons[place]
        assert both.neurons[place].inhibitory_input.i_bias_gm.value() == codes[k]
    sides = calibrated(tau_syn=[6.0, 10.0] * pq.us, i_synin_gm=codes).neurons[coordinates.AtomicNeuronOnDLS(7)]
    assert sides.excitatory_input == one.neurons[coordinates.AtomicNeuronOnDLS(7)].excitatory_input
    assert sides.inhibitory_input == other.neurons[coordinates.AtomicNeuronOnDLS(7)].inhibitory_input


def test_the_whole_calibration_and_the_cadc():
    with hxcomm.ManagedConnection() as connection:
        stateful = StatefulConnection(connection)
        whole = calix.spiking.calibrate(stateful, SpikingCalibTarget(neuron_target=NeuronCalibTarget(**TARGETS)))
        assert calix.common.cadc.calibrate(stateful).success.all() and stateful.get_unique_identifier() == ["emulated"]
    assert applied(whole) == applied(calibrated(**TARGETS)) and whole.cadc_result.success.all()


def test_another_chip(monkeypatch):
    """What a script that names no chip runs on is chosen outside it."""
    before = applied(calibrated(**TARGETS))
    monkeypatch.setenv(ENVIRONMENT, "3")
    assert default_chip() == 3
    assert applied(calibrated(**TARGETS)) == helper.chip_from_targets(3, **TARGETS) != before
    monkeypatch.setenv(ENVIRONMENT, "three")
    with pytest.raises(ChipError, match="TTFS_PYNN_CHIP = 'three': give the number of a virtual chip"):
        default_chip()


@pytest.mark.parametrize("targets, error, text", [
    ({"tau_mem": 6e-6}, TypeError, "tau_mem = 6e-06 must be a quantity with a unit"),
    ({"tau_syn": 60.0 * pq.us}, ValueError, "tau_syn = 60 us is out of range; give 0.1 to 50 us"),
    ({"refractory_time": 0.0 * pq.us}, ValueError, "refractory_time = 0 us is out of range"),
    ({"threshold": 300}, ValueError, "threshold = 300 is out of range; give 50 to 220"),
    ({"leak": np.full(511, 80)}, ValueError, r"leak has shape \(511,\); give one value or 512"),
    ({"i_synin_gm": np.full(512, 1023)}, ValueError, "i_synin_gm = 1023 is out of range; give 0 to 1022"),
    ({"i_synin_gm": 10}, ValueError, "i_synin_gm = 10 is out of range; give 30 to 800"),
    ({"e_coba_reversal": [160, 30]}, NotImplementedError, "conductances are not emulated"),
    ({"holdoff_time": 1.0 * pq.us}, NotImplementedError, "holdoff_time")])
def test_targets_that_are_refused(targets, error, text):
    with pytest.raises(error, match=text):
        calibrated(**targets)


def test_what_is_no_connection_and_no_target():
    with pytest.raises(TypeError, match="give a calix.common.base.StatefulConnection"):
        neuron.calibrate("192.168.0.1")
    with pytest.raises(TypeError, match="give a NeuronCalibTarget"):
        SpikingCalibTarget(neuron_target=TARGETS)
    with hxcomm.ManagedConnection() as connection, pytest.raises(TypeError, match="NeuronCalibTarget"):
        neuron.calibrate(connection, target=SpikingCalibTarget())


@pytest.mark.parametrize("targets, text", [
    ({"v_thresh": 120.0, "threshold": 120}, "v_thresh is given by another name too"),
    ({"thresh": 120.0}, "unknown target 'thresh'; did you mean 'v_thresh'"),
    ({"tau_mem": -1.0}, "tau_mem = -1 us must be positive"),
    ({"tau_mem": 3.0 * pq.mV}, "cannot be in us")])
def test_targets_of_helper_that_are_refused(targets, text):
    with pytest.raises(ValueError, match=text):
        helper.chip_from_targets(**targets)
