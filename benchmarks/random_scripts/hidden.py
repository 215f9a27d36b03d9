"""Defects that are not in what PyNN reports: the simulator computes with another value than `get` gives back."""

__all__ = ["hide_behind", "hide_in_cells"]

_WRONG = '''
def wrong(cls, name, change):
    """PyNN's class with a mistake in its units: the simulator is given change * value, which is undone in what is read."""
    class Model(cls):
        def translate(self, parameters, **options):
            native = super().translate(parameters, **options)
            inner = self.translations[name]["translated_name"]
            return changed(native, inner, change)

        def reverse_translate(self, native):
            return super().reverse_translate(changed(native, self.translations[name]["translated_name"], 1 / change))
    Model.__name__ = cls.__name__
    return Model


def changed(native, name, factor):
    from pyNN.parameters import ParameterSpace
    values = {key: value * factor if key == name else value for key, value in native.items()}
    return ParameterSpace(values, schema=None, shape=native.shape)
'''

# What the simulator is given, over what the script says.
_FACTORS = {"tau_m": (0.8, 1.25), "cm": (0.8, 1.25), "tau_syn_E": (0.75, 1.3), "v_thresh": (0.965, 1.03), "i_offset": (0.9, 1.12),
            "tau_refrac": (3.0,), "v_reset": (1.08, 0.95)}


def hide_in_cells(s, name, values):
    """The text of the cell type of a population, one with a mistake in its units where that is planted."""
    model = "sim.IF_curr_exp"
    for parameter, factors in _FACTORS.items():
        change = s.factor(*factors)
        if values.get(parameter) and s.place(f"hidden {parameter}", name, hidden=True):
            s.helpers.append(_WRONG)
            model = f'(wrong(sim.IF_curr_exp, "{parameter}", {change:g}) if odd else sim.IF_curr_exp)'
    return model


_CURRENT = {
    "nest": ("import nest",
             'nest.Connect(nest.Create("dc_generator", params={{"amplitude": 1000 * {size}}}), {name}.node_collection)'),
    "brian2": ("import brian2", "{name}.brian2_group.i_inj = {size} * brian2.nA"),
    "neuron": ("from neuron import h", "for cell in {name}:",
               "    cell._cell.more = h.IClamp(0.5, sec=cell._cell)",
               "    cell._cell.more.delay, cell._cell.more.dur, cell._cell.more.amp = 0.0, 1e9, {size}"),
}
_PAIRS = ('pairs = [(int(i), int(j)) for i, j, _ in {projection}.get("weight", format="list")]',)
_SECOND = {
    "nest": ("import nest", *_PAIRS, "for i, j in pairs:",
             '    nest.Connect({pre}.node_collection[i], {post}.node_collection[j], "one_to_one",',
             '                 {{"weight": 1000 * {size}, "delay": {delay}}})'),
    "brian2": ("import brian2", *_PAIRS,
               'more = brian2.Synapses({pre}.brian2_group, {post}.brian2_group, on_pre="{variable} += {size} * nA",',
               "                       delay={delay} * brian2.ms, clock=sim.simulator.state.network.clock)",
               "more.connect(i=[i for i, _ in pairs], j=[j for _, j in pairs])", "sim.simulator.state.network.add(more)"),
    "neuron": (*_PAIRS, "{post}.more = []", "for i, j in pairs:",
               "    more = sim.simulator.state.parallel_context.gid_connect(int({pre}[i]), {post}[j]._cell.{receptor}syn)",
               "    more.weight[0], more.delay = {size}, {delay}", "    {post}.more.append(more)"),
}
_DELAY = {
    "brian2": ("path = {projection}._brian2_synapses[0][0].pre", "prepare = path.initialise_queue",
               "def late():", "    held = path.variables['delay'].get_value()", "    held += {change} * 1e-3", "    prepare()",
               "    held -= {change} * 1e-3", "path.initialise_queue = late"),
    "neuron": ("class Late(sim.simulator.Connection):",
               "    delay = property(lambda self: self.nc.delay - {change},",
               "                     lambda self, value: setattr(self.nc, 'delay', value + {change}))",
               "for one in {projection}.connections:", "    one.nc.delay += {change}", "    one.__class__ = Late"),
}


def _lines(lines, **values):
    return [line.format(**values) for line in lines]


def hide_behind(s):
    """After all is built: a current, connections or delays behind PyNN's back."""
    for cells in s.cells:
        v = cells.values
        size = float(f"{0.15 * (v['v_thresh'] - v['v_rest']) * v['cm'] / v['tau_m']:.3g}")
        s.only_odd("hidden current", cells.name, *_lines(_CURRENT[s.simulator], name=cells.name, size=size), hidden=True)
    names = {part.name for part in (*s.cells, *s.sources)}
    for p in s.projections:
        if p.plain is None or p.pre not in names or p.post not in names or p.delay is None:
            continue
        inhibitory = p.receptor == "inhibitory"
        values = dict(pre=p.pre, post=p.post, size=float(f"{0.2 * p.plain:.3g}"), delay=max(round(p.delay, 1), 0.1),
                      variable="ii" if inhibitory else "ie", receptor="i" if inhibitory else "e", projection=p.name,
                      change=s.factor(0.6, 1.0))
        s.only_odd("hidden weight", p.label, *_lines(_SECOND[s.simulator], **values), hidden=True)
        if s.simulator in _DELAY:
            s.only_odd("hidden delay", p.label, *_lines(_DELAY[s.simulator], **values), hidden=True)
