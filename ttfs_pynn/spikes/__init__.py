"""Recorded spikes: who was recorded, when, and what is told of them."""
