"""Experiments to run, copy and edit: one a file, `ttfs-pynn NAME --help`, or `python -m ttfs_pynn.protocols.NAME --help`."""
