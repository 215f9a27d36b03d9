"""Connect all to all, set and get weights as arrays. `python -m benchmarks.projection_arrays [--pre 784] [--post 350]`

Of the exact backend, through PyNN; medians of several calls.
"""

import argparse
import statistics
import time

import numpy as np

import ttfs_pynn.exact as sim


def milliseconds(call, repetitions):
    taken = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        call()
        taken.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pre", type=int, default=784)
    parser.add_argument("--post", type=int, default=350)
    parser.add_argument("--repetitions", type=int, default=15)
    a = parser.parse_args()
    sim.setup(timestep=0.1)
    pre, post = sim.Population(a.pre, sim.SpikeSourceArray()), sim.Population(a.post, sim.IF_curr_exp())
    weights = np.random.default_rng(1).uniform(0, 1, (a.pre, a.post))

    def connect(weight):
        return sim.Projection(pre, post, sim.AllToAllConnector(), sim.StaticSynapse(weight=weight, delay=1.0),
                              receptor_type="excitatory")
    projection = connect(weights)
    rows = {"connect, one weight": lambda: connect(0.5), "connect, weight array": lambda: connect(weights),
            "set(weight=array)": lambda: projection.set(weight=weights),
            'get("weight", "array")': lambda: projection.get("weight", format="array"),
            'get("weight", "list")': lambda: projection.get("weight", format="list")}
    for name, call in rows.items():
        print(f"{a.pre} x {a.post}: {name}: {milliseconds(call, a.repetitions):.2f} ms")
    assert (projection.get("weight", format="array") == weights).all()


if __name__ == "__main__":
    main()
