"""Every command in a folder with planted files: `python -m benchmarks.planted_files [--only NAME] [--slow]`.

The run folder that a command is called in holds numpy.py, ttfs_pynn.py, models.py, sitecustomize.py and others, and the files
that packages run by themselves (Brian2's preferences, a library of mechanisms for NEURON, Numba's configuration). Each of them
leaves a mark where it is executed. Right is no mark, and that the command succeeds.
"""

import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ttfs_pynn.commands.entry_point import commands

MODULES = ("numpy", "ttfs_pynn", "models", "sitecustomize", "usercustomize", "protocols", "analysis", "scipy", "numba",
"matplotlib",
           "neo", "nixio", "h5py", "pyNN", "quantities", "brian2", "sympy", "nest", "neuron", "distributed", "dask", "nir",
           "tqdm",
           "filelock", "json", "random", "runpy", "importlib", "threading", "shtab", "yaml", "tomli_w", "elephant")
LIBRARY = """
#include <stdio.h>
__attribute__((constructor)) static void begin(void) {{
    FILE *f = fopen("{mark}", "a");
    fputs("libnrnmech.so\\n", f);
    fclose(f);
}}
void modl_reg(void) {{ }}
"""


def plant(folder, mark):
    """Put the files there; each appends its name to the file `mark` where it is executed."""
    folder = Path(folder)
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'a').write('{name}.py\\n')\n")
    code = f"open({str(mark)!r}, 'a').write('brian_preferences ')"
    (folder / "brian_preferences").write_text(f"codegen.target = {code} and 'numpy'\n")
    (folder / ".numba_config.yaml").write_text(f"cache_dir: {mark}.cache\n")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler and sys.platform.startswith("linux"):
        place = folder / "x86_64"
        place.mkdir(exist_ok=True)
        (place / "library.c").write_text(LIBRARY.format(mark=mark))
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(place / "libnrnmech.so"), str(place / "library.c")], check=True)


def executed(mark):
    """Names of what was executed since `plant`."""
    found = Path(mark).read_text().split() if Path(mark).exists() else []
    return sorted({*found, *([".numba_config.yaml"] if Path(f"{mark}.cache").exists() else [])})


def base(folder):
    """A finished run, folder/run, and what other commands draw, folder/things."""
    from ttfs_pynn.protocols import compare, early_spikes, train
    things = Path(folder) / "things"
    things.mkdir(parents=True)
    with contextlib.redirect_stdout(io.StringIO()):
        train.main(["yin_yang", "--backend", "exact", "--epochs", "1", "--quiet", "--output", str(folder / "run")])
        compare.main([str(folder / "run"), "--simulators", "exact,brian2", "--samples", "3", "--output",
                                 str(things / "out")])
        early_spikes.main(["yin_yang", "--alpha", "0.005", "--xi", "none", "--difference", "none", "--epochs", "1", "--seeds",
                           "0", "--output", str(things / "early.json")])
    shutil.copy(folder / "run" / "spikes" / "after_layer0.nix", things / "spikes.nix")
    _membrane(things / "v.nix")
    results = Path(__file__).resolve().parents[1] / "results"
    (things / "results").mkdir()
    shutil.copy(results / "yin_yang.json", things / "results")
    return folder


def _membrane(path):
    import neo
    import numpy as np
    from quantities import ms, mV

    from ttfs_pynn.files.nix_files import write_block
    block, segment = neo.Block(name="cell"), neo.Segment()
    segment.analogsignals.append(neo.AnalogSignal(np.linspace(-65, -60, 50)[:, None], units=mV, sampling_period=0.1 * ms,
    name="v"))
    block.segments.append(segment)
    write_block(path, block)


def arguments(name):
    """What a command gets in a run folder that holds copies of `things`; None: it takes long."""
    return {
        "new": ["my_task"], "train": ["yin_yang", "--epochs", "1", "--quiet", "--output", "new_run"],
        "evaluate": [".", "--backend", "brian2", "--samples", "3"],
        "compare": [".", "--simulators", "exact,brian2,nest,neuron", "--samples", "3", "--output", "new_out"],
        "characterise": ["--neurons", "2", "--repetitions", "2", "--output", "new.npz"],
        "transfer": [".", "--chips", "1", "--epochs", "0", "--output", "transfer.json"],
        "reproduce": ["yin_yang_30", "--quick", "--seeds", "1", "--results", "new_results", "--runs", "new_runs"],
        "demo": ["--epochs", "1", "--samples", "3", "--output", "new_demo"], "completion": ["bash"], "report": ["."],
        "raster": ["things/spikes.nix"], "export": [".", "--output", "new.nir"],
        "robustness": ["--quick", "--results", "new_results", "--runs", "new_runs"],
        "early_spikes": ["yin_yang", "--alpha", "0.005", "--xi", "none", "--difference", "none", "--epochs", "1", "--seeds", "0",
                         "--output", "new_early.json"],
        "comparison_report": ["things/out"], "decision_map": ["."], "decision_time": [".", "--output", "new.png"],
        "early_spikes_figure": ["things/early.json"], "error_against_dt": ["things/out", "--output", "new.png"],
        "latency_histogram": ["."], "latency_over_training": ["."], "learning_curve": ["."], "membrane": ["things/v.nix"],
        "results_page": ["things/results"], "robustness_figure": ["--help"], "spike_statistics": ["things/spikes.nix"],
        "tuning": ["things/out/records/exact_0.1.npz", "--population", "layer0", "--output", "new.png"],
        "weight_histogram": ["."]}.get(name, ["--help"])


def called(name, source, folder, more=()):
    """(status, last line of what was said, what was executed) of a command in a copy of the run folder with planted files."""
    run_folder = Path(folder) / "run"
    shutil.copytree(source / "run", run_folder)
    shutil.copytree(source / "things", run_folder / "things")
    mark = Path(folder) / "mark"
    plant(run_folder, mark)
    script = Path(sys.executable).with_name("ttfs-pynn")
    command = [str(script)] if script.exists() else [sys.executable, "-P", "-m", "ttfs_pynn"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*command, name, *arguments(name), *more], cwd=run_folder, capture_output=True, text=True, timeout=900,
                          env=environment, stdin=subprocess.DEVNULL)
    return done.returncode, (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2], executed(mark)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append")
    parser.add_argument("--slow", action="store_true", help="also robustness, which takes minutes")
    a = parser.parse_args()
    wrong = n = 0
    with tempfile.TemporaryDirectory() as temporary:
        source = base(Path(temporary) / "base")
        for name in commands():
            if (a.only and name not in a.only) or (name == "robustness" and not a.slow):
                continue
            folder = Path(temporary) / name
            folder.mkdir()
            status, said, found = called(name, source, folder)
            shutil.rmtree(folder)
            n, wrong = n + 1, wrong + bool(found or status)
            failed = f"; {said[:150]}" if status else ""
            print(f"{name:<24}status {status}, executed: {', '.join(found) or 'nothing'}{failed}", flush=True)
    print(f"{n - wrong} of {n} commands executed nothing of the folder and succeeded")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
