"""Reference arrays of the tests; README.md says where they come from."""

from pathlib import Path

import numpy as np

from ttfs_pynn.neuron import LIFParameters

FOLDER = Path(__file__).parent


def first_spike_reference(ratio):
    """The cases of tau_m = ratio tau_syn as a dict, and their neuron (tau_syn = g_l tau_m = thr = 1)."""
    with np.load(FOLDER / f"first_spike_ratio{ratio}.npz", allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    tau_m = float(data["tau_mem"])
    return data, LIFParameters(tau_m=tau_m, tau_syn=float(data["tau_syn"]), cm=tau_m * float(data["g_leak"]), v_rest=0.0,
                               v_thresh=float(data["threshold"]))
