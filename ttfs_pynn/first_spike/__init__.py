"""First-spike times and their derivatives: arrays in, arrays out; imports NumPy, SciPy and Numba alone."""

from ttfs_pynn.first_spike.backward import first_spike_derivatives, vector_jacobian_product
from ttfs_pynn.first_spike.forward import first_spike_times
from ttfs_pynn.first_spike.peak import membrane_peaks, peak_steps

__all__ = ["first_spike_times", "first_spike_derivatives", "membrane_peaks", "peak_steps",
           "vector_jacobian_product"]
