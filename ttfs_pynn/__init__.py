"""Train spiking networks, described in PyNN, by their first-spike times.

Importing this package imports no simulator. See `ttfs_pynn.first_spike` for the mathematics,
`ttfs_pynn.training` for the loop and `ttfs_pynn.exact` for the simulator without a time step.
"""

__version__ = "0.1.0"
