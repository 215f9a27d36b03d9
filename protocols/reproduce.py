"""Reproduce the figures of the paper and those beyond it: each ROW is a network, trained for several seeds and tested once each.

A row is a file protocols/rows/ROW.toml: a model, a backend, values in place of the model's, the value to compare with and where
the settings come from. Each seed is a run in a process of its own with a run folder; a run that was killed goes on from its last
checkpoint, a finished one is not repeated. Results are gathered in DIR/ROW.json and on the page DIR/README.md. Without ROW: all.

examples:
  ttfs-pynn reproduce --list
  ttfs-pynn reproduce yin_yang
  ttfs-pynn reproduce yin_yang mnist --seeds 3 --workers 3
  ttfs-pynn reproduce yin_yang --quick                  (a look at a few samples and epochs, into DIR/quick)
  TTFS_PYNN_DATA=FOLDER ttfs-pynn reproduce --scheduler slurm --workers 20
"""

from pathlib import Path

from ttfs_pynn.analysis.results_page import page
from ttfs_pynn.commands.command_line import ArgumentParser, run, when_stopped
from ttfs_pynn.errors import ConfigurationError, TTFSError
from ttfs_pynn.files.sealed import read_json, write_bytes
from ttfs_pynn.runs.reproduce import QUICK, Row, reproduce, row_names

ROWS = Path(__file__).parent / "rows"


def parser():
    p = ArgumentParser(prog="ttfs-pynn reproduce", description=__doc__)
    p.add_argument("rows", nargs="*", metavar="ROW", help="what to reproduce (default: all; --list names them)")
    p.add_argument("--list", action="store_true", help="name the rows and what is stored of them, and stop")
    p.add_argument("--quick", action="store_true", help=f"{QUICK['seeds']} seeds, {QUICK['epochs']} epochs, {QUICK['samples']} "
                   "samples: shows that it runs; kept apart from results")
    p.add_argument("--seeds", metavar="N|LIST", help="so many, from the row's first on, or these: 3,4 (default: the row's)")
    p.add_argument("--scheduler", default="local", help="local (default), slurm, or the address of a Dask scheduler, "
                   "which trusts whoever can connect to it (SECURITY.md)")
    p.add_argument("--workers", type=int, default=2, metavar="N", help="runs at a time (default 2)")
    p.add_argument("--results", default="results", metavar="DIR", help="where results are gathered (default results)")
    p.add_argument("--runs", default="runs/reproduce", metavar="DIR", help="where run folders are kept (default runs/reproduce)")
    return p


def seeds_of(row, text, quick):
    """The seeds to run, from --seeds and the row."""
    try:
        given = None if text is None else [int(seed) for seed in text.split(",")]
    except ValueError:
        raise ConfigurationError(f"--seeds {text}: give a number such as 5, or seeds such as 3,4") from None
    if given is None:
        return row.seeds[:QUICK["seeds"]] if quick else row.seeds
    if min(given) < (1 if len(given) == 1 and "," not in text else 0):
        raise ConfigurationError(f"--seeds {text}: seeds count from 0, at least one is needed")
    return [row.seeds[0] + k for k in range(given[0])] if len(given) == 1 and "," not in text else given


def listing(results):
    """One line a row: title, seeds, how many are stored."""
    rows, lines = [Row.read(name, ROWS) for name in row_names(ROWS)], []
    names, titles = (2 + max(len(getattr(row, column)) for row in rows) for column in ("name", "title"))
    for row in rows:
        path = results / f"{row.name}.json"
        stored = len(read_json(path)["runs"]) if path.is_file() else 0
        lines.append(f"{row.name:<{names}}{row.title:<{titles}}{stored} of {len(row.seeds)} seeds stored")
    return lines


@when_stopped("the same command goes on with what is not finished")
def main(arguments=None):
    a = parser().parse_args(arguments)
    results = Path(a.results) / ("quick" if a.quick else ".")
    if a.list:
        print("\n".join(listing(results)))
        return 0
    failed = []
    for row in [Row.read(name, ROWS) for name in a.rows or row_names(ROWS)]:
        print(f"{row.name}: {row.title}", flush=True)
        try:
            problems = reproduce(row, seeds_of(row, a.seeds, a.quick), results, a.runs, a.scheduler, a.workers, a.quick)
            for problem in sorted(problems):
                print(f"{row.name}: {problem}")
            if problems:
                failed.append(row.name)
        except TTFSError as error:  # a model that is not there: the other rows go on
            if len(a.rows) == 1:
                raise
            print(f"{row.name}: not run: {error}")
            failed.append(row.name)
        write_bytes(results / "README.md", page(results).encode())
    print(results / "README.md")
    if failed:
        print(f"not complete: {', '.join(failed)}; the same command tries again")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
