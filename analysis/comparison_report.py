"""The comparison of simulators as one HTML page, figures inside, for a screen or a phone.

examples:
  ttfs-pynn comparison_report out          (DIR of ttfs-pynn compare; writes DIR/report.html)
"""

import html
from pathlib import Path

from ttfs_pynn.analysis import error_against_dt, raster
from ttfs_pynn.analysis.page import document, facts, figure, html_table
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.comparison.record import read_records
from ttfs_pynn.comparison.verdict import verdict
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import read_json, write_bytes


def _reference(result):
    """What the others were compared with."""
    return result.get("reference", "exact")


def _overview(result):
    rows = []
    for name, s in result["simulators"].items():
        for run_ in s["runs"]:
            share = run_["max_abs_error_ms"] / run_["dt_ms"]
            rows.append([name, run_["dt_ms"], run_["matched"], run_["missing"], run_["extra"], run_["unexplained"],
                         run_["median_abs_error_ms"], run_["max_abs_error_ms"], share, run_["class_agreement"],
                         len(run_["differences"]), len(run_["defects"]), round(run_["seconds"], 1)])
        rows += [("bad", [name, f["dt_ms"], f"did not run: {f['failure']}"]) for f in s["failures"]]
    return html_table(["simulator", "dt (ms)", "matched", "missing", "extra", "unexplained", "median (ms)", "largest (ms)",
                       "largest / dt", "same class", "other network", "defects", "seconds"], rows)


def _in_trial(found, run_):
    """' (trial 2 of 3)' where what was found belongs to one of several trials."""
    return "" if found.get("trial") is None or len(run_["trials"]) < 2 else \
        f" (trial {found['trial'] + 1} of {len(run_['trials'])})"


def _listed(result, key, text, nothing):
    found = [f"<li><b>{html.escape(name)}</b>, dt {run_['dt_ms']:g} ms: {html.escape(text(d) + _in_trial(d, run_))}</li>"
             for name, s in result["simulators"].items() for run_ in s["runs"] for d in run_[key]]
    return f"<ul>{''.join(found)}</ul>" if found else f"<p class='good'>{nothing}</p>"


def _differences(result):
    return _listed(result, "differences", lambda d: f"not the same network: {d['where']}: {d['text']}",
                   "Cells, parameters, connections, weights, delays, injected currents, the spikes of sources and the runs are "
                   "the same everywhere.")


def _defects(result):
    return _listed(result, "defects", lambda d: f"{d['text']} (± {d['error']:.2g})",
                   "No delay, weight or parameter acts other than described.")


def _trials(result):
    rows = [[name, run_["dt_ms"], t["trial"] + 1, t["duration_ms"], t["runs"], t["matched"], t["missing"], t["extra"],
             t["unexplained"], t["median_abs_error_ms"], t["max_abs_error_ms"]]
            for name, s in result["simulators"].items() for run_ in s["runs"] for t in run_["trials"] if len(run_["trials"]) > 1]
    if not rows:
        return ""
    return ("<h2>Trial by trial</h2><p class='note'>A trial begins with setup() or reset(). Runs: stretches of it in which the "
            "script changed nothing.</p>" +
            html_table(["simulator", "dt (ms)", "trial", "length (ms)", "runs", "matched", "missing", "extra", "unexplained",
                        "median (ms)", "largest (ms)"], rows))


def _layers(result):
    rows = []
    for name, s in result["simulators"].items():
        for run_ in s["runs"]:
            for p in run_["populations"]:
                whole, own = p["whole_network"], p["own_inputs"] or {}
                rows.append([p["population"], name, run_["dt_ms"], whole["matched"], whole["missing"], whole["extra"],
                             whole["max_abs_error_ms"], own.get("missing"), own.get("extra"), own.get("mean_error_ms"),
                             own.get("max_abs_error_steep_ms"), own.get("max_abs_error_ms"), own.get("grazing")])
    return html_table(["population", "simulator", "dt (ms)", "matched", "missing", "extra", "largest |error| (ms)",
                       "own: missing", "own: extra", "own: mean error (ms)", "own: largest, steep (ms)", "own: largest (ms)",
                       "grazing"], rows)


def _unmatched(result, most=40):
    rows = [[name, run_["dt_ms"], u["trial"] + 1, u["kind"], u["population"], u["cell"], f"{u['time_ms']:.2f}",
             u["margin_mV"], u["bound_mV"], u["cause"], u["explained"]]
            for name, s in result["simulators"].items() for run_ in s["runs"] for u in run_["unmatched"]]
    rows.sort(key=lambda row: row[-1])  # what is not explained comes first
    text = html_table(["simulator", "dt (ms)", "trial", "", "population", "cell", "time (ms)", "margin (mV)", "one step (mV)",
                       "cause", "explained"], [("" if row[-1] else "bad", row) for row in rows[:most]])
    return (text if rows else "<p class='good'>No spike is missing, none is extra.</p>") + \
        (f"<p class='note'>{len(rows) - most} more in comparison.json.</p>" if len(rows) > most else "")


def _statistics(result):
    rows = []
    for name, s in result["simulators"].items():
        for run_ in s["runs"]:
            rows += [("bad" if r["differs"] else "", [name, run_["dt_ms"], r["population"], r["measure"], r["mean_reference"],
                     r["mean_other"], r["effect"], r["test"], r["p_corrected"], r["differs"]])
                     for r in run_.get("statistics", {}).get("rows", ())]
    if not rows:
        return ""
    return ("<h2>Statistics of populations</h2><p class='note'>p is corrected by Holm. A difference is p &lt; 0.01 and at "
            "least 3 % of the mean (correlation: 0.002). Tests are over blocks of time. Where a network is chaotic, this counts "
            "and not single spikes.</p>" +
            html_table(["simulator", "dt (ms)", "population", "measure", "mean, exact", "mean", "difference", "test", "p",
                        "differs"], rows))


def _pictures(result, folder):
    text = ""
    reference = _reference(result)
    curves = {name: s["runs"] for name, s in result["simulators"].items() if name != reference and s["runs"]}
    if any(len(runs) > 1 for runs in curves.values()):
        text += "<h2>Error against time step</h2>" + figure(
            lambda f: error_against_dt.draw(f.subplots(1, 2), curves), "error against dt", (9.0, 3.4))
        rows = [[n, *("–" if s[key] is None else f"{s[key]:.2f}" for key in ("order", "own_order"))]
                for n, s in result["simulators"].items() if n in curves]
        text += html_table(["order of convergence", "whole network", "given own inputs"], rows)
        text += "<p class='note'>– where there are fewer than two steps, or errors are at rounding.</p>"
    for name, runs in curves.items():
        dt = max(r["dt_ms"] for r in runs)
        paths = [Path(folder) / "records" / f"{n}_{dt:g}.npz" for n in (reference, name)]
        own = Path(folder) / "records" / f"{name}_{dt:g}_exact.npz"  # what a chip is compared with
        paths[0] = own if own.is_file() else paths[0]
        if all(p.is_file() for p in paths):
            run_ = next(r for r in runs if r["dt_ms"] == dt)
            # Of several trials the one in which most differs.
            k = max(run_["trials"], key=lambda t: t["missing"] + t["extra"], default={"trial": 0})["trial"]
            a, b = (read_records(p)[k] for p in paths)
            trial = f", trial {k + 1} of {len(run_['trials'])}" if len(run_["trials"]) > 1 else ""
            stop = min(a.samples[1] if a.samples else a.duration, 300.0)
            text += f"<h2>{reference} and {html.escape(name)}, dt {dt:g} ms{trial}</h2>" + figure(
                lambda f, a=a, b=b, stop=stop, name=name: raster.draw_overlaid(
                    f.subplots(), raster.record_blocks(a), raster.record_blocks(b), stop=stop, names=(reference, name)),
                f"rasters of {reference} and {name}", (7.0, 4.4))
    return text


def page(result, folder):
    """The HTML page of a comparison.json in a folder."""
    settings = result["settings"]
    given = [["simulators", ", ".join(settings["simulators"])],
             ["time steps (ms)", ", ".join(f"{d:g}" for d in settings["dt_ms"])], ["samples", settings["samples"]],
             ["delay of layered networks (ms)", settings["delay_ms"]], ["seed", settings["seed"]]]
    notes = sorted({n for s in result["simulators"].values() for r in s["runs"] for n in r["notes"]})
    return document(f"Do the simulators agree? {result['what']}", [
        f"<h1>Do the simulators agree? {html.escape(Path(result['what']).name)}</h1>",
        f"<p><b>{html.escape(verdict(result))}</b></p>",
        f"<p>Reference: <b>{_reference(result)}</b>. A spike matches one of the same neuron within the window, each once, in "
        "order. Errors are absolute. <i>Own</i>: against the exact neuron that received what this one received. <i>Steep</i>: "
        "slope at threshold at least a tenth of the median; the others graze it, and a small error moves them far.</p>",
        _overview(result),
        "".join(f"<p class='note'>Note: {html.escape(n)}.</p>" for n in notes),
        "<h2>Is it the same network?</h2>", _differences(result),
        "<h2>Defects</h2>", "<p class='note'>What spike times show, given the network that each simulator says it has.</p>",
        _defects(result), _trials(result), _pictures(result, folder), _statistics(result), "<h2>Population by population</h2>",
        _layers(result), "<h2>Missing and extra spikes</h2><p class='note'>Margin: how far the exact membrane came above "
        "threshold (below, where negative). One step: how far it moves if each projection's input comes one step later. Cause "
        "<i>inputs</i>: the exact neuron does the same, given what this one received; <i>grid</i>: two spikes of a source in one "
        "step; <i>end</i>: the trial ends within a step.</p>",
        _unmatched(result), "<h2>Settings and versions</h2>",
        facts(given), facts(result["versions"]["packages"].items())])


def as_lines(result):
    """Whether they agree, the overview as lines of text, and below it what is not the same network."""
    lines = [verdict(result), f"{'simulator':<14}{'dt (ms)':>9}{'matched':>9}{'missing':>9}{'extra':>7}{'unexplained':>13}"
                              f"{'largest |error|':>17}  defects"]
    below = []
    for name, s in result["simulators"].items():
        for r in s["runs"]:
            found = "; ".join(d["text"] + _in_trial(d, r) for d in r["defects"]) or \
                ("not the same network, see below" if r["differences"] else "none")
            lines.append(f"{name:<14}{r['dt_ms']:>9g}{r['matched']:>9}{r['missing']:>9}{r['extra']:>7}{r['unexplained']:>13}"
                         f"{r['max_abs_error_ms']:>14.3g} ms  {found}")
            below += [f"{name}, dt {r['dt_ms']:g} ms: not the same network: {d['where']}: {d['text']}{_in_trial(d, r)}"
                      for d in r["differences"]]
        lines += [f"{name:<14}{f['dt_ms']:>9g}  did not run: {f['failure']}" for f in s["failures"]]
    return lines + below


def main(arguments=None):
    parser = ArgumentParser(prog="ttfs-pynn comparison_report", description=__doc__)
    parser.add_argument("folder", metavar="DIR", help="folder of ttfs-pynn compare")
    folder = Path(parser.parse_args(arguments).folder)
    if not (folder / "comparison.json").is_file():
        raise ResultsError(f"{folder} has no comparison.json; make it with ttfs-pynn compare")
    result = read_json(folder / "comparison.json")
    write_bytes(folder / "report.html", page(result, folder).encode())
    print(folder / "report.html")


if __name__ == "__main__":
    run(main)
