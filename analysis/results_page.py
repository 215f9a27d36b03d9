"""The results of `ttfs-pynn reproduce` as a page in Markdown: one table, then where each row's settings come from.

examples:
  ttfs-pynn results_page results
"""

from pathlib import Path

import numpy as np

from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.sealed import read_json
from ttfs_pynn.runs.folder import RunFolder

_HEAD = ("| what | paper | test accuracy | each seed | fresh samples | decision after (tau_syn) | spikes a sample | close "
         "decisions | on the chip, a sample | command |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")


def mean_and_spread(values, digits=4):
    """'mean +- standard deviation (n)' of a list; without a spread for one value, '-' for none."""
    values = np.array([v for v in values if v is not None], dtype=float)
    if not values.size:
        return "-"
    spread = f" +- {values.std(ddof=1):.{digits}f}" if values.size > 1 else ""
    return f"{values.mean():.{digits}f}{spread} ({values.size})"


def _paper(paper):
    if "accuracy" not in paper:
        return "-"
    return f"{paper['accuracy']:.3f}" + (f" +- {paper['std']:.3f}" if "std" in paper else "")


def _costs(runs):
    """Time and energy of a sample on the chip, which are the same for all seeds."""
    if "hardware_us_per_sample" not in runs[0]:
        return "-"
    return f"{runs[0]['hardware_us_per_sample']:.0f} us, {runs[0]['microjoule_per_sample']:.1f} uJ"


def line(result):
    """One row of the table, from the dict of a results file."""
    runs = result["runs"]
    fresh = mean_and_spread([r.get("fresh_accuracy") for r in runs])
    if fresh != "-":
        fresh += f" on {max(r.get('fresh_samples', 0) for r in runs):,}"
    return "| " + " | ".join((
        result["title"], _paper(result["paper"]), mean_and_spread([r["test_accuracy"] for r in runs]),
        " ".join(f"{r['test_accuracy']:.4f}" for r in runs), fresh, mean_and_spread([r["latency_tau_syn"] for r in runs], 2),
        mean_and_spread([r["spikes_per_sample"] for r in runs], 1),
        mean_and_spread([r.get("close_decisions") for r in runs]), _costs(runs), f"`{result['command']}`")) + " |"


def markdown_table(results):
    """The table of results (a list of the dicts in the files), as Markdown."""
    return "\n".join([_HEAD, *map(line, results)])


def read(folder):
    """The results in a folder, in order of their files' names."""
    found = []
    for path in sorted(Path(folder).glob("*.json")):
        try:
            result = read_json(path)
            line(result)
        except (ResultsError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            what = f"it has no {error}" if isinstance(error, KeyError) else "it is no table of results"
            raise ResultsError(f"{path} is no result of ttfs-pynn reproduce: {what}") from None
        found.append(result)
    return found


def page(folder):
    """The page README.md of a folder of results, as text."""
    results = read(folder)
    quick = any(result["quick"] for result in results)
    title = "# A quick look, not results\n\nFew epochs and samples: these figures show only that everything runs." if quick else \
        "# Results"
    notes = [f"**{r['title']}.** {r['settings']} {r['configuration']['training']['epochs']} epochs on "
             f"{r['configuration']['backend']}." + (f" Paper's value: {r['paper']['source']}" if "source" in r["paper"] else "")
             for r in results]
    text = ("Mean +- standard deviation over seeds (how many) of the accuracy on test samples, seen once, at the end. This\n"
            "page is written by `ttfs-pynn reproduce`; settings are in `protocols/rows`, all figures in JSON files.\n"
            "Close decisions: the share of samples whose first two label spikes are less than 0.1 ms apart. A simulator with\n"
            "steps of 0.1 ms may decide them otherwise. On the chip: time from one sample to the next, energy at 175 mW.")
    if (Path(folder) / "robustness" / "README.md").is_file():
        notes.append("How much imperfection of a substrate training bears: `robustness/README.md`.")
    return "\n\n".join([title, text, markdown_table(results), "## Settings", *notes]) + "\n"


def main(arguments=None):
    parser = ArgumentParser(prog="ttfs-pynn results_page", description=__doc__)
    parser.add_argument("folder", metavar="DIR", help="folder of results, such as results")
    a = parser.parse_args(arguments)
    if RunFolder.exists(a.folder):
        raise ResultsError(f"{a.folder} is the folder of one run: its page is made by ttfs-pynn report {a.folder}; this one is "
                           "of a folder of results of ttfs-pynn reproduce")
    if not any(Path(a.folder).glob("*.json")):
        raise ResultsError(f"there are no results in {a.folder}; make them with ttfs-pynn reproduce")
    print(page(a.folder), end="")


if __name__ == "__main__":
    run(main)
