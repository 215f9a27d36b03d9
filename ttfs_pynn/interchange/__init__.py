"""Networks for other programs: a PyNN script of its own, a folder in the SONATA format, and graphs of the Neuromorphic
Intermediate Representation (NIR), from which networks are also read.

`write_pynn_script` and `write_sonata` need no other package; what the scripts that they write need is said there. The rest of
this page is about NIR, which needs the package nir: pip install 'ttfs_pynn[nir]'.

A population of IF_curr_exp neurons with weights w (nA, from presynaptic j to neuron i), whose inputs spike at t_j, obeys

    cm dv/dt = -(cm/tau_m) (v - v_rest) + I,      tau_syn dI/dt = -I + tau_syn sum_j w_ji delta(t - t_j)

NIR's `Linear` (W) and `CubaLIF` say

    tau_mem dv/dt = (v_leak - v) + r I,           tau_syn dI/dt = -I + w_in S,        S = W x,   x_j the spikes of j

With x_j = delta(t - t_j) they are the same for W = w^T, w_in = tau_syn, r = tau_m/cm. But frameworks with a time step dt put
the number 1, not 1/dt, where a spike is; NIR does not say which. Their importers expect w_in = tau_syn/dt and r = tau_mem/dt,
for the neuron whose current and membrane just add up what arrives, or ignore both. The default is a graph for them, for
dt = 0.1 ms, the 1e-4 s of snnTorch's importer:

              time_step = dt (default 0.1 ms)     time_step = 0: spikes are delta functions
    W         w^T dt/cm (mV: what a step adds)    w^T (nA)
    w_in      tau_syn/dt                          tau_syn (s)
    r         tau_m/dt                            tau_m/cm (megohm)

In both, tau_mem = tau_m and tau_syn are in s, and potentials in mV above v_rest: v_leak = 0, v_threshold = v_thresh - v_rest,
v_reset likewise, for NIR has no initial state and frameworks start at 0. Further:

- Without leak (tau_m = inf, all neurons of a population) r I/tau_mem has no value. The population is `LI` (the current, its r is
  w_in above) and `IF` with r = 1/dt (1/s); with delta functions r = 1/cm (mV/(nA s)).
- There is one `Input`: all populations of spike sources, one after the other. Its metadata say where each begins, and when those
  with times of their own, such as biases, spike. Every projection is a `Linear`; absent pairs and other sources are weights of 0.
- Delays are `Delay` nodes (s): of presynaptic cells before `Linear`, of postsynaptic ones after it. Where every connection has
  its own, the projection is as many `Linear`s as the smaller of its populations has cells, each with a `Delay`: NIR has none for
  connections.
- Recurrent projections are edges back, as NIR has them. What a framework does about them in one step is its own affair.
- NIR has no refractory period. Only first spikes matter here (tau_refrac is as long as a sample): who runs the graph takes the
  first spike of every neuron and ignores later ones, in hidden populations too.
- Labels, signs, what is trained, t_early, t_late, tau_refrac, and values whose bits a change of units would cost are in
  `metadata["ttfs_pynn"]` of the graph. A value there counts where it still gives what the nodes hold: a round trip returns every
  bit, and what another program changed counts as it stands in the nodes. Delays that were changed come back as fixed delays.

`from_nir` takes any graph of these nodes, also from elsewhere. Then v_rest = v_leak, potentials are taken for mV, cm =
tau_mem/r with tau_mem in ms (one choice of many that fire alike), w = W w_in/tau_syn (times dt), and pairs whose weight is 0 are
not connected. Anything else is an `InterchangeError` that names the node and what is allowed.

Source of the nodes' equations: Pedersen et al., Nature Communications 15, 8122 (2024), and the docstrings of nir 1.0.8.
"""

import importlib
import importlib.util
from typing import Any

# Not imported before they are used: NIR needs a package of its own.
_HOMES = {"ImportedNetwork": "nir_import", "from_nir": "nir_import", "read_nir": "nir_files", "write_nir": "nir_files",
          "to_nir": "nir_export", "write_pynn_script": "pynn_script", "write_sonata": "sonata"}

__all__ = ["ImportedNetwork", "from_nir", "read_nir", "to_nir", "write_nir", "write_pynn_script", "write_sonata"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if home.startswith("nir") and importlib.util.find_spec("nir") is None:
        raise ImportError("the package nir is not installed; install it with: pip install 'ttfs_pynn[nir]'")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
