"""What two records of a script say about their networks, before their spikes are looked at."""

import numpy as np
import pytest

from ttfs_pynn.comparison.same_network import differences
from ttfs_pynn.comparison.script import run_script
from ttfs_pynn.comparison.summary import compare_records
from ttfs_pynn.simulators import simulator


def network(sim, **changes):
    """A source, cells, two projections, two trials of two runs; each of `changes` is one thing that is done otherwise."""
    p = {"tau_m": 10.0, "i_offset": 0.0, "v": -65.0, "weight": 1.0, "delay": 1.0, "later": 1.5, "amplitude": 0.1, "trials": 2,
         "times": [5.0, 40.0], "receptor": "excitatory", "pairs": [(0, 0), (1, 1), (2, 2)], "length": 60.0, "target": 0,
         "cells": 3} | changes
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=p["times"]), label="source")
    cells = sim.Population(p["cells"], sim.IF_curr_exp(tau_m=p["tau_m"], tau_refrac=2.0, i_offset=p["i_offset"]), label="cells")
    cells.initialize(v=p["v"])
    w = p["weight"] if p["receptor"] == "excitatory" else -p["weight"]
    first = sim.Projection(source, cells, sim.FromListConnector([(i, j, w, p["delay"]) for i, j in p["pairs"]]),
                           sim.StaticSynapse(), receptor_type=p["receptor"], label="first")
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.5, delay=2.0), receptor_type="excitatory",
                   label="second")
    sim.DCSource(amplitude=p["amplitude"], start=10.0, stop=20.0).inject_into(cells[p["target"]:p["target"] + 1])
    for trial in range(p["trials"]):
        if trial:
            sim.reset()
        sim.run(p["length"])
        first.set(weight=p["later"] * np.sign(w))
        sim.run(40.0)


def record(**changes):
    return run_script(lambda sim: network(sim, **changes), simulator("exact"), 0.1)


@pytest.fixture(scope="module")
def reference():
    return record()


@pytest.mark.parametrize("changes, what, where, text", [
    ({"tau_m": 12.0}, "parameters", "cells", "tau_m is 12 instead of 10"),
    ({"tau_m": [10.0, 10.0, 12.0]}, "parameters", "cells", "tau_m of cell 2 is 12 instead of 10"),
    ({"i_offset": 0.2}, "parameters", "cells", "i_offset is 0.2 instead of 0"),
    ({"v": -60.0}, "initial values", "cells", "the membrane potential is set to -60 instead of -65 mV"),
    ({"weight": 1.1}, "weights", "first", "weights are 1.1 instead of 1 nA, 1.1 times as large"),
    ({"later": 1.8}, "weights", "first", "weights are 1.8 instead of 1.5 nA, 1.2 times as large"),
    ({"delay": 1.4}, "delays", "first", "delays are 1.4 instead of 1 ms"),
    ({"pairs": [(0, 0), (1, 1)]}, "connections", "first", "other connections: 1 of 3 are missing"),
    ({"pairs": [(0, 0), (1, 2), (2, 2)]}, "connections", "first", "1 of 3 are missing, 1 are extra; draw random ones"),
    ({"receptor": "inhibitory"}, "connections", "first", "its receptor is inhibitory instead of excitatory"),
    ({"amplitude": 0.2}, "injected currents", "cells", "amplitude of the DCSource is 0.2 instead of 0.1"),
    ({"target": 1}, "injected currents", "cells", "a DCSource into 1 cells instead of"),
    ({"trials": 1}, "runs", "script", "1 trial instead of 2 trials"),
    ({"length": 50.0}, "runs", "script", "it ran for 90 ms instead of 100 ms"),
    ({"cells": 4}, "populations", "script", "populations source (3), cells (4) instead of source (3), cells (3)"),
    ({"times": [5.0, 41.0]}, "source spikes", "source", "a spike is at 41 ms instead of 40 ms (cell 0); 2 more spikes"),
    ({"times": [5.0]}, "source spikes", "source", "a spike at 40 ms is missing (cell 0); 2 more spikes")])
def test_each_difference_is_named_at_its_place(reference, changes, what, where, text):
    found = compare_records(reference, record(**changes), 0.1, 2.0)
    texts = [d["text"] for d in found["differences"] if d["what"] == what and d["where"] == where]
    assert any(text in t for t in texts), found["differences"]
    # No spike is laid on a defect: the exact simulator does what it says that it holds.
    assert found["defects"] == []
    named = {(d["what"], d["where"]) for d in found["differences"]}
    # A weight of the wrong sign is part of the wrong receptor; runs of another length change when the later weights begin.
    assert named <= {(what, where), ("weights", "first")}


def test_the_same_network_has_none(reference):
    assert differences(reference, record(), 0.1) == []
    assert len(reference) == 2 and [len(r.stages) for r in reference] == [2, 1]  # the later weights stay over the reset


def test_a_difference_in_one_trial_says_in_which(reference):
    def build(sim):
        source = sim.Population(3, sim.SpikeSourceArray(spike_times=[5.0]), label="source")
        cells = sim.Population(3, sim.IF_curr_exp(tau_refrac=2.0), label="cells")
        sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.0, delay=1.0))
        for trial in range(3):
            if trial:
                sim.reset()
            cells.set(i_offset=0.5 if trial == 1 and planted else 0.1)
            sim.run(50.0)
    planted = False
    right = run_script(build, simulator("exact"), 0.1)
    planted = True
    (found,) = compare_records(right, run_script(build, simulator("exact"), 0.1), 0.1, 2.0)["differences"]
    assert (found["trial"], found["where"], found["text"]) == (1, "cells", "i_offset is 0.5 instead of 0.1")
