"""Which lines of ttfs_pynn do the tests run? `python -m benchmarks.line_coverage` (pip install coverage; half an hour).

Coverage does not see inside compiled functions. So the default suite runs as always, and then, without compilation, tests that
are quick enough for it, which show the lines of the kernels. Printed is the table of both together, by file, and the sum.
"""

import argparse
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = "tests/event_driven/test_block_kernels.py::test_"
INTERPRETED = (
    "tests/first_spike", "tests/comparison", "tests/event_driven", "tests/test_optimizer.py",
    "-m", "not slow", "-k", "not any_number_of_threads and not test_block_kernels and not (test_layer_kernels and 90)",
)
SOME_BLOCKS = (BLOCKS + "spikes_and_state[10.0-2.0-0.0]", BLOCKS + "spikes_and_state[10.0-40.0-200.0]",
               BLOCKS + "neurons_of_all_kinds[False-2.0-0.0-600]", BLOCKS + "neurons_of_all_kinds[False-2.0-0.0-6000]",
               BLOCKS + "neurons_of_all_kinds[True-40.0-200.0-60]")
CONFIGURATION = """[run]
source = {source}
data_file = {folder}/data
parallel = True
concurrency = thread, multiprocessing
sigterm = True
patch = subprocess
"""


def run(configuration, arguments, **environment):
    """pytest under coverage in a process of its own. Returns its exit status."""
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={configuration}", "-m", "pytest", "-q", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep what was measured there; parts that are there are not "
                        "run again (default: a temporary folder)")
    a = parser.parse_args()
    if importlib.util.find_spec("coverage") is None:
        raise SystemExit("coverage is not installed: python -m pip install coverage")
    with contextlib.ExitStack() as stack:
        folder = (a.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        plain, parts = {"NUMBA_DISABLE_JIT": "1"}, []
        for name, arguments, environment in (("suite", ["-m", "not slow"], {}), ("interpreted", INTERPRETED, plain),
                                             ("blocks", SOME_BLOCKS, plain)):
            parts.append(folder / name)
            if not parts[-1].exists():
                parts[-1].mkdir(parents=True)
                configuration = parts[-1] / "rc"
                configuration.write_text(CONFIGURATION.format(source=ROOT / "ttfs_pynn", folder=parts[-1]), encoding="utf-8")
                print(f"{name}: pytest ended with {run(configuration, arguments, **environment)}", flush=True)
        whole = f"--data-file={folder / 'data'}"
        for command in (["combine", "--keep", "--quiet", whole, *map(str, parts)],
                        ["report", whole, "--sort=miss", "--show-missing"]):
            subprocess.run([sys.executable, "-m", "coverage", *command], check=True, cwd=ROOT)


if __name__ == "__main__":
    main()
