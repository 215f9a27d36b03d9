"""A lossless event-driven simulator of current-based LIF networks, and the PyNN layer that its two faces share."""
