"""A network that its user wrote in PyNN, trained on several simulators: two populations of sources, excitatory and inhibitory
hidden ones, sparse connectors, distances that make delays, and a connection that skips a layer.

The task is iris (Fisher 1936, from scikit-learn): each of four features is the time of a spike, 1 to 15 ms, in the sources A, its
opposite in B; two more sources of each spike at fixed times. 100 flowers to train on, 50 to test, drawn anew for each seed.
Printed:
accuracy on the 50, seconds an epoch (median), and whether connectivity, delays and signs of the user's projections are as before.

examples:
  python -m benchmarks.own_network --simulators exact,brian2,nest --seeds 3
"""

import argparse
import warnings

import numpy as np
from pyNN.space import Line

from ttfs_pynn import Network, SpikeData, Trainer, TrainingOptions, evaluate
from ttfs_pynn.simulators import simulator

CELL = {"tau_m": 20.0, "tau_syn_E": 5.0, "tau_syn_I": 5.0, "cm": 1.0, "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0,
        "i_offset": 0.0, "tau_refrac": 200.0}


def build(sim):
    """({label: population}, {name: projection}) of a script as its user has it; it knows nothing of training."""
    rng = sim.NumpyRNG(seed=11)
    populations = {"A": sim.Population(6, sim.SpikeSourceArray(), label="A", structure=Line(dx=20.0)),
                   "B": sim.Population(6, sim.SpikeSourceArray(), label="B", structure=Line(dx=20.0)),
                   "E": sim.Population(24, sim.IF_curr_exp(**CELL), label="E", structure=Line(dx=5.0)),
                   "I": sim.Population(6, sim.IF_curr_exp(**CELL), label="I"),
                   "L": sim.Population(3, sim.IF_curr_exp(**CELL), label="L")}
    for population in populations.values():
        population.record("spikes")

    def drawn(mean, std, sign=1.0):
        low, high = sorted((0.0, sign * 20.0))
        return sim.RandomDistribution("normal_clipped", mu=sign * mean, sigma=std, low=low, high=high, rng=rng)

    pairs = [(i, (i * 5 + k) % 6, 4.0 + k, 0.5 + 0.3 * k) for i in range(6) for k in range(3)]
    table = {"A>E": (sim.FixedProbabilityConnector(0.6, rng=rng), drawn(4.0, 2.0), 1.0),
             "B>E": (sim.DistanceDependentProbabilityConnector("exp(-d/60.)", rng=rng), drawn(5.0, 2.0), "0.5 + d*0.05"),
             "A>I": (sim.FixedProbabilityConnector(0.6, rng=rng), drawn(4.0, 2.0), 0.5),
             "B>I": (sim.FromListConnector(pairs), 0.0, 0.5),
             "I>E": (sim.FixedProbabilityConnector(0.5, rng=rng), drawn(1.5, 0.5, -1.0), 0.5),
             "E>L": (sim.FixedProbabilityConnector(0.8, rng=rng), drawn(2.0, 0.7), sim.RandomDistribution("uniform", (0.5, 3.0),
                                                                                                           rng=rng)),
             "I>L": (sim.FixedProbabilityConnector(0.8, rng=rng), drawn(1.0, 0.5, -1.0), 1.0),
             "A>L": (sim.FixedProbabilityConnector(0.5, rng=rng), drawn(1.0, 0.5), 2.0)}
    projections = {name: sim.Projection(populations[name[0]], populations[name[2]], connector,
                                        sim.StaticSynapse(weight=weight, delay=delay),
                                        receptor_type="inhibitory" if name[0] == "I" else "excitatory", label=name)
                   for name, (connector, weight, delay) in table.items()}
    return populations, projections


def iris(rng):
    """(training, test) SpikeData of 100 and 50 flowers."""
    from sklearn.datasets import load_iris
    features, labels = load_iris(return_X_y=True)
    features = (features - features.min(axis=0)) / (features.max(axis=0) - features.min(axis=0))
    fixed, order = np.tile([0.0, 1.0], (len(features), 1)), rng.permutation(len(labels))
    times = {"A": 1 + 14 * np.hstack([features, fixed])[order], "B": 1 + 14 * np.hstack([1 - features, fixed])[order]}
    whole = SpikeData(times, labels[order])
    return whole.select(slice(0, 100)), whole.select(slice(100, None))


def held(projections):
    """{name: (weights, delays)} as matrices, NaN where there is no connection."""
    return {name: tuple(projection.get(what, format="array") for what in ("weight", "delay"))
            for name, projection in projections.items()}


def as_before(before, projections):
    """Whether connectivity and delays are what they were, and every weight has the sign of its receptor."""
    return all(np.array_equal(np.isnan(w), np.isnan(weights)) and np.allclose(d, delays, atol=1e-9, equal_nan=True)
               and (np.nan_to_num(w) * (1 if projections[name].receptor_type == "excitatory" else -1) >= 0).all()
               for (name, (weights, delays)), (w, d) in zip(before.items(), held(projections).values(), strict=True))


def run(backend, seed, epochs):
    """(accuracy, seconds an epoch, whether all else is as before) of one training."""
    sim = simulator(backend).setup(0.1)
    train, test = iris(np.random.default_rng(seed))
    populations, projections = build(sim)
    before = held(projections)
    network = Network(sim, projections, outputs=populations["L"], t_early=1.0, t_late=15.0)
    history = Trainer(network, train, TrainingOptions(epochs=epochs, seed=seed)).run()
    accuracy = evaluate(network, test).accuracy
    return accuracy, float(np.median([record["seconds"] for record in history])), as_before(before, projections)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulators", default="exact,brian2,nest")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    a = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", "SetStatus|GetStatus")
    found = {}
    for backend in a.simulators.split(","):
        found[backend] = [run(backend, seed, a.epochs) for seed in range(a.seeds)]
        accuracy, seconds, same = zip(*found[backend], strict=True)
        print(f"{backend:<14} accuracy {np.mean(accuracy):.3f} ({', '.join(f'{x:.2f}' for x in accuracy)})   "
              f"{np.median(seconds):.3f} s an epoch"
              f"   all else as before: {all(same)}", flush=True)
    return found


if __name__ == "__main__":
    main()
