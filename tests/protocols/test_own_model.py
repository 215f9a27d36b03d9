"""A model file with a PyNN network of its user's and data: what the commands make of it."""

import numpy as np
import pytest

from ttfs_pynn.protocols import evaluate, train
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.simulators import simulator

MODEL = '''
import numpy as np
from ttfs_pynn import Network, SpikeData



def build(sim):
    drawn = np.random.default_rng({seed})
    cell = sim.IF_curr_exp(tau_m=10.0, tau_syn_E=5.0, tau_syn_I=5.0, v_rest=-65.0, v_reset=-65.0, tau_refrac=500.0)
    eye, hidden, answer = (sim.Population(n, kind, label=label) for n, kind, label in (
        (6, sim.SpikeSourceArray(), "eye"), (12, cell, "hidden"), (2, cell, "answer")))
    pairs = [(i, j, drawn.uniform(2, 6), drawn.uniform(0.5, 2.0)) for i in range(6) for j in range(12) if drawn.random() < 0.6]
    projections = [sim.Projection(eye, hidden, sim.FromListConnector(pairs), label="see"),
                   sim.Projection(hidden, answer, sim.AllToAllConnector(), sim.StaticSynapse(weight=2.0, delay=0.5), label="say")]
    return Network(sim, projections, outputs=answer, t_early=1.0, t_late=12.0)


def data():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    times = np.where(np.arange(6) % 2 == labels[:, None], rng.uniform(1, 4, (60, 6)), rng.uniform(6, 10, (60, 6)))
    samples = SpikeData({{"eye": times}}, labels)
    return {{"train": samples.select(slice(0, 40)), "test": samples.select(slice(40, None))}}
'''
PLAIN = ("--set", "training.schedule=constant", "--set", "training.learning_rate=0.02", "--quiet")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parameters(path):
    return RunFolder.open(path).read_parameters()


def test_a_run_that_goes_on_ends_at_the_same_bits(here, capsys):
    (here / "mine.py").write_text(MODEL.format(seed=3))
    for path, first in (("whole", "4"), ("parts", "2")):
        train.main(["mine.py", "--epochs", first, "--output", path, *PLAIN])
    train.main(["mine.py", "--epochs", "4", "--output", "parts", "--resume", *PLAIN])
    whole, parts = parameters("whole"), parameters("parts")
    assert whole.keys() == parts.keys() == {"see.weight", "say.weight"}
    for name, array in whole.items():
        np.testing.assert_array_equal(parts[name], array)
    evaluate.main(["whole", "--backend", "exact", "--model", "mine.py"])
    assert "answer, whole network" in capsys.readouterr().out


def test_a_script_that_draws_another_network_each_time(here):
    """The network of the run is the one in its folder."""
    (here / "mine.py").write_text(MODEL.format(seed=""))
    train.main(["mine.py", "--epochs", "1", "--output", "run", *PLAIN])
    before = RunFolder.open("run").read_graph()
    train.main(["mine.py", "--epochs", "2", "--output", "run", "--resume", *PLAIN])
    after = RunFolder.open("run").read_graph()
    np.testing.assert_array_equal(before.edge("see").pairs, after.edge("see").pairs)
    np.testing.assert_array_equal(before.edge("see").delay, after.edge("see").delay)
    assert parameters("run")["see.weight"].shape == before.edge("see").shape
    network = RunFolder.open("run").network(simulator("exact").setup(0.1))
    np.testing.assert_array_equal(network.read()["see.weight"], parameters("run")["see.weight"])
