"""Why a test of PyNN's does not apply to the exact backend: patterns of its name and its error, and the reason each."""

import re

_REASONS = [
    (r"Cannot record Variable\(name='(?!v'|isyn_)", "records conductances or other variables that an IF_curr_exp neuron has not"),
    (r"unittests.*::test_can_record", "records conductances or other variables that an IF_curr_exp neuron has not"),
    (r"test_HH_cond_exp|test_ticket(166|195)\[", "expects what conductance-based cells do, for which IF_curr_exp stands in"),
    (r"test_issue512", "expects step times rounded to the time step; here they hold as they are given"),
    (r"SpikePairRule is not available|STDP\w* is not available", "plasticity, refused at creation"),
    (r"SpikeSource(Gamma|PoissonRefractory|Inh\w*) is not available", "other random spike sources, refused at creation"),
    (r"AdExp is not available", "composed cell models, refused at creation"),
    (r"test_get_multiple_params_no_gather|test_set_random_distribution_parallel_(un)?safe",
     "expects the second of two processes (MPI); this backend runs in one"),
    (r"unknown keyword of setup\(\) 'nmin_delay'", "misspells min_delay, which is refused here"),
    (r"unittests.*test_(mean_spike_count|get_spike_counts)", "expects the spikes that the mock backend makes up"),
]


def reason_for(name, message):
    """The reason, or None for a test that should have passed."""
    for pattern, reason in _REASONS:
        if re.search(pattern, f"{name} {message}"):
            return reason
    return None
