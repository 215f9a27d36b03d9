"""A run as one HTML page: what it reached, how it learned, when it decides, what it looks like, and what it was made with.

The page holds its figures, needs no network and no script, and fits a phone. What the run folder lacks is named on it: a run on
arrays has no rasters, only a chip has costs.

examples:
  ttfs-pynn report runs/yy7                           (writes runs/yy7/report.html)
  ttfs-pynn report runs/yy7 --output yy7.html
"""

import html
from pathlib import Path

import numpy as np

from ttfs_pynn.analysis import (
    decision_map,
    decision_time,
    latency_histogram,
    latency_over_training,
    learning_curve,
    raster,
    weight_histogram,
)
from ttfs_pynn.analysis.neo_files import no_spikes
from ttfs_pynn.analysis.page import document, facts, figure, html_table
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import write_bytes
from ttfs_pynn.learning.loss import predict
from ttfs_pynn.runs.folder import RunFolder

PANEL, BROAD = (4.2, 3.0), (5.6, 4.4)
MOST_OUTLINES = 4  # classes whose histograms can be told apart

# Of metrics.json: what is shown, as what, in which unit (a factor and digits for it).
METRICS = {"test_accuracy": ("test accuracy", "%", 100, 2), "test_samples": ("test samples", "", 1, 0),
           "validation_accuracy": ("validation accuracy", "%", 100, 2), "latency_ms": ("mean latency of a decision", "ms", 1, 2),
           "latency_tau_syn": ("in units of tau_syn", "", 1, 3),
           "spikes_per_sample": ("spikes a sample until the decision", "", 1, 1),
           "no_answer": ("samples without an answer", "%", 100, 2),
           "close_decisions": ("decided by less than 0.1 ms", "%", 100, 2),
           "epochs": ("epochs", "", 1, 0), "seed": ("seed", "", 1, 0), "seconds_per_epoch": ("an epoch takes", "s", 1, 2)}
COSTS = {"hardware_us_per_sample": ("a sample", "us", 1, 1), "samples_per_second": ("samples a second", "", 1, 0),
         "microjoule_per_sample": ("energy of a sample", "uJ", 1, 2), "chip_milliwatt": ("power of the chip", "mW", 1, 0)}


class Missing(Exception):
    """A part of the page that the run folder has nothing for; the text says what and why."""


def _named(stored, names):
    return [[label, f"{stored[key] * factor:.{digits}f} {unit}".strip()]
            for key, (label, unit, factor, digits) in names.items() if stored.get(key) is not None]


def _class_names(folder, n_classes):
    names = [str(name) for name in folder.configuration.get("classes", ())]
    return names if len(names) == n_classes else [f"class {k}" for k in range(n_classes)]


def _metrics(folder):
    return facts([["backend", str(folder.configuration.get("backend", "unknown"))], *_named(folder.read_metrics(), METRICS)])


def _learning(folder):
    history = folder.read_history()
    if not history:
        raise Missing("no epoch is finished yet")
    loss = learning_curve.column(history, "train_loss")
    panels = [figure(lambda f: learning_curve.draw_loss(f.subplots(), history),
                     f"Training loss over {len(history)} epochs, from {loss[0]:.3g} to {loss[-1]:.3g}.", PANEL, wide=False),
              figure(lambda f: learning_curve.draw_error(f.subplots(), history),
                     f"Wrong answers over {len(history)} epochs, training and validation samples, on a log scale.", PANEL,
                     wide=False)]
    latency = learning_curve.column(history, "validation_latency_ms")
    if np.isfinite(latency).any():
        tau_syn = decision_time.tau_syn_of(folder)
        spikes = learning_curve.column(history, "validation_spikes")
        panels += [figure(lambda f: latency_over_training.draw_latency(f.subplots(), history, tau_syn),
                          f"Mean latency of decisions on validation samples, from {latency[0] / tau_syn:.3g} to "
                          f"{latency[-1] / tau_syn:.3g} tau_syn.", PANEL, wide=False),
                   figure(lambda f: latency_over_training.draw_spikes(f.subplots(), history),
                          f"Spikes a sample until the decision, from {spikes[0]:.3g} to {spikes[-1]:.3g}.", PANEL, wide=False)]
        note = ""
    else:
        note = "<p class='note'>No latency in the history: it has no validation samples, or is older than this figure.</p>"
    return f"<div class=panels>{''.join(panels)}</div>{note}"


def _decisions(folder):
    times, labels, tau_syn = decision_time.decisions(folder)
    stored = folder.read_arrays("decisions")
    runs = {"test": (times, labels, tau_syn)}
    classes = _class_names(folder, times.shape[1])
    _, final, median, most, nearly_all, _ = decision_time.rows(runs)[0]
    if median is None:
        return "<p>No sample had an answer: no label neuron spiked.</p>"

    def latencies(axes):
        if len(classes) > MOST_OUTLINES:
            return decision_time.draw_latencies(axes, runs)
        return latency_histogram.draw(axes, times.min(axis=1), labels, classes)

    text = [f"<p>Half of the decisions are made by {median:.3f} tau_syn ({median * tau_syn:.2f} ms). If the readout stops at "
            f"{most:.3f} tau_syn, 99 % of the accuracy are reached; at {nearly_all:.3f} tau_syn, 99.9 %.</p>"]
    panels = [figure(lambda f: decision_time.draw_accuracy(f.subplots(), runs),
                     f"Right answers if the readout stops at time t, up to {100 * final:.2f} % in the end.", PANEL, wide=False),
              figure(lambda f: latencies(f.subplots()),
                     f"Distribution of the first label spike, median {median:.2f} tau_syn.", PANEL, wide=False)]
    text.append(f"<div class=panels>{''.join(panels)}</div>")
    head, rows = ["class", "samples", "right (%)", "median latency (tau_syn)", "no answer"], []
    answers, latency = predict(times), times.min(axis=1)
    for k, name in enumerate(classes):
        of = labels == k
        known = latency[of & np.isfinite(latency)]
        rows.append([name, int(of.sum()), f"{100 * (answers[of] == k).mean():.1f}" if of.any() else None,
                     f"{np.median(known):.3f}" if known.size else None, int((answers[of] == -1).sum())])
    text.append(html_table(head, rows))
    if "layer_spikes" in stored:
        first, whole = stored["layer_spikes"].mean(axis=0), stored["window_spikes"].mean(axis=0)
        graph = folder.read_graph()
        names = [node.label + (" (decides)" if node.label == graph.outputs else "") for node in graph.neurons]
        text.append(html_table(["population", "spikes a sample until the decision", "in the whole window"],
                          [[name, f"{a:.1f}", f"{b:.1f}"] for name, a, b in zip(names, first, whole, strict=True)]))
    return "\n".join(text)


def _rasters(folder):
    pictures = {name: raster.stored_blocks(folder, name) for name in ("before", "after")}
    pictures = {name: raster.readable(blocks) for name, blocks in pictures.items() if blocks}
    if not pictures:
        raise Missing(no_spikes(folder))
    names = [str(name) for name in folder.configuration.get("classes", ())]
    unit, stop = decision_time.tau_syn_of(folder), raster.last_spike(pictures.values())  # one axis for both
    return "<div class=panels>" + "".join(
        figure(lambda f, blocks=blocks: raster.draw(f.subplots(), blocks, 0.0, stop, unit, class_names=names),
               f"Raster of one test sample {name} training: {', '.join(blocks)} from bottom to top; dots are first spikes.",
               BROAD, f"One test sample {name} training. Dots are first spikes; the dotted line is the decision.", wide=False)
        for name, blocks in pictures.items()) + "</div>"


def _map(folder):
    if not (folder.path / "decision_map.npz").is_file():
        raise Missing("there is no decision_map.npz: only models of the plane have one, on a simulator of single samples")
    stored = folder.read_arrays("decision_map")
    labels, times = stored["labels"], stored.get("times")
    names = _class_names(folder, max(len(folder.configuration.get("classes", ())), int(labels.max(initial=0)) + 1))
    shares = ", ".join(f"{name} {100 * (labels == k).mean():.0f} %" for k, name in enumerate(names))
    return "<div class=panels>" + figure(
        lambda f: decision_map.draw(f.subplots(), labels, times, names),
        f"What the network answers over the unit square: {shares}.", BROAD, wide=False) + "</div>"


def _histograms(stored):
    panels = []
    for name, values in stored.items():
        what, unit, draw = weight_histogram.kind_of(name)
        shape = " x ".join(map(str, values.shape))
        panels.append(figure(lambda f, draw=draw, values=values, shape=shape: draw(f.subplots(), values, shape),
                             f"Histogram of {what} {name}, {shape}: mean {values.mean():.3g} {unit}, standard deviation "
                             f"{values.std():.3g} {unit}.", PANEL, name, wide=False))
    return f"<div class=panels>{''.join(panels)}</div>"


def _weights(folder):
    stored = folder.read_parameters()
    return _histograms({name: w for name, w in stored.items() if weight_histogram.kind_of(name)[0] == "weights"})


def _times(folder):
    stored = folder.read_parameters()
    times = {name: t for name, t in stored.items() if weight_histogram.kind_of(name)[0] != "weights"}
    if not times:
        raise Missing("no delays and no times of sources were trained")
    return _histograms(times)


def _costs(folder):
    rows = _named(folder.read_metrics(), COSTS)
    if not rows:
        raise Missing("only the (emulated) chip has costs")
    return f"{facts(rows)}<p class='note'>Times elsewhere on this page are the model's: 1 ms of it is 1 us on the chip.</p>"


def _elsewhere(folder):
    found = sorted(folder.path.glob("evaluation_*.json"))
    if not found:
        raise Missing("it was not evaluated on another simulator (ttfs-pynn evaluate)")
    rows = []
    for file in found:
        e = folder.read_json(file.name)
        for row in e["populations"]:
            whole, own = row["whole_network"], row["own_inputs"]
            rows.append([e["backend"], e["dt_ms"], e["test_accuracy"], e["class_agreement"], row["population"], whole["matched"],
                         whole["missing"], whole["extra"], own["max_abs_difference_ms"]])
    return html_table(["simulator", "dt (ms)", "accuracy", "same class", "population", "first spikes matched", "missing", "extra",
                  "own inputs: largest |dt| (ms)"], rows, digits=4)


def _flat(value, name=""):
    """(dotted name, text) of everything in nested tables."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _configuration(folder):
    return facts(_flat(folder.configuration))


def _versions(folder):
    return facts(_flat(folder.read_versions()))


PARTS = (("Results", _metrics), ("Learning", _learning), ("Decisions", _decisions), ("Costs on the chip", _costs),
         ("One sample", _rasters), ("The plane", _map), ("Weights", _weights), ("Delays and times of sources", _times),
         ("On other simulators", _elsewhere), ("Configuration", _configuration), ("Environment", _versions))


def _part(folder, title, make):
    try:
        return f"<h2>{title}</h2>\n{make(folder)}"
    except (Missing, ResultsError) as reason:
        return f"<h2>{title}</h2>\n<p class='note'>Not there: {html.escape(str(reason))}.</p>"
    # A file that is not as this version writes it must not cost the rest of the page.
    except Exception as error:
        return (f"<h2>{title}</h2>\n<p class='bad'>The run folder's data for this part cannot be shown "
                f"({html.escape(f'{type(error).__name__}: {error}')}).</p>")


def page(folder):
    """The HTML page of a RunFolder."""
    name = folder.path.absolute().name
    model = str(folder.configuration.get("model", "a run"))
    return document(f"{model}: {name}", [f"<h1>{html.escape(model)}: {html.escape(name)}</h1>",
                                         *(_part(folder, title, make) for title, make in PARTS)])


def parser():
    p = ArgumentParser(prog="ttfs-pynn report", description=__doc__)
    p.add_argument("folder", metavar="RUN", help="run folder of ttfs-pynn train")
    p.add_argument("--output", metavar="FILE", help="page to write (default RUN/report.html)")
    return p


def main(arguments=None):
    a = parser().parse_args(arguments)
    folder = RunFolder.open(a.folder)
    path = Path(a.output or folder.path / "report.html")
    write_bytes(path, page(folder).encode())
    print(path)


if __name__ == "__main__":
    run(main)
