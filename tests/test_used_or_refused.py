"""What is given to the library is used, or refused with a line: given x where -> used, or refused with which line."""

from dataclasses import replace

import numpy as np
import pytest
import quantities as pq

from tests.small_networks import samples, small_graph
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.graph import Edge, Graph, Layer, Node, layered
from ttfs_pynn.graph.initialisation import balanced, initial_parameters
from ttfs_pynn.learning.data import SpikeData
from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.learning.evaluation import evaluate
from ttfs_pynn.learning.loss import MeanSquaredError, PairwiseDifference
from ttfs_pynn.learning.options import TrainingOptions
from ttfs_pynn.learning.schedules import schedule
from ttfs_pynn.learning.trainer import Callback, Trainer
from ttfs_pynn.models import yin_yang
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.networks.distortion import DistortedNetwork, Distortion
from ttfs_pynn.networks.pynn_network import build
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.protocols import robustness, transfer
from ttfs_pynn.runs.experiment import Experiment
from ttfs_pynn.simulators import simulator

GRAPH = small_graph(5)
PARAMETERS = initial_parameters(GRAPH, np.random.default_rng(3))
NEURON = LIFParameters()


def network(graph=GRAPH):
    return ArrayNetwork(graph, PARAMETERS)


def data(n=6, labels=None):
    return SpikeData(samples(n), np.arange(n) % 3 if labels is None else labels)


def trainer(**options):
    return Trainer(network(), data(), TrainingOptions(epochs=1, **options))


def experiment(**changes):
    configuration = {"model": "yin_yang", "backend": "exact", "dt": 0.1, "copies": 1, **yin_yang.PARAMETERS}
    return Experiment(yin_yang, configuration | {"network": yin_yang.PARAMETERS["network"] | changes})


FIXED = Graph((Node("in", 4), Node("out", 3, NEURON)), (Edge("e", "in", "out", train=False),), "out", 1.5, 20.0)
REFUSED = {
    # losses
    "right later than wrong": (lambda: MeanSquaredError(10.0, 1.9, 1.6), "t_wrong = 1.6 must be above t_right = 1.9"),
    "right with wrong": (lambda: MeanSquaredError(10.0, t_right=1.6, t_wrong=1.6), "t_wrong = 1.6 must be above t_right"),
    "silent before wrong": (lambda: MeanSquaredError(10.0, t_silent=1.8), "t_silent = 1.8 must be above t_wrong = 1.9"),
    "no difference": (lambda: PairwiseDifference(10.0, difference=0.0), "difference = 0 asks for wrong neurons"),
    "negative difference": (lambda: PairwiseDifference(10.0, difference=-0.2), "difference = -0.2 must be zero or more"),
    "silent before the difference": (lambda: PairwiseDifference(10.0, 0.5, 0.3), "t_silent = 0.3 must be above difference = 0.5"),
    "as an option": (lambda: trainer(loss="mean_squared_error", loss_options={"t_right": 2.5}), "t_wrong = 1.9 must be above"),
    "targets in ms": (lambda: trainer(loss="mean_squared_error", loss_options={"t_right": 16, "t_wrong": 19, "t_silent": 40}),
                      "asks for spikes at 19 tau_syn; those after 8 tau_syn do not count .*in tau_syn, not ms"),
    "difference in ms": (lambda: trainer(loss_options={"difference": 20.0, "t_silent": 40.0}), "asks for spikes at 20 tau_syn"),
    "option of another loss": (lambda: trainer(loss_options={"xi": 0.2}), "unknown option of the loss pairwise_difference 'xi'"),
    # training options
    "aim of another policy": (lambda: TrainingOptions(silent_aim=2.0), "silent_aim = 2.0 has no effect with silent = 'bumping'"),
    "sum of another policy": (lambda: TrainingOptions(weight_sum=2.0), "weight_sum = 2.0 has no effect.*option of 'weight_sum'"),
    "bump of another policy": (lambda: TrainingOptions(silent="membrane_peak", bump=0.1), "bump = 0.1 has no effect"),
    "instead of another policy": (lambda: TrainingOptions(silent="weight_sum", bump_instead_of_step=True), "has no effect"),
    "rate of no times": (lambda: trainer(times_rate=2.0), "times_rate = 2.0 has no effect: no delays or times of sources are"),
    "misspelt option": (lambda: TrainingOptions.of({"learning_rat": 1}), "did you mean 'learning_rate'"),
    "misspelt schedule": (lambda: trainer(schedule="cosin"), "unknown schedule 'cosin'; did you mean 'cosine'"),
    "options of no schedule": (lambda: trainer(schedule_options={"every": 3}), "unknown option of the schedule cosine 'every'"),
    "growing rate": (lambda: schedule("step_decay", 0.1, 10, factor=1.5), "factor = 1.5"),
    "no epoch": (lambda: schedule("step_decay", 0.1, 10, every=0), "every = 0"),
    "misspelt hook": (lambda: type("Mine", (Callback,), {"on_epoch_ends": print}), "unknown hook 'on_epoch_ends'; did you mean "
                      "'on_epoch_end'.*callback Mine"),
    # data
    "NaN": (lambda: SpikeData([[np.nan]], [0]), "1 spike times are NaN"),
    "negative time": (lambda: SpikeData([[-2.0]], [0]), "spikes at -2 ms"),
    "minus infinity": (lambda: SpikeData([[-np.inf]], [0]), "spikes at -inf ms"),
    "times in mV": (lambda: SpikeData([[2.0]] * pq.mV, [0]), "times = .* mV cannot be in ms"),
    "label 3 of 3": (lambda: evaluate(network(), data(labels=[0, 1, 3, 0, 1, 2])), "labels up to 3 for a network of 3 label"),
    "to train with": (lambda: Trainer(network(), data(labels=[0, 1, 3, 0, 1, 2]), TrainingOptions()), "labels up to 3"),
    "to validate with": (lambda: Trainer(network(), data(), TrainingOptions(), data(labels=[4] * 6)), "labels up to 4"),
    "three inputs": (lambda: evaluate(network(), SpikeData(samples(2)[:, :3], [0, 1])),
                     r"spike times of .input. have shape \(2, 3\); expected \(samples, 4 inputs\)"),
    # networks
    "bias times of nothing": (lambda: Layer(3, LIFParameters(), train_bias_times=True), "train_bias_times of a layer without"),
    "one name of a kind": (lambda: Layer(3, NEURON, delays="axonal"), "known kinds are"),
    "share and times": (lambda: balanced(GRAPH, 0.3, times=[1.0, np.inf]), "share = 0.3, but 0.5 of the times"),
    "negative delay": (lambda: build(simulator("exact").setup(0.1), GRAPH, PARAMETERS, delay=-1.0),
                       "delay = -1 ms must be zero or more"),
    "measured of another": (lambda: Trainer(network(), data(), TrainingOptions(), measured={"layer9": NEURON}),
                            "population 'layer9'"),
    "times of no population": (lambda: network().present({"inputs": samples(2)}),
                               "unknown population of spike sources 'inputs'; did you mean 'input'"),
    "times of half of them": (lambda: network().present({"bias0": np.ones((2, 2))}),
                              "no spike times of 'input', which have none"),
    "other numbers of samples": (lambda: network().present({"input": samples(2), "bias0": np.ones((3, 2))}),
                                 "as many samples of each"),
    "copies of nothing": (lambda: build(simulator("exact").setup(0.1), GRAPH, PARAMETERS, copies=0), "copies = 0"),
    "nothing trained": (lambda: Trainer(ArrayNetwork(FIXED, {"e.weight": np.ones((4, 3))}), data(), TrainingOptions()),
                        "nothing of this network is trained"),
    "a network of a kind": (lambda: Trainer(GRAPH, data(), TrainingOptions()), "Graph is no network that can be trained"),
    "batches of none": (lambda: evaluate(network(), data(), batch_size=0), "batch_size = 0 must be at least 1"),
    "tau in mV": (lambda: LIFParameters(tau_m=10 * pq.mV), "tau_m = 10.0 mV cannot be in ms"),
    "misspelt parameter": (lambda: experiment(hiden=30), "an unknown parameter 'hiden'; did you mean 'hidden'"),
    # command lines
    "rate of no epochs": (lambda: transfer.main(["run", "--epochs", "0", "--learning-rate", "0.1", "--output", "nowhere/x.json"]),
                          "--learning-rate 0.1 has no effect with --epochs 0"),
    "seeds of a quick look": (lambda: robustness.main(["--quick", "--seeds", "3"]), "--quick has 2 seeds and 2 epochs"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what):
    do, text = REFUSED[what]
    with pytest.raises((ConfigurationError, ValueError), match=text):
        do()


def test_what_has_no_effect_may_be_the_default():
    """As in the tables of models, which say bump = 0.0005 whatever the policy."""
    assert TrainingOptions.of({"silent": "membrane_peak", "bump": 0.0005, "silent_aim": 2.0}).silent_aim == 2.0
    assert type("Mine", (Callback,), {"on_epoch_end": print, "after_all": print, "total": 0})


def test_quantities_are_used_in_their_units():
    neuron = LIFParameters(tau_m=0.02 * pq.s, tau_syn=[10, 12] * pq.ms, cm=1000 * pq.pF, v_thresh=-0.05 * pq.V)
    assert (neuron.tau_m, neuron.cm, neuron.v_thresh) == (20.0, 1.0, -50.0) and neuron.tau_syn.tolist() == [10.0, 12.0]
    layer = Layer(3, NEURON, [0.0015, 0.009] * pq.s, delays=("axonal",), delay_std=0.002 * pq.s, delay_max=0.01 * pq.s)
    np.testing.assert_allclose([*layer.bias_times, layer.delay_std, layer.delay_max], [1.5, 9.0, 2.0, 10.0])
    graph = layered(4, (layer,), 0.0015 * pq.s, 0.02 * pq.s)
    np.testing.assert_allclose([graph.t_early, graph.t_late], [1.5, 20.0])
    assert Edge("e", "a", "b", delay=0.002 * pq.s).delay == 2.0 and Node("a", 1, times=[0.003] * pq.s).times == [3.0]
    np.testing.assert_allclose(SpikeData(samples(3) / 1000 * pq.s, [0, 1, 2]).times, samples(3))
    assert build(simulator("exact").setup(0.1), GRAPH, PARAMETERS, delay=0.002 * pq.s).delay == 2.0
    assert ArrayNetwork(GRAPH, PARAMETERS, deadline=0.1 * pq.s).timing.deadline == 100.0
    for one in (network(), build(simulator("exact").setup(0.1), GRAPH, PARAMETERS), DistortedNetwork(GRAPH, PARAMETERS,
                                                                                                     Distortion())):
        found, expected = (first_spikes(one.present(times)).labels for times in (samples(4) / 1000 * pq.s, samples(4)))
        assert np.isfinite(expected).sum() > 3
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_what_fits_is_not_refused():
    assert all(len(evaluate(network(), data(labels=labels)).labels) == 6 for labels in ([0, 1, 2, 0, 1, 2], [0] * 6))
    assert Trainer(network(replace(GRAPH, t_late=25.0)), data(), TrainingOptions(epochs=1)).run()
