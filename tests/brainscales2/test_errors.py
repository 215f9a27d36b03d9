"""Bad input: the class of error that the vendor's adapter raises, or a subclass of it, and a message that says what was given and
what to do. An error that the adapter meets deep inside, such as the AttributeError of a missing experiment, is of a class of ours
that is a subclass of that one.
"""

import re
import warnings

import numpy as np
import pytest
from pyNN import errors

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.bad_input import (
    calibrated,
    connected,
    default_delay,
    earlier_experiment,
    five_generators,
    hxneuron,
    in_degree,
    neurons,
    pad_twice,
    poisson,
    run_of,
    run_twice,
    set_connection,
    setup,
    several_compartments,
    too_many_rows,
    two_variables_one_after_the_other,
    unequal_biases,
    with_initial_config,
    without_setup,
)
from tests.brainscales2.helpers import projection, raised, source_and_neurons
from ttfs_pynn.brainscales2 import NonIdealities, RunCommand
from ttfs_pynn.brainscales2.chip import ChipError

cells = pynn.cells


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that targets are out of range or delays have no use is what many of these cases do
        yield


CASES = {
    # setup
    "unknown keyword": (setup(foo=1), KeyError, "foo"),
    "PyNN's name for the time step": (setup(dt=0.1), KeyError, "timestep"),
    "circuit twice": (setup(neuronPermutation=[8, 8]), ValueError, "neuronPermutation.*twice"),
    "circuit 512": (setup(neuronPermutation=[512]), OverflowError, "neuronPermutation.*512.*511"),
    "negative circuit": (setup(neuronPermutation=[-1]), TypeError, "neuronPermutation.*-1.*511"),
    "fraction of a circuit": (setup(neuronPermutation=[1.5]), TypeError, "neuronPermutation.*1.5"),
    "one circuit, no list": (setup(neuronPermutation=5), TypeError, "neuronPermutation = 5.*list"),
    "bus 4": (setup(backgroundPermutation=[4]), OverflowError, "backgroundPermutation.*4.*3"),
    "bus twice": (setup(backgroundPermutation=[1, 1]), ValueError, "backgroundPermutation.*twice"),
    "negative min_delay": (setup(min_delay=-1), Exception, "min_delay = -1.*leave it out"),
    "configuration that is a path": (setup(initial_config="chip"), AttributeError, "initial_config = 'chip'.*chip_from_file"),
    "injected number": (setup(injected_config=3), AttributeError, "injected_config = 3.*InjectedConfiguration"),
    "negative chip": (setup(chip=-1), ChipError, "chip -1.*zero or more"),
    "chip without a file": (setup(chip="three"), ChipError, "three.*save"),
    "fraction of a chip": (setup(chip=1.5), ChipError, "chip = 1.5.*seed"),
    "negative seed": (setup(seed=-1), ValueError, "seed = -1.*zero or more"),
    "non_idealities that are a switch": (setup(non_idealities=True), TypeError, "True.*NonIdealities.off"),
    # delays
    "delay": (lambda: projection(delay=1), ValueError, "delay of 1 ms.*leave it at 0"),
    "delay set": (lambda: projection().set(delay=1), ValueError, "delay of 1 ms.*leave it at 0"),
    "delay of a connection": (set_connection(delay=3), ValueError, "delay of 3 ms.*leave it at 0"),
    "min_delay as default delay": (default_delay, ValueError, "delay of 0.1 ms.*min_delay out of setup"),
    # weights
    "negative excitatory weight": (lambda: projection(-0.3), errors.ConnectionError, "-0.3.*two projections"),
    "positive inhibitory weight": (lambda: projection(0.3, "inhibitory"), errors.ConnectionError, "0.3.*two projections"),
    "negative weight set": (lambda: projection().set(weight=-1), errors.ConnectionError, "-1.*two projections"),
    "negative weight matrix set": (lambda: projection().set(weight=-np.ones((2, 2))), errors.ConnectionError, "-1.*excitatory"),
    "negative weight of a connection": (set_connection(weight=-3), errors.ConnectionError, "-3.*two projections"),
    "negative conductance": (lambda: projection(-1, "inhibitory", cells.CalibHXNeuronCoba()), errors.ConnectionError,
                             "-1.*conductance-based.*zero or more"),
    "weight NaN": (lambda: projection(np.nan), errors.ConnectionError, "not a number.*give numbers"),
    "weight NaN set": (lambda: projection().set(weight=np.full((2, 2), np.nan)), ValueError, "not a number.*give numbers"),
    "weights of another shape": (lambda: projection().set(weight=np.ones((3, 2))), errors.InvalidDimensionsError, "2, 2.*3, 2"),
    "list of another length": (lambda: projection().set(weight=[1, 2, 3]), errors.InvalidDimensionsError, "3 values.*4"),
    "receptor": (lambda: projection(1, "other"), errors.ConnectionError, "other.*excitatory"),
    # run
    "append without time": (neurons(lambda _: pynn.run(None, RunCommand.APPEND)), ValueError, "APPEND needs the time"),
    "nothing scheduled": (neurons(lambda _: pynn.run(None)), ValueError, "nothing is scheduled; give a time"),
    "second run": (run_twice, RuntimeError, "call reset"),
    "unknown command": (neurons(lambda _: pynn.run(0.1, "go")), ValueError, "'go'.*PREPARE"),
    "negative time": (neurons(lambda _: pynn.run(-0.1)), Exception, "-0.1 ms.*zero or more"),
    "time that is a text": (neurons(lambda _: pynn.run("long")), TypeError, "'long'.*ms"),
    "run before setup": (without_setup(lambda: pynn.run(1)), AttributeError, "run.*call setup"),
    "run_until before setup": (without_setup(lambda: pynn.run_until(1)), AttributeError, "run_until.*call setup"),
    "reset before setup": (without_setup(pynn.reset), AttributeError, "reset.*call setup"),
    "time before setup": (without_setup(pynn.get_current_time), AttributeError, "get_current_time.*call setup"),
    "population before setup": (without_setup(lambda: pynn.Population(1, cells.HXNeuron())), AttributeError, "call setup"),
    "synapse before setup": (without_setup(pynn.synapses.StaticSynapse), AttributeError, "call setup"),
    "statistics before setup": (without_setup(pynn.get_backend_statistics), RuntimeError, "call setup"),
    "statistics before mapping": (neurons(lambda _: pynn.get_backend_statistics()), RuntimeError, "PREPARE"),
    "readout before setup": (without_setup(pynn.get_post_realtime_read), RuntimeError, "call setup"),
    "several compartments": (several_compartments, NotImplementedError, "not emulated.*PREPARE"),
    # recording
    "sampling interval": (neurons(lambda p: p.record("v", sampling_interval=0.1)), NotImplementedError, "0.1.*leave it out"),
    "unknown variable": (neurons(lambda p: p.record("current")), RuntimeError, "'current'.*exc_synin"),
    "two analog variables": (neurons(lambda p: p.record(["v", "exc_synin"])), ValueError, "v, exc_synin.*one of them"),
    "another analog variable": (two_variables_one_after_the_other, ValueError, "'exc_synin'.*record.None"),
    "device": (neurons(lambda p: p.record("v", device="scope")), ValueError, "'scope'.*madc, cadc"),
    "no device": (neurons(lambda p: p.record("v", device=None)), TypeError, "None.*madc, cadc"),
    "pad 2": (neurons(lambda p: p.record("v", device="pad_2")), ValueError, "'pad_2'.*pad_1"),
    "pad for two": (neurons(lambda p: p.record("v", device="pad_0")), ValueError, "pad_0 shows one neuron, not 2.*view"),
    "pad in use": (pad_twice, ValueError, "pad_0 is in use.*other pad"),
    "location on a point neuron": (neurons(lambda p: p.record("v", locations=["soma"])), RuntimeError, "soma.*point neuron.*out"),
    "data before a run": (neurons(lambda p: p.get_data()), IndexError, "call run"),
    # parameters
    "unequal biases": (unequal_biases, RuntimeError, "synapse_dac_bias.*400.*600.*same"),
    "results before a calibration": (neurons(lambda p: p.actual_hwparams), AttributeError, "actual_hwparams.*PREPARE"),
    "targets before a calibration": (neurons(lambda p: p.calib_target), AttributeError, "calib_target.*PREPARE"),
    "results of what is not calibrated": (neurons(lambda p: p.actual_hwparams, neurons=cells.HXNeuron()), AttributeError,
                                          "HXNeuron is not a calibrated"),
    "code 1024": (hxneuron(leak_v_leak=1024), OverflowError, "leak_v_leak = 1024.*1023"),
    "negative code": (hxneuron(leak_v_leak=-1), TypeError, "leak_v_leak = -1.*from 0"),
    "capacitance 64": (hxneuron(membrane_capacitance_capacitance=64), OverflowError, "capacitance = 64.*63"),
    "refractory time 256": (hxneuron(refractory_period_refractory_time=256), OverflowError, "refractory_time = 256.*255"),
    "code NaN": (hxneuron(leak_v_leak=np.nan), ValueError, "leak_v_leak is not a number.*give numbers"),
    "hidden parameter": (hxneuron(readout_source=1), errors.NonExistentParameterError, "readout_source.*leak_v_leak"),
    "unknown parameter": (hxneuron(foo=1), errors.NonExistentParameterError, "foo.*leak_v_leak"),
    "unknown target": (calibrated(tau=1), errors.NonExistentParameterError, "tau .*tau_m"),
    "time constant 0": (calibrated(tau_syn_E=0), ValueError, "tau_syn_E = 0 us.*positive"),
    "negative refractory time": (calibrated(tau_refrac=-1), ValueError, "tau_refrac = -1 us.*negative"),
    "capacitance target 64": (calibrated(cm=64), OverflowError, "cm = 64.*63"),
    "targets of another number": (run_of(lambda: cells.CalibHXNeuronCuba(v_rest=[1, 2]), 3), errors.InvalidParameterValueError,
                                  "2 values of v_rest for 3 cells"),
    "parameter of an initial config": (with_initial_config(lambda p: p.get("leak_v_leak")), RuntimeError, "PREPARE"),
    "setting one of an initial config": (with_initial_config(lambda p: p.set(leak_v_leak=3)), RuntimeError, "PREPARE"),
    "targets of helper": (lambda: pynn.helper.chip_from_targets(tau_m=-2), ValueError, "tau_m = -2.*positive"),
    # sources
    "rate above the clock": (poisson(1e8), RuntimeError, r"1e\+08 Hz.*lower the rate"),
    "unequal rates": (poisson([1, 2, 3, 4]), AssertionError, "one rate.*give all the same"),
    "negative rate": (poisson(-1), TypeError, "rate = -1"),
    "negative seed of a generator": (poisson(1, -1), TypeError, "seed = -1"),
    "negative rate on the host": (run_of(lambda: cells.SpikeSourcePoisson(start=0, rate=-1e6, duration=3)), ValueError,
                                  r"rate = -1e\+06.*negative"),
    "five generators": (five_generators, RuntimeError, "5 populations.*4.*SpikeSourcePoisson"),
    "no labels": (lambda: cells.OffChipSource(), ValueError, "OffChipSource needs a label"),
    "label twice": (run_of(lambda: cells.OffChipSource(label=[1, 1])), ValueError, "labels.*one a cell"),
    "spike times NaN": (run_of(lambda: cells.SpikeSourceArray(spike_times=[np.nan])), ValueError, "cell 0.*not all finite"),
    # network
    "257 synapses at a neuron": (in_degree(), RuntimeError, "in-degree larger than the number of synapse rows.*257"),
    "520 rows": (too_many_rows, RuntimeError, "rows|drivers"),
    "assembly as source": (connected(pynn.AllToAllConnector, True), NotImplementedError, "assembly.*one by one"),
    "location selector": (connected(lambda: pynn.AllToAllConnector(location_selector="soma")), ValueError, "soma.*point neuron"),
    "source location selector": (connected(lambda: pynn.AllToAllConnector(source_location_selector="soma")), ValueError,
                                 "soma.*point neuron"),
    "small world": (connected(lambda: pynn.SmallWorldConnector(1, 0.1)), NotImplementedError, "FixedProbabilityConnector"),
    "source as target": (connected(pynn.AllToAllConnector, reverse=True), errors.ConnectionError, "takes no input"),
    "populations of an earlier experiment": (earlier_experiment, errors.ConnectionError, "before the last setup"),
    "no cells": (neurons(lambda _: pynn.Population(0, cells.HXNeuron())), IndexError, "0 cells.*at least 1"),
    # chips
    "chip from a text": (lambda: pynn.chip_from_seed("3"), ChipError, "'3'.*integer"),
    "negative size": (lambda: NonIdealities(raw_leak=-1), ValueError, "raw_leak = -1.*codes"),
    "size that is a switch": (lambda: NonIdealities(raw_leak=True), ValueError, "raw_leak = True.*codes"),
    "switch that is a size": (lambda: NonIdealities(serial_input=1), ValueError, "serial_input = 1.*True or False"),
    "probability above 1": (lambda: NonIdealities(event_loss=1.5), ValueError, "event_loss = 1.5.*below 1"),
}


@pytest.mark.parametrize(("action", "error", "message"), CASES.values(), ids=CASES.keys())
def test_class_and_message(action, error, message):
    found = raised(action)
    assert isinstance(found, error), repr(found)
    assert re.search(message, str(found), re.DOTALL), str(found)


def test_the_table_is_large_enough():
    assert len(CASES) >= 40


def test_chip_files(tmp_path):
    path = tmp_path / "chip.npz"
    with pytest.raises(ChipError, match="chip.npz.*save"):
        pynn.load_chip(path)
    path.write_bytes(b"no chip")
    with pytest.raises(ChipError, match="chip.npz.*save"):
        pynn.load_chip(path)
    with pytest.raises(ChipError, match="chip.npz exists.*overwrite"):
        pynn.chip_from_seed(1).save(path)
    pynn.chip_from_seed(1).save(path, overwrite=True)
    content = path.read_bytes()
    path.write_bytes(content[:-200])
    with pytest.raises(ChipError, match="chip.npz"):
        pynn.setup(chip=path)


def test_a_failed_second_run_has_advanced_the_time():
    """As on the adapter; reset() makes the experiment usable again."""
    source_and_neurons()
    pynn.run(0.1)
    with pytest.raises(RuntimeError):
        pynn.run(0.2)
    assert pynn.get_current_time() == pytest.approx(0.3)
    assert pynn.get_post_realtime_read() == {}
    pynn.reset()
    pynn.run(0.1)


def test_an_error_changes_nothing():
    p = projection(10)
    for bad in (-np.ones((2, 2)), np.array([[1, 2], [3, np.nan]])):
        with pytest.raises((errors.ConnectionError, ValueError)):
            p.set(weight=bad)
    with pytest.raises(errors.ConnectionError):
        p.set(weight=[1, 2, 3, -4])
    assert (p.get("weight", format="array") == 10).all()


def test_what_the_adapter_takes_is_taken():
    """Spike times in any order and infinite ones, a weight of -0.3 in set() (which rounds first), a minimum delay of 0."""
    source, _ = source_and_neurons(1, min_delay=0)
    source.set(spike_times=[0.03, np.inf, 0.01])
    source.record("spikes")
    pynn.run(0.1)
    assert source.get_data().segments[0].spiketrains[0].magnitude.tolist() == [0.01, 0.03]
    p = projection()
    p.set(weight=-0.3)
    assert (p.get("weight", format="array") == 0).all()


def test_of_a_population_that_could_not_be_made_nothing_is_left():
    source_and_neurons()
    for bad in (cells.CalibHXNeuronCuba(tau_m=np.nan), cells.SpikeSourceArray(spike_times=[np.nan])):
        with pytest.raises(errors.InvalidParameterValueError):
            pynn.Population(2, bad)
    assert len(pynn.simulator.state.recorders) == 2
    pynn.run(0.1)
    pynn.reset()


@pytest.mark.parametrize("after", [pynn.setup, pynn.end])
def test_what_an_earlier_experiment_made_cannot_be_changed(after):
    p = projection(10)
    after()
    for change in (lambda: p.post.set(v_rest=70.0), lambda: p.post.record("spikes"), lambda: p.set(weight=3),
                   lambda: setattr(p[0], "weight", 3), lambda: p.pre.set(spike_times=[0.1])):
        with pytest.raises(RuntimeError, match="before the last setup.*build it again after setup"):
            change()
