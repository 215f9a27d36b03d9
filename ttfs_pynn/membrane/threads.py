"""When a compiled loop is split among threads."""

__all__ = ["PARALLEL_FROM", "on_threads"]

# samples x inputs x neurons from which on a loop is split among threads. Below it takes a few milliseconds, threads gain little,
# and OpenMP's, which wait busily for each other, lose a factor of five where something else keeps a core busy.
PARALLEL_FROM = 1_000_000


def on_threads(triples):
    """Whether a loop over so many (sample, input, neuron) triples is split among threads."""
    return triples >= PARALLEL_FROM
