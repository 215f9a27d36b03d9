"""Stop training runs at random moments and resume them: `python -m benchmarks.kill_resume [--kills 60] [--epochs 3]`.

Each run is a process of its own that gets SIGKILL, SIGTERM or SIGINT, in turn, at a random moment between its start and the
time that the undisturbed run took; `--resume` must end with weights equal to the last bit. Printed is a row a signal: how many
runs ended with the same bits, and how the processes ended: the exit status is 130 or 143 where the program said how to go on;
before it has imported what it needs a signal ends it as it ends any Python program.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from ttfs_pynn.runs.folder import RunFolder


def _start(folder, epochs, *options):
    command = [sys.executable, "-m", "ttfs_pynn.protocols.train", "yin_yang", "--epochs", str(epochs), "--seed", "5", "--quiet",
               "--output", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _finish(process):
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(errors)


def _digest(folder):
    found = RunFolder.open(folder).read_parameters()
    return hashlib.sha256(b"".join(np.ascontiguousarray(found[name]).tobytes() for name in sorted(found))).hexdigest()


def undisturbed(folder, epochs):
    """(digest of the weights, seconds) of a run that nobody kills."""
    begin = time.perf_counter()
    _finish(_start(folder, epochs))
    return _digest(folder), time.perf_counter() - begin


def killed_and_resumed(folder, epochs, seconds, number=signal.SIGKILL):
    """(digest of the weights, exit status, standard error) of a run that gets a signal after `seconds` and is then resumed."""
    process = _start(folder, epochs)
    time.sleep(seconds)
    if process.poll() is None:
        os.kill(process.pid, number)
    _, errors = process.communicate()
    _finish(_start(folder, epochs, "--resume"))
    return _digest(folder), process.returncode, errors


def _end(status, errors):
    """How a process ended, in words."""
    if status == 0:
        return "had ended"
    if status > 128:
        return f"status {status}, {'one line' if errors.count(chr(10)) == 1 and '--resume' in errors else 'OTHER TEXT'}"
    return "by the signal" if "Traceback" not in errors else "by the signal, while importing"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it, and so would the runs
    rng, signals = np.random.default_rng(0), (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    same, ends = Counter(), {number: Counter() for number in signals}
    with tempfile.TemporaryDirectory() as temporary:
        undisturbed(Path(temporary) / "first", arguments.epochs)  # compiles, which no later run does
        expected, seconds = undisturbed(Path(temporary) / "whole", arguments.epochs)
        print(f"undisturbed run: {seconds:.1f} s", flush=True)
        for k in range(arguments.kills):
            moment, number = rng.uniform(0, seconds), signals[k % len(signals)]
            digest, status, errors = killed_and_resumed(Path(temporary) / f"run{k}", arguments.epochs, moment, number)
            same[number] += digest == expected
            ends[number][_end(status, errors)] += 1
            print(f"{k + 1}: {number.name} after {moment:.2f} s, {_end(status, errors)}; {same.total()} of {k + 1} bit-identical",
                  flush=True)
    for number in signals:
        total = ends[number].total()
        print(f"{number.name:<8} {same[number]} of {total} bit-identical   "
              + ", ".join(f"{count} {text}" for text, count in ends[number].most_common()))


if __name__ == "__main__":
    main()
