"""Compiled arithmetic of membranes, which first-spike times and the event-driven simulators share."""
