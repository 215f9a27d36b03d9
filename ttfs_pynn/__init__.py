"""Train spiking networks, described in PyNN, by their first-spike times.

Importing this package imports no simulator. See `ttfs_pynn.first_spike` for the mathematics,
`ttfs_pynn.learning.training` for the loop and `ttfs_pynn.exact` for the simulator without a time step.
"""

__version__ = "0.1.0"


def __getattr__(name):
    # As `errors`: what scripts for the vendor's adapter import from its package.
    if name == "parameters":
        import importlib
        return importlib.import_module("pyNN.parameters")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
