"""The first line of a comparison, what is above a bound, and another reference than exact."""

from pathlib import Path

import pytest

from ttfs_pynn.comparison.simulators import compare_simulators
from ttfs_pynn.comparison.task import Task
from ttfs_pynn.comparison.verdict import Bound, beyond, verdict
from ttfs_pynn.errors import ConfigurationError


def row(dt=0.1, missing=0, extra=0, error=0.0, differences=(), defects=()):
    return {"dt_ms": dt, "matched": 10, "missing": missing, "extra": extra, "max_abs_error_ms": error,
            "differences": list(differences), "defects": list(defects)}


def result(reference="exact", **simulators):
    """A comparison.json of these rows; a text is why a simulator did not run."""
    found = {name: {"runs": [r for r in rows if isinstance(r, dict)],
                    "failures": [{"dt_ms": 0.1, "failure": r} for r in rows if isinstance(r, str)]}
             for name, rows in simulators.items()}
    return {"reference": reference, "simulators": found}


DIFFERENCE = {"where": "a→b", "text": "weights are 10 instead of 1 nA"}
CASES = [
    (result(exact=[row()], nest=[row()]), "They agree with exact: every spike has its partner, at most 0 ms away.", 0, 0),
    (result(exact=[row()], nest=[row(error=0.25), row(0.01, error=0.02)]),
     "They agree with exact: every spike has its partner, at most 0.25 ms away (nest, dt 0.1 ms: 2.5 steps).", 2, 0),
    (result(exact=[row()], nest=[row(missing=2, extra=1, error=0.05)], brian2=[row(missing=1)]),
     "They do not agree with exact: nest, dt 0.1 ms: 2 spikes are missing and 1 extra, of 12. 1 other simulator does not agree "
     "either.", 2, 2),
    (result(exact=[row()], nest=[row(differences=[DIFFERENCE])], brian2=[row(missing=1)]),
     "They do not agree with exact: nest, dt 0.1 ms: it is not the same network: a→b: weights are 10 instead of 1 nA. 1 other "
     "simulator does not agree either.", 2, 2),
    (result(exact=[row()], nest=[row(defects=[{"text": "threshold of 'b' is 1 mV too high"}])]),
     "They do not agree with exact: nest, dt 0.1 ms: threshold of 'b' is 1 mV too high.", 1, 1),
    (result("brian2", exact=["no HH"], brian2=[row()], nest=[row(error=0.01)]),
     "They agree with brian2: every spike has its partner, at most 0.01 ms away (nest, dt 0.1 ms: 0.1 steps). exact did not run "
     "everywhere.", 1, 1),
    (result(exact=[row()]), "Nothing was compared with exact.", 0, 0)]


@pytest.mark.parametrize("found, text, above_a_step, above_a_millisecond", CASES)
def test_the_first_line_and_what_is_above_a_bound(found, text, above_a_step, above_a_millisecond):
    assert verdict(found) == text
    assert len(beyond(found, Bound.of("1dt"))) == above_a_step
    assert len(beyond(found, Bound.of("1ms"))) == above_a_millisecond


def test_bounds():
    assert Bound.of("1dt").ms(0.1) == 0.1 and Bound.of("0.05ms").ms(0.1) == 0.05 == Bound.of(" 5e-2 ").ms(1.0)
    for text in ("", "dt", "1 step", "-1dt", "1e999", "1.2.3ms"):
        with pytest.raises(ConfigurationError, match="give time steps, such as 1dt, or a time, such as 0.05ms"):
            Bound.of(text)


SCRIPT = """
def build(sim):
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=[[2.0], [3.0, 30.0], [4.0]]), label="in")
    cells = sim.Population(4, sim.IF_curr_exp(cm=0.5), label="cells")
    sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=1.5, delay=1.0), receptor_type="excitatory")
    sim.run(60.0)
"""


@pytest.fixture
def task(tmp_path):
    (tmp_path / "net.py").write_text(SCRIPT)
    return Task(str(tmp_path / "net.py"), (0.1,), 1, duration=60.0)


def compared(task, folder, missing=(), **options):
    """With simulators that are all exact in this process, but for those that are missing."""
    def record(task, name, dt, file):
        return (None, f"{name} has no such cell") if name in missing else (task.records("exact", dt), None)
    Path(folder).mkdir()
    (Path(folder) / "records").mkdir()
    return compare_simulators(task, ["exact", "nest", "brian2"], folder, None, record, lambda text: None, **options)


def test_the_reference_is_exact_or_the_first_that_runs_or_the_one_asked_for(task, tmp_path):
    assert compared(task, tmp_path / "a")["reference"] == "exact"
    found = compared(task, tmp_path / "b", missing=["exact"])
    assert found["reference"] == "nest" and found["simulators"]["exact"]["status"] == "exact has no such cell"
    assert found["simulators"]["brian2"]["matched"] == found["simulators"]["nest"]["matched"] >= 8
    found = compared(task, tmp_path / "c", reference="brian2")
    assert found["reference"] == "brian2" and found["simulators"]["exact"]["max_abs_error_ms"] == 0
    with pytest.raises(ConfigurationError, match="the reference 'brian2' failed: brian2 has no such cell"):
        compared(task, tmp_path / "d", missing=["brian2"], reference="brian2")
    with pytest.raises(ConfigurationError, match="no simulator is left to compare with"):
        compared(task, tmp_path / "e", missing=["exact", "nest", "brian2"])
