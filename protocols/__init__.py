"""Experiments to run, copy and edit: one a file. `ttfs-pynn NAME` runs one, and `ttfs-pynn NAME --help` tells about it."""
