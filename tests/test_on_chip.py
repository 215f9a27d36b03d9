"""Layered networks on the emulated chip: weights, times, windows, gradients, training."""

import numpy as np
import pytest

from tests.small_networks import assert_same
from ttfs_pynn.first_spike import first_spike_times
from ttfs_pynn.graph import Layer, layered
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.trainer import Trainer
from ttfs_pynn.models import mnist16, yin_yang
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import SimulatorError, simulator
from ttfs_pynn.spikes.recordings import recordings_of

PARAMETERS = {**yin_yang.PARAMETERS["network"], "hidden": 20}
GRAPH = yin_yang.graph(PARAMETERS)
NEURON = GRAPH.node("layer0").neuron
FIRST, LAST = "input>layer0.weight", "layer0>layer1.weight"
IDEAL = {"non_idealities": {"off": True}}


def sizes(graph):
    return [node.size for node in graph.neurons]


def network_on(name, parameters, hardware=None, seed=0):
    known = simulator(name).configured(hardware or {})
    sim = known.setup(0.1, seed=seed, layers=sizes(GRAPH))
    return build(sim, GRAPH, parameters, simulator=known)


def samples(n, seed=0):
    rng = np.random.default_rng(seed)
    return yin_yang.encode(rng.random((n, 4)), PARAMETERS)


@pytest.fixture
def weights():
    return initial_parameters(GRAPH, np.random.default_rng(3))


@pytest.mark.parametrize("circuits", [1, 2])
def test_weights_are_rounded_shared_out_and_clipped(weights, circuits):
    weights[LAST][0, 0] = 100.0
    network = network_on("brainscales2", weights, {"circuits": circuits})
    read = network.read()
    unit = network.simulator.unit(NEURON)
    assert unit == pytest.approx(1.62 / 63 * NEURON.current_scale, rel=0.01)
    for name in (FIRST, "bias0>layer0.weight"):
        assert np.abs(read[name] - weights[name]).max() <= unit / 2 + 1e-12  # five synapses hold one integer
    inside = np.abs(weights[LAST]) < 63 * unit
    assert np.abs(read[LAST] - weights[LAST])[inside].max() <= unit / 2 + 1e-12
    assert read[LAST][0, 0] == pytest.approx(63 * unit)
    limited = network.within_limits(weights)
    np.testing.assert_array_equal(limited[LAST][inside], weights[LAST][inside])
    assert limited[LAST][0, 0] == pytest.approx(63 * unit)


@pytest.mark.parametrize("circuits", [1, 2])
def test_an_ideal_chip_spikes_where_exact_does(weights, circuits):
    chip = network_on("brainscales2", weights, {**IDEAL, "circuits": circuits})
    held, t_in = chip.read(), samples(40)
    found = first_spikes(chip.present(t_in))
    expected = first_spikes(network_on("exact", held).present(t_in))
    for label in ("layer0", "layer1"):
        a, b = found[label], expected[label]
        assert np.isfinite(b).sum() > 40
        assert (np.isfinite(a) == np.isfinite(b)).all()
        # Input and recording are on a grid of 8 ns, 0.008 ms of the model; a neuron that grazes its threshold multiplies that.
        difference = np.abs(a[np.isfinite(b)] - b[np.isfinite(b)])
        assert np.median(difference) < 0.01 and difference.max() < 0.3


def test_first_spikes_are_those_of_the_model_in_its_time(weights):
    network = network_on("brainscales2", weights)
    recording = network.present(samples(10))
    times = first_spikes(recording)
    assert times["input"].shape == (10, 4) and times["bias0"].shape == (10, 3)
    np.testing.assert_allclose(times["input"], samples(10), atol=0.05)  # ticks of 8 ns, and events that wait for each other
    blocks = network.blocks(recording)
    assert blocks["input"].annotations["size"] == 20, "five sources an input"
    (drawn,) = recordings_of(blocks["layer1"])  # figures show the time of the model
    spiking = np.isfinite(times["layer1"][0])
    np.testing.assert_allclose([train.times[0] for train, s in zip(drawn.trials[0], spiking, strict=True) if s],
                               times["layer1"][0][spiking])
    assert drawn.span == pytest.approx((0.0, recording.presentation.duration))


def test_one_seed_one_result(weights):
    a, b, c = (first_spikes(network_on("brainscales2", weights, seed=seed).present(samples(10)))["layer1"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_chips_differ(weights):
    a, b = (first_spikes(network_on("brainscales2", weights, {"chip": chip}).present(samples(10)))["layer1"] for chip in (1, 2))
    both = np.isfinite(a) & np.isfinite(b)
    assert both.any() and np.abs(a - b)[both].max() > 0.1


def test_it_learns_on_the_chip(weights):
    data = yin_yang.data(PARAMETERS)["train"]
    data = SpikeData(data.times[:1500], data.labels[:1500])
    network = network_on("brainscales2", weights, {"chip": 2})
    options = TrainingOptions(epochs=2, batch_size=30, learning_rate=0.02, loss_options={"difference": 0.2})
    before = evaluate(network, data, 100, weights).accuracy
    trainer = Trainer(network, data, options, parameters=weights)
    trainer.run()
    assert evaluate(network, data, 100, trainer.parameters).accuracy > max(before, 0.45) + 0.1  # chance is 0.4


def test_a_run_that_is_resumed_meets_the_same_noise(weights):
    """Two epochs at once, or one, a checkpoint and one more: the same bits, in the evaluation afterwards too."""
    data = SpikeData(samples(40), np.arange(40) % 3)

    def trainer(epochs):
        options = TrainingOptions(epochs=epochs, batch_size=20, schedule="constant", seed=5)
        return Trainer(network_on("brainscales2", weights), data, options, data)

    def last(trainer):
        return {**trainer.parameters, "label times": evaluate(trainer.network, data).label_times}

    whole = trainer(2)
    whole.run()
    at_once = last(whole)
    half = trainer(1)
    half.run()
    for checkpoint in (half.checkpoint(), whole.checkpoint()):  # one epoch is left to train, or nothing
        again = trainer(2)
        again.network.present(samples(5))  # what was shown before does not matter
        again.restore(*checkpoint)
        again.run()
        assert_same(last(again), at_once)


def test_neurons_with_constants_of_their_own():
    neuron = LIFParameters(tau_m=6.0, tau_syn=np.linspace(5.0, 7.0, 20))
    graph = layered(3, (Layer(20, neuron),), 1.5, 20.0)
    known = simulator("brainscales2").configured(IDEAL)
    network = build(known.setup(0.1, layers=[20]), graph, {FIRST: np.full((3, 20), 3 * 6.0)}, simulator=known)
    found = first_spikes(network.present(np.array([[2.0, 5.0, 9.0]])))["layer0"]
    expected = first_spike_times(np.array([[2.0, 5.0, 9.0]]), network.read()[FIRST], neuron)
    assert np.isfinite(expected).all() and np.abs(found - expected).max() < 0.1  # time stamps of 0.008 ms, grazing at most 10
    limited, unit = network.within_limits({FIRST: np.full((3, 20), 1e6)})[FIRST], known.unit(neuron)
    np.testing.assert_allclose(limited, np.tile(63 * known.input_copies * unit, (3, 1)))


def test_the_network_of_256_inputs_fits_pairs_of_circuits_and_nothing_else():
    graph = mnist16.graph({**mnist16.PARAMETERS["network"], **mnist16.PARAMETERS["network_on_hardware"]})
    weights = initial_parameters(graph, np.random.default_rng(0))

    def network(**options):
        known = simulator("brainscales2").configured({**mnist16.PARAMETERS["hardware"], **options})
        sim = known.setup(0.1, layers=sizes(graph))
        built = build(sim, graph, weights, simulator=known)
        known.check(sim)
        return built

    mapping = network().sim.will_it_map()
    assert mapping.neurons_left.tolist() == [0] and (mapping.rows == 64).all()
    for options in ({"circuits": 1}, {"input_copies": 2}):
        with pytest.raises(SimulatorError, match="does not fit on the chip.*--circuits"):
            network(**options)


def test_pairs_are_columns_left_and_right():
    places = simulator("brainscales2").configured({"circuits": 2}).places([246, 10])
    upper = [place[::2] for place in places]
    np.testing.assert_array_equal(np.sort(np.concatenate(upper)), np.arange(256))
    assert all((place[1::2] == place[::2] + 256).all() for place in places)
    for columns in upper:
        assert (columns < 128).tolist() == (np.arange(columns.size) < columns.size / 2).tolist()
    with pytest.raises(SimulatorError, match="128 on each side"):
        simulator("brainscales2").configured({"circuits": 2}).places([250, 10])


def test_layers_lie_on_both_halves_of_the_chip():
    places = simulator("brainscales2").places([120, 3, 200])
    assert places[0].max() < 256 <= places[1].min() and places[2].max() < 512
    assert len(np.unique(np.concatenate(places))) == 323


def test_hardware_time_and_energy_are_in_the_metrics(weights):
    network = network_on("brainscales2", weights)
    known = network.simulator
    begin = known.hardware_time(network.sim)
    network.present(samples(10))
    costs = known.costs(10, known.hardware_time(network.sim) - begin)
    assert costs["hardware_us_per_sample"] == pytest.approx(network.timing.window, rel=1e-6)
    assert costs["microjoule_per_sample"] == pytest.approx(0.175 * network.timing.window, rel=1e-6)


def test_windows_may_be_shorter(weights):
    """120 us in place of 180: what is left of a sample is exp(-7) of a neuron's inputs, so most first spikes stay where they are
    within 0.1 us (ms of the model)."""
    given, hardware = samples(30), {**IDEAL, "window": 120.0}
    long = network_on("brainscales2", weights, IDEAL)
    expected = first_spikes(long.present(given))
    short = network_on("brainscales2", weights, hardware)
    assert (long.timing.window, short.timing.window, short.timing.deadline) == (180.0, 120.0, 80.0)
    begin = short.simulator.hardware_time(short.sim)
    found = first_spikes(short.present(given))
    assert short.simulator.hardware_time(short.sim) - begin == pytest.approx(30 * 0.12, rel=1e-2)
    both = np.isfinite(expected["layer0"]) & np.isfinite(found["layer0"])
    assert both.mean() > 0.1 and (np.isfinite(expected["layer0"]) == np.isfinite(found["layer0"])).mean() > 0.95
    assert (np.abs(found["layer0"] - expected["layer0"])[both] < 0.1).mean() > 0.95


def test_a_window_that_ends_before_the_inputs_is_refused():
    with pytest.raises(SimulatorError, match="window = 20: inputs spike until 20 us; make it longer"):
        simulator("brainscales2").configured({"window": 20.0}).timing(1.5, 20.0, [NEURON, NEURON], False)


@pytest.mark.parametrize("name, options, text", [
    ("exact", {"chip": 1}, "is no chip"), ("brainscales2", {"colour": 1}, "unknown option of brainscales2 'colour'"),
    ("brainscales2", {"non_idealities": {"latancy": 1.0}}, "unknown non-ideality 'latancy'; did you mean 'latency'"),
    ("brainscales2", {"non_idealities": {"latency": -1.0}}, "zero or more"), ("brainscales2", {"input_copies": 0}, "at least 1"),
    ("brainscales2", {"circuits": 3}, "1 circuit, or the 2"), ("brainscales2", {"window": 0.0}, "in us, such as 48"),
    ("brainscales2", {"window": "48"}, "in us, such as 48"),
    ("brainscales2", {"circuits": 2, "profile": "p.npz"}, "single circuits")])
def test_options_that_are_not_possible(name, options, text):
    with pytest.raises(SimulatorError, match=text):
        simulator(name).configured(options)


def test_the_profile_of_another_chip_is_refused(tmp_path):
    from ttfs_pynn.brainscales2.characterisation import ChipProfile
    values = {name: np.ones(512) for name in ("v_rest", "tau_m", "tau_syn_E", "tau_syn_I", "gain_E", "gain_I", "v_thresh")}
    ChipProfile(4, np.arange(512), values, {}).save(tmp_path / "p.npz")
    with pytest.raises(SimulatorError, match="profile of chip 4"):
        simulator("brainscales2").configured({"chip": 3}).measured_neurons(tmp_path / "p.npz", GRAPH.neurons)


def test_measured_neurons_have_the_units_of_the_model(tmp_path):
    """A profile of exactly the nominal chip gives back the nominal neuron."""
    from ttfs_pynn.brainscales2.characterisation import ChipProfile
    from ttfs_pynn.brainscales2.circuits import psp_height
    known, neuron = simulator("brainscales2"), NEURON
    gain = np.e * psp_height(1.0, known.i_synin_gm, known.synapse_dac_bias) / neuron.tau_syn
    nominal = {"v_rest": 80.0, "v_thresh": 150.0, "tau_m": 10.0, "tau_syn_E": 10.0, "tau_syn_I": 10.0, "gain_E": gain,
               "gain_I": gain}
    path = tmp_path / "chip.npz"
    ChipProfile(0, np.arange(512), {name: np.full(512, value) for name, value in nominal.items()}, {}).save(path)
    for node, measured in zip(GRAPH.neurons, known.measured_neurons(path, GRAPH.neurons), strict=True):
        for name in ("tau_m", "tau_syn", "cm", "v_thresh"):
            np.testing.assert_allclose(getattr(measured, name), np.full(node.size, getattr(neuron, name)), rtol=1e-12)


def test_a_network_that_does_not_fit_is_refused_before_it_runs():
    known = simulator("brainscales2").configured({"input_copies": 60})
    sim = known.setup(0.1, layers=sizes(GRAPH))
    build(sim, GRAPH, initial_parameters(GRAPH, np.random.default_rng(0)), simulator=known)
    with pytest.raises(SimulatorError, match="does not fit on the chip.*60 sources"):
        known.check(sim)
