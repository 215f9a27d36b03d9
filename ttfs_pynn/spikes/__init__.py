"""Recorded spikes: who was recorded, when, and what is told of them.

    recordings   Neo Blocks as data: neurons, trials, each train with its own time
    pairing      which population and which neuron of one recording is which of another
    statistics   rates, irregularity, correlations and distances, by elephant's definitions
"""
