"""Let scripts for the vendor's adapter run without a change: its package names stand for this emulation."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

__all__ = ["NAMES", "install"]

NAMES = {"pynn_brainscales.brainscales2": "ttfs_pynn.brainscales2", "dlens_vx_v3": "ttfs_pynn.brainscales2.dlens",
         "pyhalco_hicann_dls_vx_v3": "ttfs_pynn.brainscales2.dlens.halco", "pyhxcomm_vx": "ttfs_pynn.brainscales2.dlens.hxcomm",
         "pystadls_vx_v3": "ttfs_pynn.brainscales2.dlens.sta", "calix": "ttfs_pynn.brainscales2.calix",
         "pylogging": "ttfs_pynn.brainscales2.logger"}
_OF_PYNN = ("common", "core", "descriptions", "errors", "parameters", "random", "recording", "serialization", "space",
            "standardmodels")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):

    def __init__(self):
        self.own_specs = {}

    def find_spec(self, fullname, path=None, target=None):
        known = fullname == "pynn_brainscales" or any(fullname == name or fullname.startswith(name + ".") for name in NAMES)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if known else None

    def create_module(self, spec):
        if spec.name == "pynn_brainscales":  # which passes modules of PyNN on
            package = types.ModuleType(spec.name)
            for name in _OF_PYNN:
                setattr(package, name, importlib.import_module(f"pyNN.{name}"))
            return package
        name = next(name for name in NAMES if spec.name == name or spec.name.startswith(name + "."))
        module = importlib.import_module(NAMES[name] + spec.name[len(name):])
        self.own_specs[module] = module.__spec__
        return module

    def exec_module(self, module):
        # The import system has just given the module, which has been executed, the specification of its other name.
        if module in self.own_specs:
            module.__spec__ = self.own_specs[module]


def install():
    """From now on the vendor's names (NAMES), such as `import pynn_brainscales.brainscales2`, give this emulation.

    RuntimeError where the vendor's package is installed: on a machine with a chip, a script should reach it.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    if importlib.util.find_spec("pynn_brainscales") is not None:
        raise RuntimeError("pynn_brainscales is installed here; its scripts would run on the emulation instead of the chip. "
                           "Import ttfs_pynn.brainscales2 where that is meant")
    sys.meta_path.insert(0, _Finder())  # before the one that would find a package's modules a second time
