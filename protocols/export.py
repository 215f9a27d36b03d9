"""Write the trained network of a run for other programs.

nir: a graph of the Neuromorphic Intermediate Representation, which norse, snnTorch and others load. How much a spike is that
lasts one step of a framework, NIR does not say, so a file is for one step: give the framework the same one (snnTorch 1.0 has
0.1 ms built in). Only first spikes matter in these networks: let every neuron spike once. `ttfs_pynn.interchange` has the
equations, and `read_nir` and `from_nir`, which make networks of such files.

examples:
  ttfs-pynn export runs/yy7 --format nir --output yy7.nir
  ttfs-pynn export runs/yy7 --format nir --time-step 0.01 --output yy7.nir
"""

from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.runs.finished import open_run

FORMATS = ("nir",)


def parser():
    p = ArgumentParser(prog="ttfs-pynn export", description=__doc__)
    p.add_argument("folder", metavar="RUN", help="run folder of ttfs-pynn train")
    p.add_argument("--format", choices=FORMATS, default="nir", help="default nir")
    p.add_argument("--output", required=True, metavar="FILE", help="file to write; one that is there is replaced")
    p.add_argument("--model", metavar="FILE", help="the run's model, where it is neither of the package nor in this folder")
    p.add_argument("--time-step", type=float, default=0.1, metavar="MS",
                   help="step of the framework that will read the file (default 0.1 ms); 0: spikes are delta functions")
    return p


def main(arguments=None):
    a = parser().parse_args(arguments)
    try:
        from ttfs_pynn.interchange import to_nir, write_nir
    except ImportError as error:
        raise ConfigurationError(str(error)) from None
    _, experiment, weights = open_run(a.folder, a.model)
    graph = to_nir(experiment.architecture, weights, a.time_step)
    write_nir(a.output, graph)
    print(f"{a.output}: {len(graph.nodes)} nodes, {sum(w.size for w in weights)} weights, for steps of {a.time_step:g} ms")


if __name__ == "__main__":
    run(main)
