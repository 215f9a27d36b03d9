"""Experiments to run, copy and edit: one a file, `python -m protocols.NAME --help`."""
