"""Write the trained network of a run for other programs.

nir: a graph of the Neuromorphic Intermediate Representation, which norse, snnTorch and others load. NIR leaves open how high a spike
is that lasts one time step, so the file is for one step: give frameworks that have a step this one (snnTorch 1.0 has 0.1 ms built
in). Only first spikes matter in these networks: let every neuron spike once. ttfs_pynn.interchange has the equations and reads such
files; `python -m protocols.evaluate RUN --weights FILE` tests weights that were trained elsewhere.

examples:
  python -m protocols.export runs/yy7 --format nir --output yy7.nir
  python -m protocols.export runs/yy7 --format nir --time-step 0.01 --output yy7.nir
"""

from ttfs_pynn.command_line import ArgumentParser, run
from ttfs_pynn.errors import ConfigurationError

from protocols.evaluate import open_run

FORMATS = ("nir",)


def parser():
    p = ArgumentParser(prog="python -m protocols.export", description=__doc__)
    p.add_argument("folder", metavar="RUN", help="run folder of protocols.train")
    p.add_argument("--format", choices=FORMATS, default="nir", help="default nir")
    p.add_argument("--output", required=True, metavar="FILE", help="file to write; one that is there is replaced")
    p.add_argument("--time-step", type=float, default=0.1, metavar="MS",
                   help="step of the framework that will read the file (default 0.1 ms); 0: spikes are delta functions")
    return p


def interchange():
    """The package for NIR, or an error that says how to install what it needs."""
    try:
        import ttfs_pynn.interchange as found
    except ImportError as error:
        raise ConfigurationError(str(error)) from None
    return found


def main(arguments=None):
    a = parser().parse_args(arguments)
    nir = interchange()
    _, experiment, weights = open_run(a.folder)
    graph = nir.to_nir(experiment.architecture, weights, time_step=a.time_step)
    nir.write_nir(a.output, graph)
    print(f"{a.output}: {len(graph.nodes)} nodes, {sum(w.size for w in weights)} weights, for a time step of {a.time_step:g} ms")


if __name__ == "__main__":
    run(main)
