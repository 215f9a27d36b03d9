"""First-spike times and their derivatives: arrays in, arrays out; imports NumPy, SciPy and Numba alone."""

from ttfs_pynn.first_spike.arrivals import Arrivals
from ttfs_pynn.first_spike.backward import first_spike_derivatives, vector_jacobian_product
from ttfs_pynn.first_spike.delays import delayed_first_spike_times, delayed_vector_jacobian_product
from ttfs_pynn.first_spike.fields import Fields, fields_first_spike_times, fields_vector_jacobian_product
from ttfs_pynn.first_spike.forward import first_spike_times
from ttfs_pynn.first_spike.peak import membrane_peaks, peak_steps
from ttfs_pynn.first_spike.recurrent import recurrent_first_spike_times, recurrent_vector_jacobian_product
from ttfs_pynn.first_spike.rows import Rows, rows_first_spike_times, rows_vector_jacobian_product
from ttfs_pynn.first_spike.rows_peak import rows_peak_steps

__all__ = ["Arrivals", "Fields", "Rows", "delayed_first_spike_times", "delayed_vector_jacobian_product",
           "fields_first_spike_times", "fields_vector_jacobian_product", "first_spike_derivatives", "first_spike_times",
           "membrane_peaks", "peak_steps", "recurrent_first_spike_times", "recurrent_vector_jacobian_product",
           "rows_first_spike_times", "rows_peak_steps", "rows_vector_jacobian_product", "vector_jacobian_product"]
