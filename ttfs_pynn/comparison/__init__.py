"""The same network on several simulators: what agrees, what does not, and why.

Records of what each simulator did come first; all that is found in them is found from these arrays alone. Its modules:

    task           what every simulator is to run: a run folder, a model, a script
    simulators     each simulator in a process of its own, and comparison.json of all of them
    script         any PyNN script, run on any simulator as on every other one
    observation    what a script builds, changes and records, trial by trial
    layered        the spikes of a network that is trained, as a record
    first_spikes   agreement of first-spike times, sample by sample
    record         what one simulator was given and what it recorded, on disk
    same_network   whether it was the same network at all
    matching       spike trains of several spikes: matched, missing, extra
    conditional    the exact neuron driven by the spikes that a neuron was recorded to receive
    explanation    why a spike is missing or extra: margins to threshold
    defects        a delay, weights or a parameter that is not what it should be, from spike times alone
    blocks         recordings in blocks of time, and the sums over them
    statistics     rates, irregularity and correlation of populations, for networks that are chaotic
    summary        all of it as one dict for comparison.json
"""

from ttfs_pynn.comparison.first_spikes import Agreement, compare_first_spikes, explained_by_own_inputs

__all__ = ["Agreement", "compare_first_spikes", "explained_by_own_inputs"]
