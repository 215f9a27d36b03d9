"""A training run as a folder: what was asked, where it stands, what it found; sweeps over many."""
