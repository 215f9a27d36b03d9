"""How functions are compiled that compiled functions alone call.

Numba gives every function an entrance for Python, which for arrays and named tuples takes longer to compile than many a function
itself. `inner` has none; `inlined` is besides copied into its callers, which functions of vectors must be for speed.

The code of a function is optimised and written again for every function above it. `merged` makes one of a function and its
only caller before any of that.
"""

from numba import njit

__all__ = ["inlined", "inner", "merged"]

inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
inlined = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)
merged = njit(error_model="numpy", inline="always")
