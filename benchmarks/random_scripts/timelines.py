"""What happens to a network: runs, resets, changes between runs. Each is given the script and a function that builds."""

from benchmarks.random_scripts.hidden import hide_behind
from benchmarks.random_scripts.parts import DURATION, array_source, project, spike_times, weight_for

__all__ = ["TIMELINES"]


def _build(s, network, record=True):
    s.line("sim.setup(timestep=0.1, min_delay=0.1)")
    network(s)
    hide_behind(s)
    if record:
        s.line(f'{s.cells[0].name}.record("spikes")')


def once(s, network):
    """One run."""
    _build(s, network)
    s.line(f'sim.run({s.value("shorter run", (), f"{DURATION:g}", f"{DURATION - 60:g}")})')


def pieces(s, network):
    """run, run_until and run_for, data read in between, v recorded for a while."""
    _build(s, network)
    last = s.cells[-1].name
    a, b = s.uniform(60, 100, 1), s.uniform(120, 180, 1)
    if s.number % 16 == 8:
        return _callback(s, _plain(s))
    s.line(f'{last}.record("v")', f"sim.run({a})", f"{last}.record(None)", f"sim.run_until({b})",
           f"assert abs(sim.get_current_time() - {b}) < 1e-6 and len({last}.get_data().segments) == 1",
           f'sim.run_for({s.value("shorter run", (), f"{DURATION - b:g}", f"{DURATION - b - 70:g}")})', "sim.end()")


def _callback(s, p):
    """A change of weights inside of a run."""
    new = float(f"{1.2 * p.plain:.4g}")
    with s.block("def louder(t):"):
        with s.block("if t >= 150:"):
            s.line(f"{p.name}.set(weight={s.value('weight not changed', p.label, new, p.plain)})")
        s.line("return t + 50.0")
    s.line(f"sim.run({DURATION:g}, callbacks=[louder])")


def trials(s, network):
    """Trials with another current each, the same network."""
    s.resets, s.stop = True, 135.0
    _build(s, network)
    cells = s.cells[0]
    rheobase = (cells.values["v_thresh"] - cells.values["v_rest"]) * cells.values["cm"] / cells.values["tau_m"]
    first = cells.values["i_offset"] or 0.2 * rheobase
    levels = [float(f"{first * x:.3g}") for x in (1.0, 1.2, 0.9)]
    with s.block(f"for k, level in enumerate({tuple(levels)}):"):
        left_out = s.place("reset not made", ())
        if left_out:
            s.line("if k and not (odd and k == 2): sim.reset()")
        else:
            s.line("if k: sim.reset()")
        value = "level"
        for k in range(3):
            if s.place("i_offset in one trial", cells.name, trial=k):
                value = f"level * (1.25 if odd and k == {k} else 1.0)"
        if s.place("i_offset in two trials", cells.name):
            value = "level * (1.3 if odd and k < 2 else 1.0)"
        s.line(f"{cells.name}.set(i_offset={value})", "sim.run(140.0)")
    if not left_out:
        s.line(f"assert len({cells.name}.get_data().segments) == 3")


def _plain(s):
    return next(p for p in s.projections if p.plain is not None and not set(p.pre + p.post) & set("(") and "both" not in p.post)


def weights_change(s, network):
    """Weights changed between runs, delays between trials."""
    s.resets, s.stop = True, 145.0
    _build(s, network)
    p = _plain(s)
    new, late = float(f"{1.25 * p.plain:.4g}"), s.uniform(0.5, 4.0, int(s.rng.choice([1, 2])))
    s.line("sim.run(120.0)")
    s.not_odd("weight not changed", p.label, f"{p.name}.set(weight={new})")
    s.line("sim.run(100.0)", "sim.reset()")
    # After a reset pyNN.brian2 is back at the weights of before the first run; `exact` changes no delay under way.
    s.line(f"{p.name}.set(weight={p.plain:g})")
    s.not_odd("delay not changed", p.label, f"{p.name}.set(delay={late})", trial=1)
    s.line("sim.run(150.0)")


def cleared(s, network):
    """Data fetched and cleared between runs, weights changed later."""
    _build(s, network)
    p, cells = _plain(s), s.cells[0]
    new = float(f"{0.85 * p.plain:.4g}")
    with s.block("for k in range(3):"):
        s.line("sim.run(100.0)", f'data = {cells.name}.get_data("spikes", clear=True)', "assert len(data.segments) == 1")
        with s.block("if k == 1:"):
            if s.place("weight not changed", p.label):
                s.line(f"{p.name}.set(weight={p.plain:g} if odd else {new})")
            else:
                s.line(f"{p.name}.set(weight={new})")


def sweep(s, network):
    """A parameter sweep: several setup() in one script."""
    s.gain, s.trial_loop, s.stop = True, (1, "odd and k == 1"), 145.0
    with s.block("for k, gain in enumerate((0.8, 1.0, 1.2)):"):
        _build(s, network)
        s.line("sim.run(150.0)", "assert abs(sim.get_current_time() - 150) < 1e-6")
        s.line(f"assert len({s.cells[0].name}.get_data().segments) == 1")


def short_runs(s, network):
    """Many short runs."""
    _build(s, network)
    step = float(s.rng.choice([5.0, 2.5, 7.3]))
    with s.block(f"for k in range({int(DURATION / step)}):"):
        s.line(f"sim.run({step})")


def _array(s):
    return next((part for part in s.sources if part.times and part.size > 1), None)


def _with_kick(s, network):
    """The network, with sources of its own whose spikes can be replaced, where it has none."""
    def both(s):
        network(s)
        if _array(s) is None:
            array_source(s, "kick", 3, 40.0)
            post = s.cells[0]
            project(s, "kicked", "kick", post.name, "sim.AllToAllConnector()", weight_for(s, post, 120.0, 0.8, 0.2), 1.5)
    return both


def other_spikes(s, network):
    """spike_times replaced between runs."""
    s.stop = 140.0  # NEURON has queued the next spike of a source already
    _build(s, _with_kick(s, network))
    source = _array(s)
    s.line("sim.run(150.0)")
    trains = spike_times(s, source.size, source.rate, 155.0, DURATION)
    s.line(f"later = {trains}")
    s.only_odd("spike missing later", source.name, "del later[0][2]")
    s.line(f"{source.name}.set(spike_times=later)", "sim.run(150.0)")


def parameters_change(s, network):
    """Parameters of a population and of a view changed between runs."""
    _build(s, network)
    cells = s.cells[-1]
    v = cells.values
    if cells.size > 2:
        s.line(f"{cells.name}[0:2].set(v_thresh={v['v_thresh'] - 1:g})")
    s.line("sim.run(120.0)")
    s.not_odd("v_thresh not changed", cells.name, f"{cells.name}.set(v_thresh={v['v_thresh'] - 2:g})")
    s.line("sim.run(100.0)")
    changes = f"tau_m={1.3 * v['tau_m']:.4g}, tau_refrac={v['tau_refrac'] + 1:g}"
    s.not_odd("tau_m not changed", cells.name, f"{cells.name}.set({changes})")
    s.line("sim.run(100.0)")


def trials_of_spikes(s, network):
    """Trials with other input spikes each, data cleared after each."""
    s.shown_later = s.resets = True
    _build(s, _with_kick(s, network))
    source = _array(s)
    trains = [spike_times(s, source.size, source.rate, 3.0, 145.0) for _ in range(3)]
    s.line("shown = [" + ",\n             ".join(str(t) for t in trains) + "]")
    for k in range(3):
        s.only_odd("spike missing in one trial", source.name, f"del shown[{k}][1][1]", trial=k)
    with s.block("for k, times in enumerate(shown):"):
        s.line("if k: sim.reset()", f"{source.name}.set(spike_times=times)", "sim.run(150.0)")
        s.line(f'{s.cells[0].name}.get_data("spikes", clear=True)')


TIMELINES = (once, pieces, trials, weights_change, cleared, sweep, short_runs, other_spikes, parameters_change, trials_of_spikes)
