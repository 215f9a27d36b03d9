"""First-spike times and their derivatives: arrays in, arrays out; imports NumPy, SciPy and Numba alone."""

from ttfs_pynn.first_spike.backward import first_spike_derivatives, vector_jacobian_product
from ttfs_pynn.first_spike.delays import delayed_first_spike_times, delayed_vector_jacobian_product
from ttfs_pynn.first_spike.forward import first_spike_times
from ttfs_pynn.first_spike.peak import membrane_peaks, peak_steps

__all__ = ["delayed_first_spike_times", "delayed_vector_jacobian_product", "first_spike_derivatives", "first_spike_times",
           "membrane_peaks", "peak_steps",
           "vector_jacobian_product"]
