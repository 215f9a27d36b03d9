"""`ttfs-pynn compare` on PyNN scripts that it has not seen: does it name what is wrong, and nothing else?

    python -m benchmarks.compare_scripts              40 correct scripts: no defect named, no crash
    python -m benchmarks.compare_scripts --planted    the same with one planted defect each: found, never blamed on another part

The scripts are drawn by number (`benchmarks.random_scripts`). Each is one call of `ttfs-pynn compare`, read from its
comparison.json. `--keep DIR` keeps scripts and comparisons.

A finding is a difference ("not the same network") or a defect (what spike times show). Of a correct script every finding is
wrong, and so are failures and distributions that are said to differ. A planted defect is found if a finding names its simulator,
its trial and its part, which is the population or projection; for one of source spikes an unmatched spike of it is enough.
It is blamed on another part if a finding names another simulator, trial or part. A population's parameter that acts as all of its
afferent weights do counts as found at the population, or at its only projection. What a defect says that it may also be counts.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.random_scripts.catalogue import SIMULATORS, planted, script
from benchmarks.random_scripts.together import compared, record_all
from ttfs_pynn.errors import TTFSError

__all__ = ["Finding", "Outcome", "findings", "main", "score_correct", "score_planted"]


@dataclass(frozen=True)
class Finding:
    """One claim of a comparison: source "difference", "defect", "unmatched", "statistics" or "failure"."""

    simulator: str
    source: str
    kind: str
    part: str
    population: str | None
    trial: int | None
    text: str
    others: tuple = ()  # parts that the claim leaves open beside its first

    def __str__(self):
        trial = "" if self.trial is None else f", trial {self.trial}"
        return f"{self.simulator}{trial}: {self.source} {self.kind!r} at {self.part!r}: {self.text}"


@dataclass(frozen=True)
class Outcome:
    """How a script was judged: found (None for correct scripts), the findings that are wrong, those that are right; loosely: the
    part is named only as what a defect may also be."""

    number: int
    what: str
    found: bool | None
    wrong: tuple
    right: tuple
    rows: tuple
    loosely: bool = False

    @property
    def passed(self):
        """As it should be."""
        return self.found is not False and not self.wrong


def _label(name):
    """Without the cells of it that are meant, and the number that tells equal labels apart."""
    name = re.sub(r"^(cells? [\d, and-]+ of|all projections onto) ", "", name or "")
    return re.sub(r"(?<=\D) \d+$", "", name)


def findings(name, row):
    """Findings of one simulator's entry in comparison.json, of all its time steps."""
    found = [Finding(name, "failure", "", "", None, None, str(f["failure"])) for f in row["failures"]]
    for run in row["runs"]:
        for d in run.get("differences", ()):
            found.append(Finding(name, "difference", d["what"], _label(d["where"]), None, d.get("trial"), d["text"]))
        for d in run["defects"]:
            projection, population = d.get("projection"), d.get("population")
            part = _label(projection or population)
            others = tuple(_label(other.partition(" of ")[2]) for other in d.get("alternatives", ()))
            found.append(Finding(name, "defect", d["kind"], part, population, d.get("trial"), d["text"], others))
        if (run.get("statistics") or {}).get("agree") is False:
            differ = [r for r in run["statistics"]["rows"] if r["differs"]]
            found.append(Finding(name, "statistics", differ[0]["measure"], differ[0]["population"], None, None,
                                 "; ".join(f"{r['population']} {r['measure']}: effect {r['effect']:.2g}" for r in differ)))
    return found


def score_correct(number, result):
    """Outcome of a correct script."""
    rows = tuple(_row(number, name, row) for name, row in result["simulators"].items() if name != "exact")
    wrong = [f for name, row in result["simulators"].items() for f in findings(name, row)]
    return Outcome(number, "correct", None, tuple(wrong), (), rows)


def _names(finding, truth, only):
    """Whether the finding's part is the planted one. only: {population: its only projection}."""
    if not truth.parts:
        return finding.kind == "runs"
    if finding.part in truth.parts or set(finding.others) & set(truth.parts):
        return True
    # What cannot be told apart by spike times: a cell's parameter and the weights of the only projection onto it.
    same = [only[part] for part in truth.parts if part in only] + [p for p, label in only.items() if label in truth.parts]
    return finding.source == "defect" and finding.part in same


def score_planted(number, result, plan):
    """Outcome of a planted script; plan: a Planted."""
    truth, right, wrong = plan.place, [], []
    for name, row in result["simulators"].items():
        for finding in findings(name, row):
            if finding.source == "statistics" and name == plan.simulator:
                continue  # they differ in truth
            good = (name == plan.simulator and finding.source in ("difference", "defect") and _names(finding, truth, plan.only)
                    and (truth.trial is None or finding.trial in (None, truth.trial)))
            (right if good else wrong).append(finding)
    if truth.kind.startswith(("spike ", "poisson")) and not right:
        for run in result["simulators"].get(plan.simulator, {}).get("runs", ()):
            of_it = [u for u in run.get("unmatched", ()) if u["population"] in truth.parts]
            right += [Finding(plan.simulator, "unmatched", u["kind"], u["population"], None, None, f"{u['time_ms']} ms")
                      for u in of_it[:1]]
    rows = tuple(_row(number, name, row) for name, row in result["simulators"].items() if name != "exact")
    what = f"{plan.simulator}: {truth.kind} of {' or '.join(truth.parts) or 'a run'}" + (
        "" if truth.trial is None else f" in trial {truth.trial}")
    loosely = bool(right) and not any(f.part in truth.parts or not truth.parts for f in right)
    return Outcome(number, what, bool(right), tuple(wrong), tuple(right), rows, loosely)


def _row(number, name, row):
    run = row["runs"][0] if row["runs"] else {}
    return (number, name, *(run.get(key, "-") for key in ("matched", "missing", "extra", "unexplained")),
            len(run.get("differences", ())), len(run.get("defects", ())), "ok" if not row["failures"] else "FAILED")


def run_one(file, simulators):
    """The dict of comparison.json of one script; a failure of the command is a failure of `exact`."""
    output = file.with_suffix("")
    command = [sys.executable, "-W", "ignore", "-m", "ttfs_pynn", "compare", str(file), "--simulators",
               ",".join(["exact", *simulators]), "--output", str(output), "--overwrite"]
    done = subprocess.run(command, capture_output=True, text=True)
    file.with_suffix(".log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        return _failed(f"status {done.returncode}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return json.loads((output / "comparison.json").read_text(encoding="utf-8"))


def _failed(message):
    return {"simulators": {"exact": {"failures": [{"failure": message}], "runs": []}}}


def _compared(file, simulators):
    try:
        return compared(file, simulators)
    except TTFSError as error:
        return _failed(str(error))


def _numbers(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _results(plans, a, folder):
    """(number, comparison.json as dict) of every script, as they come."""
    files = {number: folder / f"{number:02d}.py" for number in plans}
    for number, plan in plans.items():
        files[number].write_text(script(number) if plan is None else plan.text, encoding="utf-8")
    if a.again or a.together:
        # What a planted script does on the other simulators is what the correct one does.
        run_on = {name: [files[n] for n, plan in plans.items() if plan is None or name in ("exact", plan.simulator)]
                  for name in ("exact", *a.simulators)}
        if not a.again:
            for process in [record_all(of_it, name) for name, of_it in run_on.items()]:
                process.wait()
        for number, file in files.items():
            yield number, _compared(file, [name for name in a.simulators if file in run_on[name]])
        return
    with ThreadPoolExecutor(a.jobs) as pool:
        yield from zip(files, pool.map(lambda file: run_one(file, a.simulators), files.values()), strict=True)


def _judged(plans, a, folder):
    outcomes = []
    for number, result in _results(plans, a, folder):
        plan = plans[number]
        outcome = score_correct(number, result) if plan is None else score_planted(number, result, plan)
        verdict = "as it should be" if outcome.passed else "WRONG" if outcome.wrong else "NOT FOUND"
        print(f"{number:3d}  {outcome.what}: {verdict}", flush=True)
        outcomes.append(outcome)
    return outcomes


def report(outcomes, is_planted):
    """Lines: the table, the scripts that are not as they should be with what was said, totals."""
    yield ""
    names, widths = ("matched", "missing", "extra", "unexplained", "differences", "defects"), (8, 8, 6, 12, 12, 8)
    yield f"{'script':>6} {'simulator':<10}" + "".join(f"{n:>{w}}" for n, w in zip(names, widths, strict=True)) + "  run"
    for outcome in outcomes:
        for number, name, *values, status in outcome.rows:
            figures = "".join(f"{v:>{w}}" for v, w in zip(values, widths, strict=True))
            yield f"{number:6d} {name:<10}{figures}  {status}"
    for outcome in outcomes:
        if not outcome.passed:
            yield ""
            yield f"script {outcome.number}, {outcome.what}" + (": NOT FOUND" if outcome.found is False else "")
            yield from (f"  wrong: {f}" for f in outcome.wrong)
            yield from (f"  right: {f}" for f in outcome.right)
    yield ""
    failed = sum(any(f.source == "failure" for f in o.wrong) for o in outcomes)
    blamed = sum(any(f.source in ("difference", "defect") for f in o.wrong) for o in outcomes)
    differ = sum(any(f.source == "statistics" for f in o.wrong) for o in outcomes)
    yield f"{len(outcomes)} scripts: {failed} with a failure, {differ} with distributions wrongly said to differ"
    if is_planted:
        found, loosely = sum(o.found for o in outcomes), sum(o.loosely for o in outcomes)
        yield f"found {found} of {len(outcomes)} ({loosely} as what a defect may also be), blamed on another part in {blamed}"
        hidden = [o for o in outcomes if "hidden" in o.what]
        yield f"of those that are not in what PyNN reports: {sum(o.found for o in hidden)} of {len(hidden)}"
    else:
        yield f"a difference or defect named in {blamed} of {len(outcomes)} correct scripts"


def main(arguments=None):
    """Exit status 1 unless all is as it should be (35 of 40 planted ones found, in proportion)."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--scripts", default="0-39", metavar="A-B", help="numbers (default 0-39; any number is a script)")
    p.add_argument("--simulators", default=",".join(SIMULATORS), metavar="A,B", help="default %(default)s")
    p.add_argument("--planted", action="store_true", help="scripts with a defect each")
    p.add_argument("--keep", type=Path, metavar="DIR", help="keep scripts and comparisons there")
    p.add_argument("--together", action="store_true", help="all scripts in one process a simulator (quick, to work with)")
    p.add_argument("--again", action="store_true", help="compare and score what --together left in --keep DIR, run no simulator")
    p.add_argument("--jobs", type=int, default=1, metavar="N", help="comparisons at a time (default 1)")
    a = p.parse_args(arguments)
    a.simulators = a.simulators.split(",")
    if a.again and not a.keep:
        p.error("--again needs --keep DIR")
    plans = {number: planted(number) if a.planted else None for number in _numbers(a.scripts)}
    plans = {number: plan for number, plan in plans.items() if plan is None or plan.simulator in a.simulators}
    with tempfile.TemporaryDirectory() if a.keep is None else contextlib.nullcontext(a.keep) as folder:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = _judged(plans, a, folder)
    print("\n".join(report(outcomes, a.planted)))
    found = sum(o.found for o in outcomes) if a.planted else len(outcomes)
    return int(found * 40 < 35 * len(outcomes) or any(o.wrong for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
