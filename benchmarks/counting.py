"""A task that needs recurrence: how many pulses, one to three, did eight sources send before the answer is due?

Pulses come 30 ms apart (each source with a jitter of 1 ms) and the time constants are 10 and 5 ms: when the next one comes,
nothing of the last is left in any membrane. The answer is asked for by four spikes at 110 ms. 60 hidden neurons hear the
sources, and each other with delays of 15 to 45 ms, random and not trained; three label neurons hear the hidden ones and inhibit
each other, so that the first silences the rest (winner takes all). Every neuron spikes once. Trained with recurrent edges and
without them, same seeds; and with the lateral inhibition left out. Numbers: accuracy on samples that training has not seen, and
label neurons that spike in a sample.

examples:
  python -m benchmarks.counting --seeds 5
"""

import argparse

import numpy as np

from ttfs_pynn import SpikeData, Trainer, TrainingOptions, evaluate
from ttfs_pynn.graph import Edge, Graph, Node, random_pairs
from ttfs_pynn.networks.array_network import ArrayNetwork
from ttfs_pynn.neuron import LIFParameters

PULSES, GO = np.array([10.0, 40.0, 70.0]), np.array([110.0, 111.0, 112.0, 113.0])
SOURCES, HIDDEN = 8, 60
TARGETS = {"t_right": 22.6, "t_wrong": 24.0, "t_silent": 30.0}  # tau_syn: 113 ms, and 7 ms later
VARIANTS = {"recurrent, winner takes all": (True, True), "without lateral inhibition": (True, False),
            "without recurrent edges": (False, True)}


def samples(n, rng):
    """SpikeData of n samples."""
    count = rng.integers(1, 4, n)
    times = PULSES + rng.normal(0.0, 1.0, (n, SOURCES, 3)) + rng.uniform(-2.0, 2.0, (n, 1, 1))
    return SpikeData({"pulses": np.where(np.arange(3) < count[:, None, None], times, np.inf)}, count - 1)


def network(rng, recurrent=True, lateral=True):
    """(graph, initial parameters)."""
    neuron = LIFParameters(tau_m=10.0, tau_syn=5.0)
    scale = neuron.current_scale
    pairs = random_pairs(HIDDEN, HIDDEN, 0.3, rng)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    around = np.array([(i, j) for j in range(3) for i in range(3) if i != j])
    edges = {"pulses>hidden": (Edge("pulses>hidden", "pulses", "hidden", delay=0.5),
                               rng.uniform(0.02, 0.4, (1, HIDDEN)) * rng.uniform(0.8, 1.2, (SOURCES, HIDDEN))),
             "go>hidden": (Edge("go>hidden", "go", "hidden", delay=0.5), rng.uniform(0.0, 0.5, (4, HIDDEN))),
             "go>labels": (Edge("go>labels", "go", "labels", delay=0.5), rng.normal(0.8, 0.2, (4, 3))),
             "hidden>labels": (Edge("hidden>labels", "hidden", "labels", delay=rng.uniform(0.5, 40.0, (HIDDEN, 3))),
                               rng.normal(0.0, 0.25, (HIDDEN, 3))),
             "hidden>hidden": (Edge("hidden>hidden", "hidden", "hidden", pairs, delay=rng.uniform(15.0, 45.0, len(pairs))),
                               rng.normal(0.25, 0.4, len(pairs))),
             "labels>labels": (Edge("labels>labels", "labels", "labels", around, sign=-1, delay=0.1, train=False),
                               np.full(len(around), -4.0))}
    left_out = [*["hidden>hidden"] * (not recurrent), *["labels>labels"] * (not lateral)]
    edges = {label: pair for label, pair in edges.items() if label not in left_out}
    graph = Graph((Node("pulses", SOURCES), Node("go", 4, times=GO), Node("hidden", HIDDEN, neuron), Node("labels", 3, neuron)),
                  tuple(edge for edge, _ in edges.values()), "labels", 4.0, 78.0)
    return graph, {f"{label}.weight": weights * scale for label, (_, weights) in edges.items()}


def run(seed, variant, n, epochs):
    """(accuracy, label neurons that spike in a sample) on samples that were not trained on."""
    rng = np.random.default_rng(seed)
    train, test = samples(n, rng), samples(n, rng)
    graph, parameters = network(rng, *VARIANTS[variant])
    shown = ArrayNetwork(graph, parameters)
    Trainer(shown, train, TrainingOptions(epochs=epochs, learning_rate=0.01, loss="mean_squared_error", loss_options=TARGETS,
                                          seed=seed)).run()
    answer = evaluate(shown, test)
    return answer.accuracy, float(np.isfinite(answer.label_times).sum(axis=1).mean())


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=30)
    a = parser.parse_args(arguments)
    found = {variant: [run(seed, variant, a.samples, a.epochs) for seed in range(a.seeds)] for variant in VARIANTS}
    for variant, results in found.items():
        accuracy, spikes = np.array(results).T
        print(f"{variant:<30} accuracy {accuracy.mean():.3f} +- {accuracy.std():.3f}   label neurons that spike "
              f"{spikes.mean():.2f}")
    return found


if __name__ == "__main__":
    main()
