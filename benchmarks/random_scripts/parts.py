"""What networks are put together from: sources, cells, projections, injected currents, each with the defects it can have."""

import numpy as np

from benchmarks.random_scripts.hidden import hide_in_cells
from benchmarks.random_scripts.writer import Cells, Projection, Sources, drive, peak

__all__ = ["DURATION", "array_source", "cells", "current", "draw_values", "poisson", "project", "spike_times", "weight_for"]

DURATION = 300.0  # ms that a script runs, about
# Factors on a parameter that are a mistake; mV for potentials.
_WRONG = {"tau_m": (0.85, 1.2), "cm": (0.85, 1.2), "tau_syn_E": (0.8, 1.2), "tau_refrac": (0.5, 2.0), "v_thresh": (-1.5, 2.0),
          "v_reset": (-4.0, 4.0), "i_offset": (0.85, 1.15)}


def spike_times(s, size, rate, start, stop):
    """size lists of times (ms): regular with jitter; on the grid, or off it, or two in one step."""
    digits = int(s.rng.choice([1, 2, 3]))
    trains = []
    for _ in range(size):
        n = max(int(rate * (stop - start) * 1e-3), 2)
        gap = (stop - start) / n
        times = start + gap * (np.arange(n) + s.rng.uniform(0.1, 0.9, n))
        trains.append(np.unique(np.round(times, digits)).tolist())
    return trains


def array_source(s, name, size, rate):
    """SpikeSourceArray, times of each source in a list, up to `s.stop`; without times where they are `s.shown_later`."""
    made = Sources(name, size, rate)
    s.sources.append(made)
    if s.shown_later and size > 1 and not any(part.times and part.size > 1 for part in s.sources[:-1]):
        s.line(f'{name} = sim.Population({size}, sim.SpikeSourceArray(), label="{name}")')
        return made
    trains = spike_times(s, size, rate, 2.0, s.stop)
    if s.number % 7 == 3:
        trains[0] = sorted({*trains[0], round(trains[0][1] + 0.04, 2)})  # two spikes within one step
    k, j, extra = s.integer(0, size), s.integer(1, len(trains[0]) - 1), s.uniform(20, s.stop - 60)
    j = min(j, len(trains[k]) - 2)
    # pyNN.brian2 takes no list of lists for a single source.
    train = "times" if size == 1 else f"times[{k}]"
    s.line(f"times = {trains[0] if size == 1 else trains}")
    if s.place("spike missing", name):
        s.line(f"if odd: del {train}[{j}]")
    if s.place("spike extra", name):
        s.line(f"if odd: {train} = sorted({train} + [{extra}])")
    if s.place("spike moved", name):
        s.line(f"if odd: {train}[{j}] = 0.5 * ({train}[{j}] + {train}[{j + 1}])")
    s.line(f'{name} = sim.Population({size}, sim.SpikeSourceArray(spike_times=times), label="{name}")')
    return made


def poisson(s, name, size, rate):
    """SpikeSourcePoisson."""
    options = s.rng.choice(["", ", start=5.0", f", start=10.0, duration={0.8 * DURATION:g}"])
    right, wrong = f"{rate:g}", f"{1.2 * rate:g}"
    inside = f"rate={s.value('poisson rate', name, right, wrong)}{options}"
    s.line(f'{name} = sim.Population({size}, sim.SpikeSourcePoisson({inside}), label="{name}")')
    made = Sources(name, size, rate, times=False)
    s.sources.append(made)
    return made


def draw_values(s):
    """Parameters of IF_curr_exp, unequal time constants for most."""
    values = {"tau_m": s.uniform(8, 20, 1), "cm": s.uniform(0.2, 0.8), "tau_syn_E": s.uniform(2, 6, 1),
              "tau_syn_I": s.uniform(3, 8, 1), "tau_refrac": float(s.rng.choice([0.5, 1.0, 2.0, 3.0])), "v_rest": -65.0,
              "v_reset": float(s.rng.choice([-65.0, -68.0, -62.0])), "v_thresh": float(s.rng.choice([-50.0, -52.0, -55.0])),
              "i_offset": 0.0}
    if s.number % 9 == 4:
        values["tau_syn_E"] = values["tau_m"]
    return values


def _argument(s, name, label, size, values, mixed):
    value, wrong = values[name], _WRONG.get(name)
    right = f"{value:g}"
    if name in mixed and size > 1:
        low, high = sorted((float(f"{0.9 * value:.4g}"), float(f"{1.1 * value:.4g}")))
        right = f"np.linspace({low}, {high}, {size})"
        if s.number % 2:
            right = f'sim.RandomDistribution("uniform", ({low}, {high}), rng=sim.NumpyRNG(seed={s.integer(1, 99)}))'
    if wrong is None or (name in ("i_offset",) and value == 0):
        return right
    change = s.factor(*wrong)
    if name.startswith("v_"):
        return s.value(name, label, right, f"{value + change:g}")
    wrong = f"{change:g} * {right}"
    if "Random" in right:
        wrong = right.replace(f"({low}, {high})", f"({change * low:.4g}, {change * high:.4g})")
    return s.value(name, label, right, wrong)


def cells(s, name, size, values=None, mixed=None, regular=False):
    """IF_curr_exp, some of its parameters different from cell to cell. regular: they fire without input."""
    values = draw_values(s) if values is None else values
    if regular:
        height = (values["v_thresh"] - values["v_rest"]) * values["cm"] / values["tau_m"]
        values["i_offset"] = round(s.uniform(1.15, 1.5) * height, 3)
    if mixed is None:
        mixed = [[], ["tau_m"], ["tau_syn_E", "cm"], ["i_offset"] if values["i_offset"] else ["tau_syn_I"]][s.integer(0, 4)]
    inside = ", ".join(f"{key}={_argument(s, key, name, size, values, mixed)}" for key in values)
    model = hide_in_cells(s, name, values)
    s.line(f"{name} = sim.Population({size}, {model}({inside}), label=\"{name}\")")
    made = Cells(name, size, values)
    s.cells.append(made)
    how = s.integer(0, 4)
    low, high = values["v_rest"], values["v_thresh"] - 1
    if how == 0 and size > 1:
        seed = s.integer(1, 99)
        s.line(f"{name}.initialize(v=sim.RandomDistribution(\"uniform\", ({low:g}, {high:g}), "
               f"rng=sim.NumpyRNG(seed={s.value('initial v', name, seed, seed + 1)})))")
    elif how == 1:
        v = s.uniform(low, low + 0.6 * (high - low), 1)
        s.line(f"{name}.initialize(v={s.value('initial v', name, v, v + 3.0)})")
    return made


def weight_for(s, post, rate, share, single=0.0):
    """A weight (nA) rounded to four digits: `share` of the way to threshold by `rate` spikes a second on average, and one spike
    at least `single` of the way."""
    v = post.values
    height = v["v_thresh"] - v["v_rest"]
    return float(f"{max(drive(v, rate, share), single * height / peak(v)):.4g}")


def project(s, name, pre, post, connector, weight, delay, receptor="excitatory", label=None, spread=None, draw=None):
    """A projection. weight: number, or None where the connector has it. spread: weights are drawn, "normal" or "uniform".

    connector: text, `{pairs}` or `{seed}` in it with what `draw` says: ("list", pairs) or ("seed", number).
    """
    label = f"{pre} to {post}" if label is None else label
    if draw and draw[0] == "list":
        s.line(f"pairs = {draw[1]}")
        k = s.integer(0, len(draw[1]))
        if s.place("connection missing", label):
            s.line(f"if odd: del pairs[{k}]")
        connector = connector.format(pairs="pairs")
    elif draw:
        connector = connector.format(seed=s.value("connector seed", label, draw[1], draw[1] + 1))
    synapse, plain = [], None
    if weight is not None:
        change = s.factor(1.1, 1.3, 0.8)
        if spread:
            seed, width = s.integer(1, 99), abs(0.2 * weight)
            low, high = sorted((0.4 * weight, 1.6 * weight))
            mean = s.value("weight", label, f"{weight:g}", f"{change:g} * {weight:g}")
            if spread == "normal":
                text = (f'sim.RandomDistribution("normal_clipped", mu={mean}, sigma={width:.3g}, low={low:.4g}, high={high:.4g}, '
                        f"rng=sim.NumpyRNG(seed={seed}))")
            else:
                text = f'sim.RandomDistribution("uniform", ({low:.4g}, {high:.4g}), rng=sim.NumpyRNG(seed={seed}))'
        else:
            plain = weight
            text = f"gain * {weight:g}" if s.gain else f"{weight:g}"
            right = text
            text = s.value("weight", label, right, f"{change:g} * {right}")
            if s.trial_loop and text == right:
                k, when = s.trial_loop
                text = s.value("weight in one trial", label, right, f"{change:g} * {right}", when=when, trial=k)
        synapse.append(f"weight={text}")
    plain_delay = None
    if delay is not None:
        change = s.factor(0.3, 0.5, 1.0)
        right = delay if isinstance(delay, str) else f"{delay:g}"
        plain_delay = None if isinstance(delay, str) else delay
        synapse.append(f"delay={s.value('delay', label, right, f'{change:g} + {right}')}")
    receptor_text = f'"{receptor}"'
    if plain is not None and receptor == "excitatory" and s.place("receptor", label):
        # With its sign, by which NEST tells them apart; PyNN refuses a positive weight there.
        synapse[0] = f"weight={text} * (-1 if odd else 1)"
        receptor_text = '("inhibitory" if odd else "excitatory")'
    s.line(f"to_{name} = sim.Projection({pre}, {post}, {connector}, sim.StaticSynapse({', '.join(synapse)}), "
           f'receptor_type={receptor_text}, label="{label}")')
    made = Projection(f"to_{name}", label, pre, post, receptor, plain, plain_delay)
    s.projections.append(made)
    return made


def current(s, post):
    """A DCSource or StepCurrentSource into all cells; none where the script resets, for pyNN.brian2 then injects no more."""
    if s.resets:
        return
    stop = max(s.stop, 140.0)
    size = float(f"{0.4 * (post.values['v_thresh'] - post.values['v_rest']) * post.values['cm'] / post.values['tau_m']:.3g}")
    if s.integer(0, 2):
        value = s.value("current", (post.name, "pulse"), size, f"1.25 * {size}")
        s.line(f"pulse = sim.DCSource(amplitude={value}, start=20.0, stop={stop - 40:g})")
    else:
        value = s.value("current", (post.name, "pulse"), size, f"1.25 * {size}")
        s.line(f"pulse = sim.StepCurrentSource(times=[10.0, 35.0, {stop - 90:g}], amplitudes=[{value}, 0.0, {size / 2:g}])")
    s.not_odd("current left out", (post.name, "pulse"), f"pulse.inject_into({post.name})")
