"""script(number) and planted(number)."""

import collections
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.random_scripts.networks import NETWORKS
from benchmarks.random_scripts.timelines import TIMELINES
from benchmarks.random_scripts.writer import Place, Script

__all__ = ["SIMULATORS", "Planted", "planted", "script"]

SIMULATORS = ("nest", "brian2", "neuron")


@dataclass(frozen=True)
class Planted:
    """A script with one defect: its text, the simulator that does otherwise, the truth, and {population: its only projection}."""

    text: str
    simulator: str
    place: Place
    only: dict


def _write(number, index=None, simulator="nest"):
    s = Script(number, index, simulator)
    network = NETWORKS[number % len(NETWORKS)]
    timeline = TIMELINES[(number + number // len(NETWORKS) * 3) % len(TIMELINES)]
    timeline(s, network)
    return s, f"{network.__doc__} {timeline.__doc__}"


def script(number):
    """The text of correct script `number`."""
    s, title = _write(number)
    return s.text(title)


def _only(s):
    found = {}
    for cells in s.cells:
        afferent = {p.label for p in s.projections if p.post.split("[")[0] == cells.name or p.post == "both"}
        if len(afferent) == 1:
            found[cells.name] = afferent.pop()
    return found


@lru_cache
def _places(block):
    """For the 40 scripts of a block: which place is planted. The kind that was least planted so far, the rarest of those; every
    third script has one that PyNN does not report."""
    offered = {number: _write(number, simulator=_odd(number))[0].places for number in range(40 * block, 40 * block + 40)}
    kinds = {number: dict.fromkeys(place.kind for place in places if place.hidden == (number % 3 == 1))
             for number, places in offered.items()}
    common = collections.Counter(kind for of_one in kinds.values() for kind in of_one)
    used: collections.Counter = collections.Counter()
    chosen = {}
    for number, places in offered.items():
        kind = min(kinds[number], key=lambda kind: (used[kind], common[kind]))
        found = [k for k, place in enumerate(places) if place.kind == kind]
        chosen[number] = found[used[kind] % len(found)]
        used[kind] += 1
    return chosen


def _odd(number):
    return SIMULATORS[(number + number // 3) % 3]


def planted(number):
    """Planted version of script `number`."""
    index, simulator = _places(number // 40)[number], _odd(number)
    s, title = _write(number, index, simulator)
    place = s.places[index]
    text = s.text(f"{title} Planted on {simulator}: {place.kind}, {' or '.join(place.parts) or 'a run'}")
    return Planted(text, simulator, place, _only(s))
