"""Experiments to run, copy and edit: one a file, `ttfs-pynn NAME --help`, or `ttfs-pynn NAME --help`."""
