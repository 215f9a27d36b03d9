"""Compiled arithmetic of cells without a closed form: integrated with a controlled error, spikes located as roots."""
