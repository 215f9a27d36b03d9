"""Seconds an epoch beside another version's: `python -m benchmarks.against_version CHECKOUT --python PYTHON [--threads 1]`.

Both versions train the same models (`--cases MODEL:BACKEND:EPOCHS ...`) by their commands, in turn, each in a process of its own;
the fastest epoch after the first counts, which compiles. Version 0.1.0 is `git checkout ceb8671`, PYTHON one that can import it.
With one thread on an idle machine these are CPU times as good as those of the clock; the load of the machine is printed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = ("mnist:arrays:3", "mnist:exact:3", "yin_yang:arrays:5", "yin_yang:exact:5")
COMMANDS = (("ttfs_pynn.protocols.train",), ("protocols.train",))  # today's, and that of versions before 0.2.0


def command_of(checkout, python):
    """The module that trains in a checkout."""
    new = (Path(checkout) / "ttfs_pynn" / "commands").is_dir()
    return [python, "-m", *COMMANDS[0 if new else 1]]


def seconds(command, checkout, model, backend, epochs, threads):
    """Of the fastest epoch after the first."""
    environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "run"
        done = subprocess.run([*command, model, "--backend", backend, "--epochs", str(epochs), "--output", str(output),
                               "--quiet"], cwd=checkout, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)} {model} in {checkout} ended with status {done.returncode}: "
                     f"{(done.stderr.strip() or 'it said nothing').splitlines()[-1]}")
        history = json.loads((output / "history.json").read_text(encoding="utf-8"))
    return min(record["seconds"] for record in history[1:])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", help="of the other version")
    parser.add_argument("--python", default=sys.executable, help="that can import the other version (default: this one)")
    parser.add_argument("--cases", nargs="+", default=CASES, metavar="MODEL:BACKEND:EPOCHS", help=f"(default {' '.join(CASES)})")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    a = parser.parse_args(arguments)
    if not (Path(a.checkout) / "ttfs_pynn").is_dir():
        parser.error(f"{a.checkout} is no checkout of ttfs_pynn; give the folder that holds ttfs_pynn/")
    try:
        cases = [(model, backend, int(epochs)) for model, backend, epochs in (case.split(":") for case in a.cases)]
    except ValueError:
        cases = []
    if not cases or min(epochs for *_, epochs in cases) < 2 or min(a.threads, a.repeats) < 1:
        parser.error("give --cases as MODEL:BACKEND:EPOCHS with two epochs or more, and counts of at least 1")
    here = Path(__file__).resolve().parents[1]
    sides = {"other": (command_of(a.checkout, a.python), a.checkout), "this": (command_of(here, sys.executable), here)}
    print(f"threads {a.threads}, load of the machine {os.getloadavg()[0]:.1f}")
    for model, backend, epochs in cases:
        found = {name: [] for name in sides}
        for repeat in range(a.repeats):
            for name in (sides if repeat % 2 == 0 else reversed(sides)):
                found[name].append(seconds(*sides[name], model, backend, epochs, a.threads))
        other, this = min(found["other"]), min(found["this"])
        spread = " ".join(f"{one / two:.2f}" for one, two in zip(found["other"], found["this"], strict=True))
        print(f"{model} on {backend}: {other:.3f} s and {this:.3f} s an epoch, {other / this:.2f} times as fast ({spread})")


if __name__ == "__main__":
    main()
