"""Disks that fill up, quotas, read-only folders: `python -m benchmarks.full_disk [--runs 12]` (Linux, as root).

Yin-Yang is trained for two epochs on a small file system (tmpfs), with a random limit on the size of a file (RLIMIT_FSIZE),
on a read-only file system, in a folder that becomes immutable (chattr) at a random fsync or rename, with the quota exceeded at
one (EDQUOT). Each must end with status 2 and one line, and leave a last checkpoint that loads wherever an epoch was saved; with
room again, `--resume` must end with the bits of an undisturbed run.
"""

import argparse
import contextlib
import errno
import io
import os
import re
import resource
import subprocess
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from ttfs_pynn.commands.command_line import run
from ttfs_pynn.protocols import train
from ttfs_pynn.runs.experiment import FREE
from ttfs_pynn.runs.folder import RunFolder


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    """A tmpfs of that size at `folder` while the block lasts; yields a function that gives it other mount options."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], check=True, capture_output=True)
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextlib.contextmanager
def largest_file(kilobytes):
    """No file may grow beyond."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def from_call(number, act):
    """`act` is called in place of the number-th fsync or rename; where it returns, the call goes on."""
    calls, fsync, replace = [0], os.fsync, os.replace

    def counted(original):
        def call(*arguments):
            calls[0] += 1
            if calls[0] == number:
                act()
            return original(*arguments)
        return call

    with mock.patch.object(os, "fsync", counted(fsync)), mock.patch.object(os, "replace", counted(replace)):
        yield


def _quota():
    raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


def command(folder, *options):
    """(exit status, what went to standard error) of a training run in this process."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            run(train.main, ["yin_yang", "--epochs", "2", "--seed", "5", "--quiet", "--output", str(folder), *options])
        except SystemExit as stop:
            return stop.code, errors.getvalue()


def parameters(folder):
    return RunFolder.open(folder).read_parameters()


def failed_and_resumed(folder, trouble, expected, heal=lambda: None):
    """What became of a run under the context `trouble`: a dict of outcomes, after `heal()` and --resume."""
    with trouble:
        status, text = command(folder)
    found = {"status": status, "text": text.strip(), "one line": status == 0 or (status == 2 and text.count("\n") == 1)}
    heal()
    if RunFolder.exists(folder):
        run_folder = RunFolder.open(folder, free=FREE)
        found["epochs"] = run_folder.load_checkpoint()[1]["epoch"] if run_folder.has_checkpoint else 0
    status, text = command(folder, "--resume")
    found["same"] = status == 0 and all((parameters(folder)[name] == w).all() for name, w in expected.items())
    if not found["same"]:
        found["text"] += f"; then status {status}, {text.strip() or 'other parameters'}"
    return found


def cases(kind, base, rng):
    """(description, context of the trouble, cure, run folder) of one random case; a generator that cleans up behind itself."""
    number = int(rng.integers(1, 70))
    if kind in ("disk full", "read-only"):
        size = int(rng.integers(4, 500))
        with small_disk(base, size) as remount:
            if kind == "read-only":
                remount("ro")
            yield f"{size} kB", contextlib.nullcontext(), lambda: remount("rw,size=8m"), base / "run"
    elif kind == "becomes immutable":
        def change(sign):
            subprocess.run(["chattr", f"{sign}i", str(base / "run")], check=True, stdin=subprocess.DEVNULL)

        yield f"at call {number}", from_call(number, lambda: change("+")), lambda: change("-"), base / "run"
    elif kind == "file too large":
        size = int(rng.integers(1, 120))
        yield f"{size} kB", largest_file(size), lambda: None, base / "run"
    else:
        yield f"at call {number}", from_call(number, _quota), lambda: None, base / "run"


KINDS = ("disk full", "read-only", "becomes immutable", "file too large", "quota exceeded")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=12, help="of each kind")
    a = parser.parse_args()
    rng, rows = np.random.default_rng(0), {}
    with tempfile.TemporaryDirectory() as temporary:
        command(Path(temporary) / "whole")
        expected = parameters(Path(temporary) / "whole")
        for kind in KINDS:
            for k in range(a.runs):
                base = Path(temporary) / f"{kind} {k}"
                base.mkdir()
                for what, trouble, heal, folder in cases(kind, base, rng):
                    found = failed_and_resumed(folder, trouble, expected, heal)
                    rows.setdefault(kind, []).append(found)
                    print(f"{kind}, {what}: status {found['status']}, {found.get('epochs', '-')} epochs kept, same bits after "
                          f"--resume: {found['same']}; {re.sub(re.escape(temporary), '', found['text'])}", flush=True)
    for kind, found in rows.items():
        failed = [f for f in found if f["status"]]
        print(f"{kind:<20} {len(failed)} of {len(found)} runs failed, {sum(f['one line'] for f in failed)} with one line; "
              f"{sum(f['same'] for f in found)} of {len(found)} end with the same bits")


if __name__ == "__main__":
    main()
