"""Does a script run on PyNN alone, without ttfs_pynn? `python -m benchmarks.random_scripts.plain FILE SIMULATOR`

Prints how many spikes each population had at the end. A script that crashes here asks for what PyNN's backend cannot do.
"""

import importlib
import sys
import types
import warnings
from pathlib import Path

__all__ = ["run_plain"]


def run_plain(path, simulator):
    """{label: spikes in all segments that are left at the end} of the last network."""
    real = importlib.import_module("ttfs_pynn.exact" if simulator == "exact" else f"pyNN.{simulator}")
    options = {"nest": {"t_flush": 1000.0}}.get(simulator, {})
    if simulator == "brian2":
        import brian2
        brian2.prefs.codegen.target = "numpy"
        brian2.prefs.logging.file_log = False
    made = []

    def setup(*arguments, **keywords):
        made.clear()
        return real.setup(*arguments, **keywords, **options)

    def population(*arguments, **keywords):
        made.append(real.Population(*arguments, **keywords))
        made[-1].record("spikes")
        return made[-1]

    sim = types.ModuleType(real.__name__)
    sim.__dict__.update({name: getattr(real, name) for name in dir(real) if not name.startswith("__")})
    sim.setup, sim.Population, sim.end = setup, population, lambda: None
    sim.create = lambda cellclass, cellparams=None, n=1: population(n, cellclass, cellparams)
    scope = {"__name__": "script"}
    exec(compile(Path(path).read_text(encoding="utf-8"), path, "exec"), scope)
    scope["build"](sim)
    return {p.label: sum(len(t) for segment in p.get_data("spikes").segments for t in segment.spiketrains) for p in made}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(run_plain(*sys.argv[1:3]))
