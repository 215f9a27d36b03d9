"""The BrainScaleS-2 vendor's tests, examples and demos on the emulated adapter.

    python -m benchmarks.vendor_scripts --adapter CLONE_OF_PYNN_BRAINSCALES --demos CLONE_OF_BRAINSCALES2_DEMOS

The clones are https://github.com/electronicvisions/pynn-brainscales and https://github.com/electronicvisions/brainscales2-demos.
Only imports are changed, in temporary copies. Each item runs in a process of its own: a test file in pytest, an example as a
program, a demo cell by cell (see `notebook_cells` for the cells that are left out and `notebook_stand_ins` for what replaces the
notebook server). An item does not apply if it runs something that is outside of the adapter's emulation, by what its source uses;
it is run all the same, but only the others decide the exit status. `--list` prints the items without running them.
"""

import argparse
import collections
import dataclasses
import getpass
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

from benchmarks import notebook_cells

IMPORTS = (
    (r"\bpynn_brainscales\.brainscales2\.examples\b", "vendor_examples"),
    (r"\bpynn_brainscales\.brainscales2\b", "ttfs_pynn.brainscales2"),
    (r"\bfrom pynn_brainscales import\b", "from ttfs_pynn.brainscales2 import"),
    (r"\bdlens_vx_v3\b", "ttfs_pynn.brainscales2.dlens"),
    (r"\bpyhalco_hicann_dls_vx_v3\b", "ttfs_pynn.brainscales2.dlens.halco"),
)
# What an item uses, whether it has to be more than mapped (`run(None, PREPARE)`) for that, and the reason.
CLASSES = (
    (r"\bhxtorch\b|\bhxsnn\b", False, "hxtorch"),
    (r"\bPlasticityRule\b|\bPlasticSynapse\b|\bStaticRecordingSynapse\b|\bpynn\.Timer\b", False, "plasticity processor"),
    (r"\b(adaptation|exponential)_enable\b\s*=", True, "AdEx dynamics"),
    (r"\bcreate_mc_neuron\b|\bbrainscales2\.morphology\b|\bmulticompartment_\w+", True, "multi-compartment dynamics"),
    (r"\bcalix\b|\bpygrenade_vx\b|\bChipPlotter\b|\bOffChipSource\b", False, "low-level access"),
    (r"\bsta\.\w+Builder\b|\bInjected(Configuration|Readout)\b", True, "low-level access"),
)
CONTRADICTIONS = {"ts_06-dynamic_range": "it sets a parameter before mapping with an initial configuration, which the vendor's "
                                         "adapter refuses and its test sw/population wants refused"}
_RUNS = re.compile(r"\b(pynn|sim)\.run\((?!\s*None,\s*(command=)?\s*pynn\.RunCommand\.PREPARE)")


@dataclasses.dataclass
class Item:
    name: str
    kind: str
    path: Path
    command: list
    reason: str  # why it does not apply; empty if it does
    result: str = "not run"
    seconds: float = 0.
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)


def rewrite(source):
    """The source with the vendor's modules replaced by the emulation's."""
    for pattern, replacement in IMPORTS:
        source = re.sub(pattern, replacement, source)
    return source


def reason_for(source):
    """Why a source does not apply to the emulation; empty if it does."""
    runs = _RUNS.search(source)
    return next((reason for pattern, needs_run, reason in CLASSES if re.search(pattern, source) and (runs or not needs_run)), "")


def _copy(path, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(rewrite(path.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def adapter_items(clone, folder):
    """Tests and examples of a clone of pynn-brainscales, copied to `folder`."""
    root = Path(clone) / "brainscales2"
    sources = {}
    for path in sorted((root / "pynn_brainscales" / "brainscales2" / "examples").glob("*.py")):
        target = _copy(path, folder / "vendor_examples" / path.name)
        if path.stem != "__init__":
            sources[path.stem] = path.read_text(encoding="utf-8")
            yield Item(path.stem, "example", target, [sys.executable, "-m", f"vendor_examples.{path.stem}"],
                       reason_for(sources[path.stem]))
    for path in sorted((root / "test").glob("*/*.py")):
        target = _copy(path, folder / "tests" / path.parent.name / path.name)
        text = path.read_text(encoding="utf-8")
        # A test that calls an example needs what the example needs.
        text += "".join(source for name, source in sources.items() if re.search(rf"\bexamples(\.| import ){name}\b", text))
        name = f"{path.parent.name}/{re.sub('^(pynn_brainscales2_)?test_', '', path.stem)}"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
        yield Item(name, "test", target, [*command, "--junitxml=result.xml", str(target)], reason_for(text))


def demo_items(clone, folder):
    """Demos of a clone of brainscales2-demos that have code, as scripts in `folder` beside their static files."""
    shutil.copytree(Path(clone) / "_static", folder / "_static")
    # The documentation's build puts it there.
    if (Path(clone) / "matplotlibrc").exists() and not (folder / "_static" / "matplotlibrc").exists():
        shutil.copy(Path(clone) / "matplotlibrc", folder / "_static")
    for path in (folder / "_static").rglob("*.py"):
        _copy(path, path)
    seen = set()
    for path in sorted(Path(clone).glob("*.rst")):
        script = notebook_cells.join(notebook_cells.cells(path.read_text(encoding="utf-8"), clone))
        # What others include is no notebook itself, and several courses include the same task.
        if not script or path.name.startswith("common_") or script in seen:
            continue
        seen.add(script)
        target = folder / f"{path.stem}.py"
        target.write_text(rewrite(script), encoding="utf-8")
        reason = reason_for(script)
        if not reason and not re.search(r"\bpynn\b|_static\.common\.helpers", script):
            reason = "does not use the adapter"
        yield Item(path.stem, "demo", target,
                   [sys.executable, "-m", "benchmarks.notebook_stand_ins", str(target), "result.json"], reason)


def environment(folder):
    """A process sees the copies, this repository, and a hardware connection as far as environment variables say so."""
    root = str(Path(__file__).parents[1])
    paths = [str(folder), root, *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "MPLBACKEND": "Agg", "COLUMNS": "300",
                              "QUIGGELDY_IP": "127.0.0.1", "QUIGGELDY_PORT": "1"}
    variables.setdefault("USER", getpass.getuser())
    elsewhere = {"LAB_IMAGE_NAME", "LAB_KERNEL_NAME", "SLURM_FPGA_IPS"}
    return {name: value for name, value in variables.items() if name not in elsewhere}


def _read_tests(item, path):
    """Outcomes and the first line of each failure from pytest's XML."""
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        bad = [child for child in case if child.tag in {"failure", "error"}]
        name = f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}"
        if bad:
            item.failed += 1
            # A module that does not import has the message in its last lines.
            raised = re.findall(r"^E\s+(\S.*)$", bad[0].text or "", re.MULTILINE)
            message = bad[0].get("message", "").splitlines() or [""]
            item.failures.append(f"{name}: {raised[-1] if 'collection' in message[0] and raised else message[0]}")
        elif any(child.tag == "skipped" for child in case):
            item.skipped += 1
        else:
            item.passed += 1


def _read_demo(item, path):
    outcome = json.loads(path.read_text(encoding="utf-8"))
    item.passed, item.failed, item.skipped = outcome["ran"], int(outcome["failure"] is not None), len(outcome["left_out"])
    item.notes = [f"cell {number} of {outcome['cells']} left out: {reason}" for number, reason in outcome["left_out"]]
    if outcome["failure"]:
        item.failures = [f"{outcome['failure']} (of {outcome['cells']}), at `{outcome['where']}`"]


def run(item, folder, timeout):
    """Run an item in a directory of its own and fill in its result."""
    directory = folder / "runs" / item.kind / item.name
    directory.mkdir(parents=True)
    if item.kind == "demo":
        (directory / "_static").symlink_to(item.path.parent / "_static")
    environ = environment(directory if item.kind == "demo" else folder)
    start = time.monotonic()
    try:
        process = subprocess.run(item.command, cwd=directory, env=environ, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        item.result, item.seconds, item.failures = "timeout", timeout, [f"not finished after {timeout} s"]
        return
    item.seconds = time.monotonic() - start
    read, path = (_read_tests, directory / "result.xml") if item.kind == "test" else (_read_demo, directory / "result.json")
    if path.exists():
        read(item, path)
    if process.returncode and not item.failures:
        last = [line for line in (process.stderr or process.stdout).splitlines() if line.strip()]
        item.failed, item.failures = 1, [last[-1] if last else f"exit status {process.returncode}"]
    elif item.kind == "example" and not process.returncode:
        item.passed = 1
    if item.name in CONTRADICTIONS and any("RuntimeError" in line for line in item.failures):
        item.notes.append(CONTRADICTIONS[item.name])
    item.result = "failed" if item.failed else "passed" if item.passed else "skipped"


def row(item):
    counts = f" ({item.passed} passed, {item.failed} failed, {item.skipped} skipped)" if item.kind != "example" else ""
    return (f"{item.name:38s} {item.kind:8s} {item.reason or 'applicable':27s} "
            f"{item.result + (counts if item.result not in {'not run', 'timeout'} else ''):46s} {item.seconds:6.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, help="a clone of pynn-brainscales")
    parser.add_argument("--demos", type=Path, help="a clone of brainscales2-demos")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="items whose names contain one of these")
    parser.add_argument("--applicable", action="store_true", help="leave out what does not apply")
    parser.add_argument("--list", action="store_true", help="print the items and classes, run nothing")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--timeout", type=float, default=300., help="seconds for an item (default: 300)")
    parser.add_argument("--keep", type=Path, help="a new directory for the rewritten copies, which stays")
    a = parser.parse_args()
    if not a.adapter and not a.demos:
        parser.error("give --adapter, --demos or both")
    for clone, inside in ((a.adapter, "brainscales2/test"), (a.demos, "_static/common")):
        if clone and not (clone / inside).is_dir():
            parser.error(f"{clone} has no {inside}; give a clone of the vendor's repository")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (a.keep or Path(temporary)).resolve()
        (folder / "demos").mkdir(parents=True, exist_ok=a.keep is None)
        items = [*(adapter_items(a.adapter, folder) if a.adapter else ()),
                 *(demo_items(a.demos, folder / "demos") if a.demos else ())]
        items = [item for item in items if (not a.only or any(name in item.name for name in a.only))
                 and not (a.applicable and item.reason)]
        print(f"{'item':38s} {'kind':8s} {'class':27s} {'result':46s} seconds")
        for item in items:
            if not a.list:
                run(item, folder, a.timeout)
            print(row(item), flush=True)
            print("".join(f"    {line}\n" for line in [*item.notes, *item.failures]), end="", flush=True)
    for kind in ("test", "example", "demo"):
        counts = collections.Counter(item.result for item in items if item.kind == kind and not item.reason)
        apart = collections.Counter(item.reason for item in items if item.kind == kind and item.reason)
        print(f"{kind}s: {counts.total()} applicable {dict(counts)}, {apart.total()} not {dict(apart)}")
    if a.json:
        a.json.write_text(json.dumps([dataclasses.asdict(item) | {"path": None, "command": None} for item in items], indent=1),
                          encoding="utf-8")
    raise SystemExit(any(item.result in {"failed", "timeout"} and not item.reason for item in items))


if __name__ == "__main__":
    main()
