"""PyNN's own tests on the exact backend. `python -m benchmarks.pynn_scenarios PATH_OF_A_CLONE_OF_PYNN [--verbose]`

The wheel of PyNN has no tests: clone https://github.com/NeuralEnsemble/PyNN. The system scenarios run with this backend in place
of the simulators that they name, the unit tests with it in place of pyNN.mock. Nothing is changed in the tests. Those
that do not apply are listed with the reason each; everything else must pass. The exit status says whether it did.
"""

import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.pynn_not_applicable import reason_for

_LINE = re.compile(r"^(PASSED|FAILED|SKIPPED|ERROR|XFAIL|XPASS) (\S+?::\S+)(?: - (.*))?")
UNIT_TESTS = ("assembly", "connectors_serial", "descriptions", "idmixin", "lowlevelapi", "parameters",
              "population", "populationview", "projection", "recording", "simulation_control", "space", "standardmodels",
              "files", "core", "random", "utility_functions")


def pytest_configure(config):
    """This module is also the plugin of the pytest that runs PyNN's tests."""
    import pyNN

    import ttfs_pynn.exact
    from benchmarks import pynn_stand_ins
    pynn_stand_ins.install()
    # A test imports `pyNN.<name>`.
    for name in ("mock", "exact"):
        sys.modules[f"pyNN.{name}"] = ttfs_pynn.exact
        setattr(pyNN, name, ttfs_pynn.exact)
    for name in ("simulator", "standardmodels", "populations", "projections", "recording", "control"):
        sys.modules[f"pyNN.mock.{name}"] = __import__(f"ttfs_pynn.exact.{name}", fromlist=[name])
    sys.path.insert(0, os.getcwd())
    from test.system.scenarios import fixtures
    original = fixtures.run_with_simulators
    fixtures.run_with_simulators = lambda *names: original("exact")


def run(tests, directory):
    """{test: (outcome, message)} of the test files."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=line", "-p", "no:cacheprovider",
               "-p", "benchmarks.pynn_scenarios", *tests]
    output = subprocess.run(command, cwd=directory, env=environment | {"COLUMNS": "300"}, capture_output=True, text=True).stdout
    found = {m[2]: (m[1], m[3] or "") for m in map(_LINE.match, output.splitlines()) if m}
    if not found:
        raise SystemExit(f"no test ran:\n{output[-2000:]}")
    return found


def report(title, outcomes, verbose):
    """Print a table; the tests that should have passed and did not."""
    reasons, bad = collections.defaultdict(list), []
    passed = [name for name, (outcome, _) in outcomes.items() if outcome == "PASSED"]
    for name, (outcome, message) in outcomes.items():
        if outcome == "PASSED":
            continue
        reason = reason_for(name, message)
        if reason:
            reasons[reason].append(name)
        else:
            bad.append(f"{name}: {outcome} {message}")
    print(f"{title}: {len(passed)} passed, {sum(map(len, reasons.values()))} do not apply, {len(bad)} failed")
    for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"  {len(names):3d}  {reason}")
        if verbose:
            print("".join(f"         {name}\n" for name in names), end="")
    print("".join(f"  FAILED {line}\n" for line in bad), end="")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="a clone of PyNN's repository")
    parser.add_argument("--verbose", action="store_true", help="name the tests that do not apply")
    a = parser.parse_args()
    if not (a.path / "test" / "system" / "scenarios").is_dir():
        parser.error(f"{a.path} has no test/system/scenarios; give a clone of https://github.com/NeuralEnsemble/PyNN")
    with tempfile.TemporaryDirectory() as directory:
        # Only the tests: the pyNN beside them would hide the one that is installed.
        shutil.copytree(a.path / "test", Path(directory) / "test")
        (Path(directory) / "test" / "__init__.py").touch()
        bad = report("system scenarios", run(["test/system/scenarios"], directory), a.verbose)
        files = [f"test/unittests/test_{name}.py" for name in UNIT_TESTS]
        bad += report("unit tests of the mock backend",
                      run([f for f in files if (Path(directory) / f).exists()], directory), a.verbose)
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
