"""Networks that can be shown samples: PyNN populations, arrays, distorted substrates."""
