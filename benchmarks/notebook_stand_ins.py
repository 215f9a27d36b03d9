"""Stand-ins for a notebook server; `python -m benchmarks.notebook_stand_ins SCRIPT RESULT.json` runs a script of cells.

ipywidgets: a widget holds its default value; `interact` and `interactive` call the function once with the defaults, as the real
ones do when a cell is run, but let its exceptions through. ipycanvas draws nothing. IPython and pandas are replaced only where
they are not installed; a cell runs up to where it uses pandas.
"""

import builtins
import contextlib
import importlib.util
import inspect
import json
import sys
import types
from pathlib import Path

from benchmarks import notebook_cells


class Widget:
    """Whatever is not a slider: keeps its keywords, ignores events."""

    names = ("value",)

    def __init__(self, *args, **keywords):
        self.__dict__.update(layout=types.SimpleNamespace(), children=(), value=None)
        self.__dict__.update(zip(self.names, args, strict=False), **keywords)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **keywords: None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class Slider(Widget):
    """A number between `min` and `max`; as in ipywidgets, a default outside is moved to the nearer end."""

    names, kind = ("value", "min", "max", "step"), float

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        low, high = (self.kind(self.__dict__.get(name, default)) for name, default in (("min", 0), ("max", 100)))
        self.value = min(max(self.kind(0 if self.value is None else self.value), low), high)


class IntSlider(Slider):
    kind = int


class Text(Widget):
    def __init__(self, value="", **keywords):
        super().__init__(value, **keywords)


class Checkbox(Widget):
    def __init__(self, value=False, *args, **keywords):
        super().__init__(value, **keywords)


class Choice(Widget):
    """A dropdown or a set of buttons: the first option unless told otherwise; options may be (label, value) pairs."""

    def __init__(self, options=(), value=None, **keywords):
        first = next(iter(options.values() if isinstance(options, dict) else options), None)
        first = first[1] if isinstance(first, tuple) else first
        super().__init__(first if value is None else value, options=options, **keywords)


class Box(Widget):
    names = ("children",)


def _default(given):
    """The value that a widget, or an abbreviation of one, starts with."""
    if isinstance(given, Widget):
        return given.value
    if isinstance(given, tuple) and 2 <= len(given) <= 3 and all(isinstance(x, int | float) for x in given):
        low, high = given[:2]
        return low + (high - low) // 2 if all(isinstance(x, int) for x in given) else low + (high - low) / 2
    if isinstance(given, list | tuple | dict):
        return Choice(given).value
    return given


class interactive(Widget):  # noqa: N801
    def __init__(self, function, options=None, **widgets):
        parameters = inspect.signature(function).parameters
        anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        # ipywidgets drops keywords that the function does not take.
        self._call = function, {name: w for name, w in widgets.items() if anything or name in parameters}
        super().__init__(children=(*widgets.values(), Widget()))
        self.update()

    def update(self, *_):
        function, widgets = self._call
        self.result = function(**{name: _default(w) for name, w in widgets.items()})


def interact(function=None, **widgets):
    """Both `@interact(x=...)` and `interact(f, x=...)`; the function stays what it was."""
    if function is None:
        return lambda decorated: interact(decorated, **widgets)
    interactive(function, **widgets)
    return function


def interact_manual(function=None, **widgets):
    """Runs when a button is pressed, that is never."""
    return function or (lambda decorated: decorated)


interact.options = lambda **options: interact
interact_manual.options = lambda **options: interact_manual


def _module(name, **content):
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(content)
    # Any other widget is one that does nothing.
    module.__getattr__ = lambda other: Widget if other[0].isupper() else _unknown(name, other)
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    return module


def _unknown(module, name):
    raise AttributeError(f"module {module} has no attribute {name}")


def _use_of_pandas(name):
    raise AttributeError(name) if name.startswith("__") else notebook_cells.MissingModule("pandas")


def install():
    """Put the stand-ins where a script imports them from."""
    import tqdm
    missing = [name for name in ("IPython", "pandas") if importlib.util.find_spec(name) is None]
    _module("ipywidgets", interact=interact, interact_manual=interact_manual, interactive=interactive, fixed=Widget,
            IntSlider=IntSlider, BoundedIntText=IntSlider, IntText=IntSlider, FloatSlider=Slider, BoundedFloatText=Slider,
            Text=Text, HTML=Text, Label=Text, Checkbox=Checkbox, ToggleButton=Checkbox, Dropdown=Choice, RadioButtons=Choice,
            ToggleButtons=Choice, Select=Choice, SelectionSlider=Choice, Layout=lambda **k: types.SimpleNamespace(**k),
            Box=Box, HBox=Box, VBox=Box, GridBox=Box, Tab=Box, Accordion=Box)
    _module("ipycanvas", hold_canvas=contextlib.nullcontext)

    def display(*args, **keywords):
        pass

    if "IPython" in missing:
        # Matplotlib asks for it, and draws plainly if there is none.
        _module("IPython", get_ipython=lambda: None, version_info=(9, 0))
        _module("IPython.display", display=display, clear_output=display, HTML=Text)
    # A notebook has these without an import.
    builtins.display, builtins.get_ipython = display, lambda: None
    if "pandas" in missing:
        # Importing it is harmless, and a cell is left out from where it uses it.
        sys.modules["pandas"] = types.ModuleType("pandas")
        sys.modules["pandas"].__getattr__ = _use_of_pandas
    # The bars for a notebook need the real ipywidgets.
    sys.modules["tqdm.notebook"] = tqdm.notebook = tqdm


def main(script, result):
    install()
    outcome = notebook_cells.run_cells(script)
    Path(result).write_text(json.dumps(outcome), encoding="utf-8")
    raise SystemExit(1 if outcome["failure"] else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
