"""How often the statistics of `compare` call two recordings different: `python -m benchmarks.false_differences [--pairs 200]`.

Synthetic networks of known statistics. Of pairs of recordings that have the same, every difference is a false one; of those
with a planted change, the share that is found is the power. For each test: the share of pairs with p below 0.05 and below 0.01
(before Holm's correction), and the share in which anything "differs", as `compare` says it.
"""

import argparse

import numpy as np
from scipy.signal import lfilter

from ttfs_pynn.comparison.record import PARAMETERS, NetworkRecord
from ttfs_pynn.comparison.statistics import compare_statistics


def fluctuation(duration, memory, rng):
    """Gaussian noise of variance 1 that forgets within `memory` ms (Ornstein and Uhlenbeck), one value a ms."""
    keep = np.exp(-1 / memory)
    return lfilter([1], [1, -keep], np.sqrt(1 - keep ** 2) * rng.normal(size=int(duration)), zi=[keep * rng.normal()])[0]


def trains(rates, duration, rng, shape=1, common=None, drive=None, shared=0.0):
    """Spike times (ms) of neurons with these mean rates (1/s), gamma-distributed intervals of that shape.

    common: (size, memory in ms) of a fluctuation of all rates together. drive: factor of all rates, one a ms. shared: share of
    spikes that come, within 1 ms, with events of 20/s that all neurons have in common.
    """
    gain = np.ones(int(duration)) if drive is None else drive
    if common is not None:
        gain = gain * np.exp(common[0] * fluctuation(duration, common[1], rng) - common[0] ** 2 / 2)
    passed = np.concatenate([[0], np.cumsum(gain)])
    events = np.sort(rng.uniform(0, duration, rng.poisson(20 * duration / 1000)))
    found = []
    for rate in rates:
        own = rate * (1 - shared) / 1000
        expected = passed[-1] * own
        steps = rng.gamma(shape, 1 / shape, int(expected + 10 * np.sqrt(expected) + 20))
        phase = np.cumsum(steps) - rng.uniform() * steps[0]
        times = np.interp(phase[phase < expected] / own, passed, np.arange(passed.size))
        with_all = events[rng.random(events.size) < rate * shared / 20]
        times = np.concatenate([times, with_all + rng.normal(0, 1, with_all.size)])
        found.append(np.sort(times[(times >= 0) & (times < duration)]))
    return found


def record(found, duration, connections):
    """A NetworkRecord of one population. connections: of which the network is recognised."""
    parameters = {name: np.ones(len(found)) for name in PARAMETERS}
    return NetworkRecord(("cells",), (len(found),), parameters, (), np.repeat(np.arange(len(found)), [t.size for t in found]),
                         np.concatenate(found), duration, meta={"connections": connections})


def pair(rng, duration, n=50, rate_changed=1.0, same_network=True, driven=False, trials=1, changed=None, **how):
    """Two recordings (lists of trials). changed: what is other in the second one, beside the factor rate_changed of rates; an
    array-like factor is neuron by neuron."""
    def rates():
        return 10 * np.exp(0.7 * rng.normal(size=n) - 0.245)

    first = rates()
    second = (first if same_network else rates()) * np.resize(rate_changed, n)
    sides = [[], []]
    for _ in range(trials):
        drive = np.exp(0.6 * fluctuation(duration, 100.0, rng)) if driven else None
        for k, (mean, options) in enumerate(((first, how), (second, {**how, **(changed or {})}))):
            sides[k].append(record(trains(mean, duration, rng, drive=drive, **options), duration, 0 if same_network else k))
    return sides


SAME = {"independent": {}, "10 neurons": {"n": 10}, "regular (gamma 4)": {"shape": 4},
        "fluctuate together, 20 ms": {"common": (0.3, 20.0)}, "fluctuate together, 100 ms": {"common": (0.3, 100.0)},
        "spikes in common, 20 %": {"shared": 0.2}, "the same input": {"driven": True},
        "10 trials, together, 100 ms": {"trials": 10, "common": (0.3, 100.0)},
        "another network": {"same_network": False},
        "another network, together, 50 ms": {"same_network": False, "common": (0.3, 50.0)}}
OTHER = {"rate + 10 %": {"rate_changed": 1.1}, "rate + 20 %, together, 20 ms": {"rate_changed": 1.2, "common": (0.3, 20.0)},
         "half + 20 %, half - 20 %": {"rate_changed": (1.2, 0.8)},
         "correlation + 20 %": {"shared": 0.3, "changed": {"shared": 0.3 * 1.2 ** 0.5}},
         "correlation + 20 %, 10 trials": {"trials": 10, "shared": 0.3, "changed": {"shared": 0.3 * 1.2 ** 0.5}},
         "regular instead of irregular": {"shape": 1, "changed": {"shape": 1.3}}}


def measure(how, duration, pairs):
    """{test: p of each pair}, and the share of pairs that differ."""
    found, differ = {}, 0
    for k in range(pairs):
        result = compare_statistics(*pair(np.random.default_rng([k, 15]), duration, **how))
        differ += result["agree"] is False
        for row in result["rows"]:
            found.setdefault(row["measure"] + (", each" if row["test"].startswith("each") else ""), []).append(row["p"])
    return {name: np.array(p) for name, p in found.items()}, differ / pairs


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--durations", type=float, nargs="+", default=[500.0, 2000.0, 10_000.0], metavar="MS")
    a = parser.parse_args(arguments)
    names = ("rate", "rate, each", "cv", "correlation")
    print(f"{'':34}{'ms':>7}  " + "".join(f"{name:>16}" for name in names) + f"{'differ':>9}")
    for title, cases in (("the same statistics", SAME), ("a planted change", OTHER)):
        print(title)
        for name, how in cases.items():
            for duration in a.durations:
                found, differ = measure(how, duration, a.pairs)
                cells = [f"{(found[n] < 0.05).mean():.3f} {(found[n] < 0.01).mean():.3f}" if n in found else "-" for n in names]
                print(f"  {name:32}{duration:>7g}  " + "".join(f"{cell:>16}" for cell in cells) + f"{differ:>9.3f}", flush=True)


if __name__ == "__main__":
    main()
