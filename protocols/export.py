"""Write the trained network of a run for other programs: as a PyNN script, in the SONATA format, or as a NIR graph.

pynn: a Python script that needs numpy and PyNN alone, with its arrays and some test samples beside it. It builds the network on
NEST, Brian2, NEURON or any other PyNN simulator, and prints the class of each sample.

sonata: a folder that PyNN itself, among others, reads; test samples are its input spikes, and a script in it runs them.

nir: a graph of the Neuromorphic Intermediate Representation, which norse, snnTorch and others load. How much a spike is that
lasts one step of a framework, NIR does not say, so a file is for one step: give the framework the same one (snnTorch 1.0 has
0.1 ms built in). Only first spikes matter in these networks: let every neuron spike once. `ttfs_pynn.interchange` has the
equations, and `read_nir` and `from_nir`, which make networks of such files.

examples:
  ttfs-pynn export runs/yy7 --format pynn --output yy7_network.py
  ttfs-pynn export runs/yy7 --format sonata --output yy7_sonata --samples 20
  ttfs-pynn export runs/yy7 --format nir --time-step 0.01 --output yy7.nir
"""

import os
from pathlib import Path

from ttfs_pynn import interchange
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.interchange.pynn_script import script_files, write_pynn_script
from ttfs_pynn.interchange.sonata import write_sonata
from ttfs_pynn.runs.finished import open_run

FORMATS = ("pynn", "sonata", "nir")
SAMPLES, TIME_STEP = 100, 0.1


def parser():
    p = ArgumentParser(prog="ttfs-pynn export", description=__doc__)
    p.add_argument("folder", metavar="RUN", help="run folder of ttfs-pynn train")
    p.add_argument("--format", choices=FORMATS, required=True, help="what to write")
    p.add_argument("--output", required=True, metavar="PATH",
                   help="a script NAME.py, a folder for sonata, or a file; nothing that is there is replaced")
    p.add_argument("--samples", type=int, metavar="N", help=f"pynn, sonata: the first N test samples (default {SAMPLES}, or all)")
    p.add_argument("--time-step", type=float, metavar="MS",
                   help=f"nir and sonata: step of what will read it (default {TIME_STEP:g} ms); nir: 0 for spikes that are delta "
                        "functions")
    p.add_argument("--model", metavar="FILE", help="the run's model, where it is neither of the package nor in this folder")
    return p


def test_samples(experiment, wanted):
    """The first samples of the test set."""
    data = experiment.data["test"]
    if wanted is not None and not 1 <= wanted <= len(data):
        raise ConfigurationError(f"--samples {wanted}: the test set has 1 to {len(data)}")
    return data.select(slice(0, SAMPLES if wanted is None else wanted))


def check_free(*paths):
    """ConfigurationError where something is there already."""
    for path in paths:
        if os.path.lexists(path):
            raise ConfigurationError(f"{path} exists; give another --output, or remove it")


def write_script(a, experiment, parameters):
    check_free(*script_files(a.output))
    samples = test_samples(experiment, a.samples)
    files = write_pynn_script(a.output, experiment.graph, parameters, samples)
    print(f"{', '.join(map(str, files))}: {len(samples)} samples; to run it: python {files[0]} brian2")


def write_folder(a, experiment, parameters):
    check_free(a.output)
    samples = test_samples(experiment, a.samples)
    folder = write_sonata(a.output, experiment.graph, parameters, samples, TIME_STEP if a.time_step is None else a.time_step)
    print(f"{folder}: {len(samples)} samples; to run it: python {folder / 'run_sonata.py'} brian2")


def write_graph(a, experiment, parameters):
    check_free(a.output)
    step = TIME_STEP if a.time_step is None else a.time_step
    graph = interchange.to_nir(experiment.graph, parameters, step)
    interchange.write_nir(a.output, graph)
    weights = sum(array.size for name, array in parameters.items() if name.endswith(".weight"))
    print(f"{a.output}: {len(graph.nodes)} nodes, {weights} weights, for steps of {step:g} ms")


def main(arguments=None):
    a = parser().parse_args(arguments)
    if a.samples is not None and a.format == "nir":
        raise ConfigurationError("--samples: a NIR file holds no samples; leave it out")
    if a.time_step is not None and a.format == "pynn":
        raise ConfigurationError("--time-step: the script takes any, with --dt; leave it out")
    if not Path(a.output).name:
        raise ConfigurationError(f"--output {a.output!r} is no name of a file")
    if a.format == "nir":
        try:
            interchange.to_nir  # noqa: B018
        except ImportError as error:
            raise ConfigurationError(str(error)) from None
    _, experiment, parameters = open_run(a.folder, a.model)
    {"pynn": write_script, "sonata": write_folder, "nir": write_graph}[a.format](a, experiment, parameters)


if __name__ == "__main__":
    run(main)
