"""A tile of neurons with equal time constants, walked through the inputs of one sample after the other.

State of a neuron after an input: y (its membrane over D, see `steps`) and j (its current), both times cm. With its `Steps`,

    j <- j before_s + w,      y' = y decay_y + j response_y.

A neuron whose y' stays below its level = cm (thr - doubt) does not cross before the next input. Where y' does not, and the
membrane at the next input is at the level too, or falls there, the neuron *may* cross: its state is kept, and its level becomes
infinite. What becomes of it is decided later, for many neurons at a time (`crossings`).

All neurons of a tile are one vector of lanes; their weights lie packed, (inputs, lanes), so that they stay in the cache while all
samples pass. Code here is written once for tiles of any width: it is that of the vector `zero`.
"""

import math
from typing import NamedTuple

from ttfs_pynn.membrane import lanes
from ttfs_pynn.membrane.compiling import inlined, inner
from ttfs_pynn.membrane.lanes import absolute, address, bits, filled_bits, fma, load_like, select, size_of, store_where

__all__ = ["NARROW", "WIDE", "Kept", "Levels", "Path", "fill_levels", "pack", "path_of", "walk"]

NARROW, WIDE = 2 * lanes.LANES, 4 * lanes.LANES  # neurons of a tile


class Levels(NamedTuple):
    """theta = cm thr of the neurons of a tile, and level below it by what rounding could be."""

    theta: object
    level: object


class Kept(NamedTuple):
    """Of each neuron that may have crossed: y and j after the input at the place `at` (an integer, in the bits of a float), and
    x at the next input."""

    y: object
    j: object
    at: object
    end: object


class Path(NamedTuple):
    """Addresses (`lanes.address`) of what a walk needs: of Sorted, Steps, packed weights and Kept."""

    order: object
    decay_s: object
    after: object
    before_s: object
    decay_y: object
    response_y: object
    packed: object
    y: object
    j: object
    at: object
    end: object


@inner
def pack(w, n_rows, partner, first, zero, packed, total):
    """packed gets (n_rows, lanes) weights of the neurons from `first` on, 0 beyond the last; total the sum of their sizes.

    partner: of each row, the one whose weights are added to it, -1 for none; empty: none has one.
    """
    n_neurons, width = w.shape[1], size_of(zero)
    added = zero
    for i in range(n_rows):
        other = partner[i] if partner.shape[0] else -1
        if first + width <= n_neurons:
            row = load_like(w, i * n_neurons + first, zero)
            if other >= 0:
                row = row + load_like(w, other * n_neurons + first, zero)
            lanes.store(packed, i * width, row)
        else:
            for n in range(width):
                packed[i * width + n] = 0.0
                if first + n < n_neurons:
                    packed[i * width + n] = w[i, first + n] + (w[other, first + n] if other >= 0 else 0.0)
            row = load_like(packed, i * width, zero)
        added = added + absolute(row)
    lanes.store(total, 0, added)


@inner
def fill_levels(first, width, n_inputs, shorter_tau, cm, thr, total, levels):
    """Fill Levels: rounding of v is at most doubt = 4 (inputs + 4) eps times the largest v that could be. Beyond the last neuron
    levels are infinite. total: of `pack`."""
    for n in range(width):
        levels.theta[n] = levels.level[n] = math.inf
        if first + n < cm.shape[0]:
            theta = cm[first + n] * thr[first + n]
            levels.theta[n], levels.level[n] = theta, theta - 1e-15 * (n_inputs + 4) * (theta + total[n] * shorter_tau)


@inlined
def path_of(inputs, steps, packed, kept):
    """The addresses of arrays, which must be arguments of the caller."""
    return Path(address(inputs.order), address(steps.decay_s), address(steps.after), address(steps.before_s),
                address(steps.decay_y), address(steps.response_y), address(packed), address(kept.y), address(kept.j),
                address(kept.at), address(kept.end))


@inlined
def walk(first, end, path, y, j, level, rate_m, whole):
    """Through the inputs at the places first to end - 1. Returns (x, j, level): x and j after the last input, and levels, which
    are infinite where Kept has an entry. Where all are, and not `whole`, it stops, and x and j are of no use."""
    width = size_of(y)
    for k in range(first, end):
        j = fma(j, path.before_s[k], load_like(path.packed, path.order[k] * width, y))
        new = fma(y, path.decay_y[k], j * path.response_y[k])
        may = new >= level
        if bits(may):
            x = new * path.after[k]
            may = may & ((x >= level) | (j * path.decay_s[k] < x * rate_m))
            store_where(path.y, 0, y, may)
            store_where(path.j, 0, j, may)
            store_where(path.at, 0, filled_bits(k, y), may)
            store_where(path.end, 0, x, may)
            level = select(may, math.inf, level)
            if not whole and not bits(level < math.inf):
                break
        y = new
    return y, j, level
