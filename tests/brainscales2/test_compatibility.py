"""Unchanged scripts of the vendor find this emulation under the names that they import."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import pynn_brainscales.brainscales2 as pynn
from pynn_brainscales import errors, parameters
from pynn_brainscales.brainscales2.standardmodels.synapses import StaticSynapse
from dlens_vx_v3 import halco, lola
import pylogging
import ttfs_pynn.brainscales2 as own

assert pynn is own and pynn.__spec__.name == "ttfs_pynn.brainscales2"
assert StaticSynapse is own.StaticSynapse, "no module is loaded twice"
assert parameters.Sequence and errors.ConnectionError and pylogging.get and lola.Chip
pynn.setup()
source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.01]))
neuron = pynn.Population(1, pynn.cells.CalibHXNeuronCuba())
pynn.Projection(source, neuron, pynn.AllToAllConnector(), StaticSynapse(weight=300))
neuron.record("spikes")
pynn.run(0.1)
print(len(neuron.get_data().segments[0].spiketrains[0]), "spike", *sys.argv[1:])
pynn.end()
"""


def run(*arguments, cwd):
    root = Path(__file__).parents[2]
    return subprocess.run([sys.executable, "-m", "ttfs_pynn.brainscales2", *arguments], cwd=cwd, text=True, capture_output=True,
                          env={"PYTHONPATH": str(root), "PATH": "", "HOME": str(cwd)}, timeout=120)


def test_a_script_runs_unchanged(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = run("script.py", "and its arguments", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1 spike and its arguments"


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_it_says_how_it_is_used(arguments, tmp_path):
    assert "unchanged" in run(*arguments, cwd=tmp_path).stdout


def test_a_replaced_package_name_is_enough():
    """Scripts say `from pynn_brainscales import errors, parameters`; their imports are changed by replacing that name."""
    from ttfs_pynn import errors, parameters
    from ttfs_pynn.errors import TTFSError
    assert parameters.Sequence([1.0]).value[0] == 1.0
    assert issubclass(errors.NonExistentParameterError, Exception) and issubclass(errors.ResultsError, TTFSError)
    with pytest.raises(AttributeError):
        errors.no_such_error  # noqa: B018
