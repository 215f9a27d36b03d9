"""Networks that can be shown samples: PyNN populations, the user's own or built of a graph; arrays; distorted substrates."""
