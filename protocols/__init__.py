"""Experiments to run, copy and edit: one a file, `ttfs-pynn NAME --help`, in a checkout also `python -m protocols.NAME --help`."""
