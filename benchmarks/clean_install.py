"""Do the wheel and the source archive install and work, in an empty environment, with nothing but the packages that they name?

Builds both from the committed files (git archive). For each Python it makes an environment, installs the wheel into it without
constraints, and in a folder outside the checkout imports the package and every module of it, makes a project by `ttfs-pynn new`,
trains it and runs its test. Then README and documentation are read beside the installed package, without the checkout's: their
Python runs, their commands are understood. (What these tests need is installed last.) Then the source archive takes the wheel's
place. Prints a table; needs the network.

examples:
  python -m benchmarks.clean_install python3.11 python3.12 python3.13
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ttfs_pynn.commands.command_line import ArgumentParser, run

ROOT = Path(__file__).resolve().parents[1]
IMPORT = """
import sys, threading, time
begin = time.perf_counter()
import ttfs_pynn
seconds = time.perf_counter() - begin
assert ttfs_pynn.__file__.startswith(sys.prefix), ttfs_pynn.__file__
assert threading.active_count() == 1 and not {"logging", "matplotlib", "numpy", "numba", "pyNN"} & set(sys.modules)
for name in ("models", "protocols", "analysis", "tests", "benchmarks"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(f"{name} was installed")
print(seconds)
"""
# Modules that are there for packages which a user may or may not have.
OPTIONAL = {"nest", "neuron", "nir", "elephant", "sklearn", "dask", "distributed", "shtab"}
IMPORT_ALL = f"""
import importlib, pkgutil
import ttfs_pynn
found = 0
for module in pkgutil.walk_packages(ttfs_pynn.__path__, "ttfs_pynn."):
    if ".template." in module.name or module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
        found += 1
    except ModuleNotFoundError as error:
        assert error.name.partition(".")[0] in {OPTIONAL}, (module.name, error)
assert {{"ttfs_pynn.models.yin_yang", "ttfs_pynn.protocols.train", "ttfs_pynn.analysis.raster"}} <= set(__import__("sys").modules)
print(found)
"""
# What the tests of README and documentation read; no module of ttfs_pynn lies beside them.
PAGES = ("README.md", "CHANGELOG.md", "SECURITY.md", "Makefile", "docs", "benchmarks", "tests", "results")


def parser():
    p = ArgumentParser(prog="python -m benchmarks.clean_install", description=__doc__)
    p.add_argument("pythons", nargs="+", metavar="PYTHON", help="interpreters, such as python3.12")
    p.add_argument("--keep", metavar="DIR", help="folder for the two archives (default: none are kept)")
    return p


def call(*command, folder, seconds=1800):
    """Standard output of a command; CalledProcessError, with its output shown, where it fails."""
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=seconds)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        done.check_returncode()
    return done.stdout


def build(folder, python):
    """(wheel, source archive) of the committed files; the wheel is made from the source archive."""
    archive = folder / "source.tar"
    call("git", "archive", "--format=tar", "--prefix=source/", "-o", archive, "HEAD", folder=ROOT)
    shutil.unpack_archive(archive, folder)
    tools = environment(folder / "tools", python, "build")
    call(tools / "python", "-m", "build", "--outdir", folder / "dist", folder / "source", folder=folder)
    return next((folder / "dist").glob("*.whl")), next((folder / "dist").glob("*.tar.gz"))


def environment(path, python, *packages):
    """The folder of programs of a new virtual environment with these packages."""
    call(python, "-m", "venv", path, folder=path.parent)
    call(path / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages, folder=path.parent)
    return path / "bin"


def check(folder, python, wheel, source):
    """A dict of what was found with one Python; CalledProcessError where something failed."""
    folder.mkdir()
    begin = time.perf_counter()
    programs = environment(folder / "environment", python, wheel)
    found = {"installed_s": time.perf_counter() - begin}
    call(programs / "python", "-m", "pip", "check", folder=folder)
    packages = json.loads(call(programs / "python", "-m", "pip", "list", "--format=json", folder=folder))
    found["packages"] = len(packages)
    found["import_ms"] = 1000 * sorted(float(call(programs / "python", "-c", IMPORT, folder=folder)) for _ in range(5))[2]
    begin = time.perf_counter()
    call(programs / "ttfs-pynn", "--help", folder=folder)
    found["help_s"] = time.perf_counter() - begin
    found["version"] = call(programs / "ttfs-pynn", "--version", folder=folder).strip()
    call(programs / "ttfs-pynn", "new", "my_task", folder=folder)
    project = folder / "my_task"
    begin = time.perf_counter()
    call(programs / "python", "train.py", "runs/first", folder=project)
    found["train_s"] = time.perf_counter() - begin
    found["accuracy"] = json.loads((project / "runs/first/metrics.json").read_text())["test_accuracy"]
    call(programs / "ttfs-pynn", "--quiet", "train", "my_task", "--epochs", "2", "--output", "runs/second", folder=project)
    call(programs / "ttfs-pynn", "evaluate", "runs/second", "--backend", "brian2", "--samples", "20", folder=project)
    call(programs / "ttfs-pynn", "compare", "runs/second", "--samples", "5", "--output", "out", folder=project)
    call(programs / "ttfs-pynn", "raster", "runs/first", folder=project)
    call(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pytest", "sybil",
         f"ttfs_pynn[digits,completion,nir] @ {wheel.as_uri()}", folder=folder)
    found["modules"] = int(call(programs / "python", "-c", IMPORT_ALL, folder=folder))
    found["pages"] = pages(folder / "pages", programs)
    found["test"] = call(programs / "python", "-m", "pytest", "-q", folder=project).strip().splitlines()[-1]
    call(programs / "python", "-m", "pip", "uninstall", "--quiet", "--yes", "ttfs_pynn", folder=folder)
    call(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", source, folder=folder)
    call(programs / "ttfs-pynn", "train", "my_task", "--epochs", "1", "--output", "runs/third", folder=project)
    return found


def pages(folder, programs):
    """The closing line of the tests of README and documentation, with the installed package in place of the checkout's."""
    folder.mkdir()
    for name in PAGES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("_build", "gallery_pages", "__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return call(programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_readme.py",
                "tests/test_documentation.py", "docs", folder=folder).strip().splitlines()[-1]


def main(arguments=None):
    a = parser().parse_args(arguments)
    failures = 0
    with tempfile.TemporaryDirectory(prefix="clean_install.") as temporary:
        folder = Path(temporary)
        wheel, source = build(folder, a.pythons[0])
        print(f"{wheel.name} {wheel.stat().st_size / 1e3:.0f} kB, {source.name} {source.stat().st_size / 1e3:.0f} kB", flush=True)
        for k, python in enumerate(a.pythons):
            try:
                found = check(folder / str(k), python, wheel, source)
            except subprocess.CalledProcessError as error:
                failures += 1
                print(f"{python}: FAILED: {' '.join(map(str, error.cmd))}", flush=True)
                continue
            print(f"{python}: {found['version']}, {found['packages']} packages, import {found['import_ms']:.1f} ms, --help "
                  f"{found['help_s']:.2f} s, train.py {found['train_s']:.1f} s to accuracy {found['accuracy']:.3f}, "
                  f"its test: {found['test']}; {found['modules']} modules imported, pages: {found['pages']}", flush=True)
        if a.keep:
            Path(a.keep).mkdir(parents=True, exist_ok=True)
            for archive in (wheel, source):
                shutil.copy2(archive, a.keep)
    print(f"{len(a.pythons) - failures} of {len(a.pythons)}")
    return 1 if failures else 0


if __name__ == "__main__":
    run(main)
