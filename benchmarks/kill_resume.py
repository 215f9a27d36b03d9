"""Kill training runs at random moments and resume them: `python -m benchmarks.kill_resume [--kills 50] [--epochs 6]`.

Each run is a process of its own that gets SIGKILL at a random moment between its start and the time that the undisturbed run
took; `--resume` must end with weights equal to the last bit.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ttfs_pynn.results import RunFolder


def _start(folder, epochs, *options):
    command = [sys.executable, "-m", "protocols.train", "yin_yang", "--epochs", str(epochs), "--seed", "5", "--quiet",
               "--output", str(folder), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _finish(process):
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(errors)


def _digest(folder):
    weights = RunFolder.open(folder).read_weights()
    return hashlib.sha256(b"".join(np.ascontiguousarray(weights[name]).tobytes() for name in sorted(weights))).hexdigest()


def undisturbed(folder, epochs):
    """(digest of the weights, seconds) of a run that nobody kills."""
    begin = time.perf_counter()
    _finish(_start(folder, epochs))
    return _digest(folder), time.perf_counter() - begin


def killed_and_resumed(folder, epochs, seconds):
    """Digest of the weights of a run that is killed after `seconds` and then resumed."""
    process = _start(folder, epochs)
    time.sleep(seconds)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    _finish(_start(folder, epochs, "--resume"))
    return _digest(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        expected, seconds = undisturbed(Path(temporary) / "whole", arguments.epochs)
        print(f"undisturbed run: {seconds:.1f} s", flush=True)
        same = 0
        for k in range(arguments.kills):
            moment = rng.uniform(0, seconds)
            same += killed_and_resumed(Path(temporary) / f"run{k}", arguments.epochs, moment) == expected
            print(f"kill {k + 1} after {moment:.2f} s: {same} of {k + 1} bit-identical", flush=True)


if __name__ == "__main__":
    main()
