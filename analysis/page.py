"""Parts of an HTML page that holds all it shows: figures inside, no script, nothing from a network; for a screen or a phone.

Text that comes from files goes through `html.escape`: here for cells, captions and alternative texts, elsewhere by who writes it.
"""

import base64
import html
import io

from matplotlib import rc_context
from matplotlib.figure import Figure

from ttfs_pynn.analysis.style import RC

_STYLE = """
:root{color-scheme:light dark;--text:#222;--back:#fff;--line:#ddd;--soft:#555;--bad:#fbe3d6;--good:#e0f2ea}
@media(prefers-color-scheme:dark){:root{--text:#e4e4e4;--back:#181818;--line:#444;--soft:#aaa;--bad:#5a2d17;--good:#163f2e}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);max-width:1180px;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.2;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid var(--line)}
p,li{overflow-wrap:anywhere}
.wide{overflow-x:auto;-webkit-overflow-scrolling:touch}table{border-collapse:collapse;font-size:.88rem;margin:.5rem 0}
th,td{padding:.25rem .45rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{white-space:normal;vertical-align:bottom}
th:first-child,td:first-child{text-align:left}td.text{text-align:left;white-space:normal;min-width:14rem;overflow-wrap:anywhere}
.bad{background:var(--bad)}.good{background:var(--good)}.note{color:var(--soft);font-size:.9rem}
table.facts td{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:7rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1rem}
.panels figure{margin:0;max-width:38rem}
figure{margin:1rem 0;overflow-x:auto}figcaption{color:var(--soft);font-size:.9rem}
img{width:100%;height:auto;background:#fff}img.wide{min-width:34rem}li{margin:.3rem 0}
"""


def number(value, digits=3):
    """A cell's text: a number short, yes or no, a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def html_table(head, rows, digits=3):
    """A table. rows: lists of cells, or (class of the row, cells)."""
    lines = ["<div class=wide><table><tr>" + "".join(f"<th>{html.escape(h)}</th>" for h in head) + "</tr>"]
    for row in rows:
        name, cells = row if isinstance(row, tuple) else ("", row)
        # A failure takes the rest of its row.
        rest = f" colspan='{len(head) - len(cells) + 1}'" if len(cells) < len(head) else ""
        body = "".join(f"<td{' class=text' + rest if isinstance(c, str) and len(c) > 24 else ''}>"
                       f"{html.escape(number(c, digits))}</td>" for c in cells)
        lines.append(f"<tr class='{name}'>{body}</tr>")
    return "\n".join([*lines, "</table></div>"])


def facts(rows):
    """A table of names and values, [[name, value]], that a narrow screen wraps."""
    body = "\n".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(number(value))}</td></tr>" for name, value in rows)
    return f"<table class=facts>{body}</table>"


def figure(draw, alt, size=(7.0, 3.6), caption="", wide=True):
    """A figure with what draw(Figure) drew. wide: on a narrow screen it is scrolled instead of shrunk."""
    with rc_context(RC):
        drawing = Figure(figsize=size)
        draw(drawing)
        buffer = io.BytesIO()
        drawing.savefig(buffer, format="png", dpi=160)
    data = base64.b64encode(buffer.getvalue()).decode()
    text = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return (f"<figure><img{' class=wide' if wide else ''} alt='{html.escape(alt)}' src='data:image/png;base64,{data}'>{text}"
            "</figure>")


def document(title, parts):
    """The page: a title (plain text) and parts of HTML."""
    return "\n".join([
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>", *parts, "</body></html>\n"])
