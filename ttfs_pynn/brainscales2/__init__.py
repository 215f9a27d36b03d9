"""Emulation of the BrainScaleS-2 PyNN adapter."""
