"""Populations and projections: eight kinds of network, of 1 to about 60 neurons."""

from benchmarks.random_scripts.parts import array_source, cells, current, draw_values, poisson, project, weight_for
from benchmarks.random_scripts.writer import peak

__all__ = ["NETWORKS"]


def _delay(s):
    """On the grid of 0.1 ms, or off it."""
    return s.uniform(0.5, 4.0, 1) if s.integer(0, 3) else s.uniform(0.5, 4.0, 2)


def single(s):
    """One source, one cell."""
    source, cell = array_source(s, "source", 1, 120.0), cells(s, "cell", 1, mixed=[])
    # PyNN's OneToOneConnector fails between populations of one cell.
    connector = ["sim.AllToAllConnector()", "sim.FromListConnector([(0, 0)])"][s.integer(0, 2)]
    project(s, "cell", "source", "cell", connector, weight_for(s, cell, source.rate, 1.6, 0.3), _delay(s))


def chain(s):
    """Source, relay, output."""
    n, m, k = s.integer(3, 7), s.integer(4, 11), s.integer(2, 6)
    source = array_source(s, "source", n, 60.0)
    relay, output = cells(s, "relay", m), cells(s, "output", k)
    seed = s.integer(1, 999)
    chosen = ["FixedProbabilityConnector(0.7", 'DistanceDependentProbabilityConnector("exp(-d/20.0)"'][s.integer(0, 3) == 0]
    project(s, "relay", "source", "relay", f"sim.{chosen}, rng=sim.NumpyRNG(seed={{seed}}))",
            weight_for(s, relay, 0.7 * n * source.rate, 1.6, 0.2), _delay(s), spread=["normal", "uniform", None][s.integer(0, 3)],
            draw=("seed", seed))
    few = min(3, m)
    seed = s.integer(1, 999)
    connector, afferents, draw = (("sim.AllToAllConnector()", m, None), (
        f"sim.FixedNumberPreConnector({few}, rng=sim.NumpyRNG(seed={{seed}}))", few, ("seed", seed)))[s.integer(0, 2)]
    project(s, "output", "relay", "output", connector, weight_for(s, output, afferents * 60.0, 1.6, 0.2), _delay(s), draw=draw)
    if s.number % 5 in (1, 3):
        current(s, output)


def balanced(s):
    """Excitatory and inhibitory cells that drive each other, with noise from outside."""
    n, e, i = 20, s.integer(14, 41), s.integer(4, 11)
    noise = poisson(s, "noise", n, 80.0)
    values = draw_values(s)
    excitatory, inhibitory = cells(s, "pyramids", e, dict(values)), cells(s, "inhibitors", i, dict(values), mixed=[])
    for name, post in (("pyramids", excitatory), ("inhibitors", inhibitory)):
        project(s, f"{name}_from_noise", "noise", name, "sim.FixedProbabilityConnector(0.5, rng=sim.NumpyRNG(seed={seed}))",
                weight_for(s, post, 0.5 * n * noise.rate, 1.5), _delay(s), draw=("seed", s.integer(1, 999)))
    one = float(f"{0.1 * (values['v_thresh'] - values['v_rest']) / peak(values):.3g}")
    project(s, "inhibitors", "pyramids", "inhibitors", "sim.FixedProbabilityConnector(0.3, rng=sim.NumpyRNG(seed={seed}))",
            one, _delay(s), spread=["normal", None][s.integer(0, 2)], draw=("seed", s.integer(1, 999)))
    project(s, "pyramids", "inhibitors", "pyramids", "sim.FixedNumberPreConnector(3, rng=sim.NumpyRNG(seed={seed}))",
            -2 * one, _delay(s), "inhibitory", draw=("seed", s.integer(1, 999)))


def pacemakers(s):
    """Cells that fire regularly without input, and cells that they drive and that inhibit them."""
    n, m = s.integer(2, 6), s.integer(2, 7)
    first, followers = cells(s, "pacemakers", n, regular=True), cells(s, "followers", m)
    project(s, "followers", "pacemakers", "followers", "sim.AllToAllConnector()", weight_for(s, followers, n * 60.0, 1.5, 0.3),
            _delay(s))
    v = first.values
    project(s, "pacemakers", "followers", "pacemakers", "sim.OneToOneConnector()" if m == n else
            f"sim.FixedNumberPostConnector(1, rng=sim.NumpyRNG(seed={s.integer(1, 99)}))",
            -float(f"{0.1 * (v['v_thresh'] - v['v_rest']) / peak(v):.3g}"), _delay(s), "inhibitory")
    if s.number % 5 in (1, 3):
        current(s, first)


def assembly(s):
    """An assembly drives, and an assembly is driven."""
    n, noisy, m, k = s.integer(2, 5), s.integer(3, 8), s.integer(3, 8), s.integer(1, 5)
    source, noise = array_source(s, "source", n, 60.0), poisson(s, "noise", noisy, 40.0)
    left, right = cells(s, "left", m), cells(s, "right", k)
    total = n * source.rate + noisy * noise.rate
    project(s, "left", "(source + noise)", "left", "sim.AllToAllConnector()", weight_for(s, left, total, 1.4), _delay(s),
            label="inputs to left")
    s.line('both = sim.Assembly(left, right, label="both")')
    project(s, "both", "source", "both", "sim.AllToAllConnector()", weight_for(s, right, n * source.rate, 1.3, 0.2), _delay(s),
            label="source to both")
    project(s, "right", "left", "right", "sim.AllToAllConnector()", weight_for(s, right, m * 60.0, 0.5), _delay(s))


def views(s):
    """Views on both sides, recurrence, a recorded view."""
    n, m = s.integer(4, 7), s.integer(6, 12)
    source, relay = array_source(s, "source", n, 70.0), cells(s, "relay", m)
    half, cut = n // 2, m // 2
    project(s, "first", f"source[0:{half}]", f"relay[0:{cut}]", "sim.AllToAllConnector()",
            weight_for(s, relay, half * source.rate, 1.5, 0.2), _delay(s), label="first half")
    project(s, "second", f"source[{half}:{n}]", f"relay[{cut}:{m}]", "sim.AllToAllConnector()",
            weight_for(s, relay, (n - half) * source.rate, 1.5, 0.2), _delay(s), label="second half")
    v = relay.values
    connector = "sim.FixedProbabilityConnector(0.4, rng=sim.NumpyRNG(seed={seed}))"
    project(s, "relay", f"relay[{cut}:{m}]", f"relay[0:{cut}]", connector,
            -float(f"{0.2 * (v['v_thresh'] - v['v_rest']) / peak(v):.3g}"), _delay(s), "inhibitory", label="across",
            draw=("seed", s.integer(1, 999)))
    s.line(f"seen = relay[1:{cut}]", 'seen.record("spikes")')


def lists(s):
    """Connections one by one, each with its weight and delay; an array of connections."""
    n, m, k = s.integer(3, 6), s.integer(4, 8), s.integer(1, 4)
    source = array_source(s, "source", n, 70.0)
    relay, output = cells(s, "relay", m), cells(s, "output", k)
    weight = weight_for(s, relay, 0.6 * n * source.rate, 1.6, 0.25)
    pairs = [(int(i), int(j), float(f"{weight * s.uniform(0.6, 1.4):.3g}"), _delay(s)) for i in range(n) for j in range(m)
             if s.integer(0, 10) < 6 or i == j % n]
    project(s, "relay", "source", "relay", "sim.FromListConnector({pairs})", None, None, draw=("list", pairs))
    mask = [[bool(i == j % m or s.integer(0, 2)) for j in range(k)] for i in range(m)]
    afferents = max(sum(row[j] for row in mask) for j in range(k))
    project(s, "output", "relay", "output", f"sim.ArrayConnector(np.array({mask}))",
            weight_for(s, output, afferents * 60.0, 1.6, 0.2), _delay(s))
    if s.number % 5 in (1, 3):
        current(s, output)


def low_level(s):
    """sim.create and sim.connect."""
    n, m = s.integer(2, 5), s.integer(2, 7)
    source, relay = array_source(s, "source", n, 90.0), cells(s, "relay", m)
    values = draw_values(s)
    inside = ", ".join(f"{key}={value:g}" for key, value in values.items())
    s.line(f"made = sim.create(sim.IF_curr_exp, dict({inside}), n={s.integer(1, 4)})", 'made.record("spikes")')
    project(s, "relay", "source", "relay", "sim.AllToAllConnector()", weight_for(s, relay, n * source.rate, 1.5, 0.2), _delay(s))
    weight = float(f"{0.6 * (values['v_thresh'] - values['v_rest']) / peak(values):.3g}")
    s.line(f"sim.connect(relay, made, weight={weight}, delay={_delay(s)}, receptor_type=\"excitatory\")",
           f"sim.connect(source[0], relay[1], weight={weight / 2:.3g}, delay=1.0, receptor_type=\"excitatory\")")


NETWORKS = (single, chain, balanced, pacemakers, assembly, views, lists, low_level)
