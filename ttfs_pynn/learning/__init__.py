"""From recorded first spikes to new parameters: gradients, losses, steps, and the loop."""
