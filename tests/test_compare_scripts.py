"""The benchmark that tries `ttfs-pynn compare` on drawn scripts: its scripts, its scoring, a small run."""

import pytest

from benchmarks import compare_scripts
from benchmarks.random_scripts.catalogue import SIMULATORS, Planted, planted, script
from benchmarks.random_scripts.writer import Place


def test_scripts_are_drawn_by_number_and_planted_ones_differ_on_one_simulator_alone():
    kinds = set()
    for number in range(40):
        text, plan = script(number), planted(number)
        for one in (text, plan.text):
            compile(one, f"script {number}", "exec")
        assert text == script(number) and text != script(number + 40)
        assert plan.text.count(f'odd = "{plan.simulator}" in sim.IF_curr_exp.__module__') == 1
        assert "odd" not in text and plan.text.count("odd") >= 2 and plan.simulator in SIMULATORS
        kinds.add(plan.place.kind)
    assert len(kinds) > 25 and sum(kind.startswith("hidden") for kind in kinds) >= 8


def _result(simulator, difference=None, defect=None, unmatched=(), failure=None):
    run = {"matched": 10, "missing": 0, "extra": 0, "unexplained": 0, "unmatched": list(unmatched),
           "differences": [difference] if difference else [], "defects": [defect] if defect else []}
    return {"simulators": {"exact": {"failures": [], "runs": [{**run, "differences": [], "defects": []}]},
                           simulator: {"failures": [{"failure": failure}] if failure else [], "runs": [run]}}}


def _difference(where, what="weights", trial=None):
    return {"trial": trial, "what": what, "where": where, "text": "so"}


def _defect(population, projection=None, kind="weight", trial=None):
    return {"trial": trial, "kind": kind, "population": population, "projection": projection, "text": "so"}


PLAN = Planted("", "nest", Place("weight", ("a to b",)), {"c": "b to c"})


@pytest.mark.parametrize("plan, result, found, blamed", [
    (PLAN, _result("nest"), False, False),
    (PLAN, _result("nest", _difference("a to b")), True, False),
    (PLAN, _result("nest", _difference("a to b 2")), True, False),
    (PLAN, _result("nest", _difference("b to c")), False, True),
    (PLAN, _result("brian2", _difference("a to b")), False, True),
    (PLAN, _result("nest", _difference("a to b"), _defect("c")), True, True),
    (PLAN, _result("nest", failure="no"), False, True),
    (Planted("", "nest", Place("hidden cm", ("c",), hidden=True), {"c": "b to c"}), _result("nest", None, _defect("c", "b to c")),
     True, False),
    (Planted("", "nest", Place("hidden cm", ("b",), hidden=True), {"c": "b to c"}), _result("nest", None, _defect("c", "b to c")),
     False, True),
    (Planted("", "nest", Place("weight in one trial", ("a to b",), 1), {}), _result("nest", _difference("a to b", trial=1)), True,
     False),
    (Planted("", "nest", Place("weight in one trial", ("a to b",), 1), {}), _result("nest", _difference("a to b", trial=2)),
     False, True),
    (Planted("", "nest", Place("shorter run", ()), {}), _result("nest", _difference("script", "runs")), True, False),
    (Planted("", "nest", Place("spike missing", ("a",)), {}),
     _result("nest", unmatched=[{"kind": "missing", "population": "a", "time_ms": 3.0}]), True, False),
])
def test_a_planted_defect_is_found_at_its_part_and_blamed_on_others_elsewhere(plan, result, found, blamed):
    outcome = compare_scripts.score_planted(0, result, plan)
    assert (outcome.found, bool(outcome.wrong)) == (found, blamed) and outcome.passed == (found and not blamed)


def test_every_finding_of_a_correct_script_is_wrong():
    assert compare_scripts.score_correct(0, _result("nest")).passed
    for result in (_result("nest", _difference("x")), _result("nest", None, _defect("x")), _result("nest", failure="no")):
        assert not compare_scripts.score_correct(0, result).passed


def test_a_correct_and_a_planted_script(capsys):
    """Script 8 changes a weight inside of a run; in the planted one Brian2 does not."""
    assert compare_scripts.main(["--scripts", "8", "--simulators", "brian2"]) == 0
    assert "named in 0 of 1" in capsys.readouterr().out
    assert compare_scripts.main(["--scripts", "8", "--simulators", "brian2", "--planted", "--together"]) == 0
    assert "found 1 of 1 (0 as what a defect may also be), blamed on another part in 0" in capsys.readouterr().out
