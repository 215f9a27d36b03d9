"""Train spiking networks, described in PyNN, by their first-spike times.

    Network(sim, projections, outputs, t_late)     your own PyNN populations and projections
    SpikeData(times, labels)                       what they are shown
    Trainer(network, data, TrainingOptions()).run()
    evaluate(network, data)

Importing this package imports no simulator and none of these before they are used. See `ttfs_pynn.first_spike` for the
mathematics and `ttfs_pynn.exact` for the simulator without a time step.
"""

import importlib

__version__ = "0.2.0"

_WHERE = {"Network": "networks.own", "SpikeData": "learning.data", "Trainer": "learning.trainer",
          "TrainingOptions": "learning.options", "evaluate": "learning.evaluation"}

__all__ = ["Network", "SpikeData", "Trainer", "TrainingOptions", "evaluate"]


def __getattr__(name):
    if name in _WHERE:
        return getattr(importlib.import_module(f"ttfs_pynn.{_WHERE[name]}"), name)
    # As `errors`: what scripts for the vendor's adapter import from its package.
    if name == "parameters":
        return importlib.import_module("pyNN.parameters")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_WHERE])
