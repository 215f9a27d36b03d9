"""How the documentation is built: `make docs`. Pages are Markdown (MyST), the gallery is run, formulas become MathML."""

import os
import re
from html import escape

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx_gallery.sorting import ExplicitOrder

os.environ.setdefault("NUMBA_NUM_THREADS", "1")

from ttfs_pynn import __version__  # noqa: E402
from ttfs_pynn.analysis.style import RC  # noqa: E402

project, author, copyright = "ttfs_pynn", "ttfs_pynn developers", "ttfs_pynn developers"
version = release = __version__
extensions = ["sphinx.ext.autodoc", "myst_parser", "sphinx_gallery.gen_gallery"]
suppress_warnings = ["config.cache"]  # sphinx-gallery asks for a function in the configuration
exclude_patterns = ["_build", "gallery", "conftest.py"]
nitpicky = True
default_role = "py:obj"
highlight_language = "text"
smartquotes_action = "qe"  # no dashes: --window is an option
# Single backquotes in docstrings: a link where the name is documented, else code.
nitpick_ignore_regex = [("py:obj", ".*")]

html_theme = "furo"
html_title = "ttfs_pynn"
html_static_path = ["_static"]
html_css_files = ["ttfs_pynn.css"]
html_show_sourcelink = False
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": True}

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
add_module_names = False
python_maximum_signature_line_length = 100


def _look(gallery_conf, file):
    """Every script of the gallery starts with the look of analysis.style."""
    import matplotlib
    matplotlib.rcParams.update({**RC, "savefig.dpi": 150, "figure.figsize": (6.0, 3.4)})


sphinx_gallery_conf = {
    "examples_dirs": "gallery", "gallery_dirs": "gallery_pages", "filename_pattern": r"/plot_",
    "subsection_order": ExplicitOrder(["gallery/neuron", "gallery/learning", "gallery/simulators", "gallery/chip"]),
    "reset_modules": ("matplotlib", _look), "abort_on_example_error": True, "capture_repr": (), "show_signature": False,
    "download_all_examples": False, "write_computation_times": False,
}


def _indented_is_literal(app, what, name, objekt, options, lines):
    """Equations, tables and examples stand indented in docstrings: literal blocks, as one reads them in the source."""
    shown, inside = [], False
    for line in lines:
        indented = line.startswith("  ")
        if indented and not inside and not (shown and re.match(r"\s*(-|\*|\.\.|\d+\.)\s", shown[-1])):
            shown += ["", "::", ""]
        inside = indented or (inside and not line.strip())
        shown.append(line if inside else line.replace("|", r"\|"))  # the size of something, no substitution
    lines[:] = shown


def _fields_are_in_the_class(app, what, name, objekt, skip, options):
    """A named tuple's fields are described by its own docstring; what Python says of them is "Alias for field number 0"."""
    return True if (getattr(objekt, "__doc__", None) or "").startswith("Alias for field number") else None


def _mathml(node, **options):
    try:
        return tex2mathml(node.astext(), **options)
    except MathError as error:
        logging.getLogger(__name__).warning("%s in the formula %s", error, node.astext(), location=node)
        return f"<code>{escape(node.astext())}</code>"


def _inline_math(self, node):
    self.body.append(_mathml(node))
    raise nodes.SkipNode


def _block_math(self, node):
    self.body.append(f'<div class="math">{_mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    app.connect("autodoc-process-docstring", _indented_is_literal)
    app.connect("autodoc-skip-member", _fields_are_in_the_class)
    # MathML, which browsers draw themselves: formulas need no network and no JavaScript.
    app.add_html_math_renderer("mathml", (_inline_math, None), (_block_math, None))
