"""Compiled steps of a block of `sparse_kernels`: where it ends, the factors of its events, and its arrivals."""

from numba import njit

from ttfs_pynn.membrane.interval import responses

TIME, DECAY_M, DECAY_S, RESPONSE, TO_J, TO_X, GROWTH_M = range(7)
N_FACTORS = 8  # a row is one line of the cache
_LONGEST = 3.0  # time constants of a block: factors grow to exp(3), and lose no more than that of their digits


@njit(cache=True, error_model="numpy")
def _fill(factors, k, time, a, rate_m, rate_s):
    decay_m, decay_s, response = (1.0, 1.0, 0.0) if a == 0.0 else responses(a, rate_m, rate_s)
    factors[k, TIME], factors[k, DECAY_M], factors[k, DECAY_S], factors[k, RESPONSE] = time, decay_m, decay_s, response
    factors[k, GROWTH_M], factors[k, TO_J] = 1.0 / decay_m, 1.0 / decay_s
    factors[k, TO_X] = response / (decay_m * decay_s)


@njit(cache=True, error_model="numpy")
def fill_blocks(times, sizes, most_arrivals, t_stop, rate_m, rate_s, factors, bounds):
    """Fill factors: of each event, then of the end of each block; bounds (blocks + 1,): the first event of each block. sizes:
    arrivals of each event. Returns the number of blocks. A block without events is a pause."""
    fastest = max(rate_m, rate_s)
    n, n_blocks, arrivals, base = times.shape[0], 0, 0, times[0]
    bounds[0] = 0
    for k in range(n):
        a = times[k] - base
        _fill(factors, k, times[k], a, rate_m, rate_s)
        arrivals += sizes[k]
        following = times[k + 1] if k + 1 < n else t_stop
        pause = (following - times[k]) * rate_s > 1.0
        if pause or k + 1 == n or (following - base) * fastest > _LONGEST or (arrivals >= most_arrivals and following > base):
            end = times[k] if pause else following
            _fill(factors, n + n_blocks, end, end - base, rate_m, rate_s)
            n_blocks += 1
            bounds[n_blocks] = k + 1
            if pause:
                _fill(factors, n + n_blocks, following, following - end, rate_m, rate_s)
                n_blocks += 1
                bounds[n_blocks] = k + 1
            base, arrivals = following, 0
    return n_blocks


@njit(cache=True, error_model="numpy")
def add_currents(first, last, rows, row_start, targets, weights, factors, to_j):
    for k in range(first, last):
        factor = factors[k, TO_J]
        for c in range(row_start[rows[k]], row_start[rows[k] + 1]):
            to_j[targets[c]] += weights[c] * factor


@njit(cache=True, error_model="numpy")
def add_all(first, last, rows, row_start, targets, weights, factors, to_j, to_x, bound):
    """What the arrivals of events first to last - 1 add to J and take from X, and the sum of positive weights."""
    for k in range(first, last):
        factor_j, factor_x = factors[k, TO_J], factors[k, TO_X]
        for c in range(row_start[rows[k]], row_start[rows[k] + 1]):
            n, w = targets[c], weights[c]
            to_j[n] += w * factor_j
            to_x[n] -= w * factor_x
            bound[n] += w if w > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def pick_out(first, last, room, rows, row_start, targets, weights, slot, n_chosen, filled, event, weight):
    """Arrivals of the events first to last - 1 at the chosen neurons, whose number is slot[n] (n_chosen for all others): each
    neuron's in order of time, event and weight at the places slot * room to filled[slot] - 1."""
    for k in range(n_chosen + 1):
        filled[k] = k * room
    for k in range(first, last):
        for c in range(row_start[rows[k]], row_start[rows[k] + 1]):
            mine = slot[targets[c]]
            to = filled[mine]
            event[to], weight[to] = k, weights[c]
            filled[mine] = to + (mine != n_chosen)
