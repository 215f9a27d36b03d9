"""Run with pytest: the data are what the network expects, and it learns them."""

import my_task
import numpy as np
from train import train

NETWORK = my_task.PARAMETERS["network"]


def test_data():
    parts = my_task.data(NETWORK)
    assert set(parts) == {"train", "validation", "test"}
    for part in parts.values():
        assert part.times.shape == (len(part), NETWORK["inputs"])
        assert ((part.times >= NETWORK["t_early"]) & (part.times <= NETWORK["t_late"])).all(), "ms; np.inf would be silent"
        assert set(np.unique(part.labels)) == set(range(len(my_task.CLASS_NAMES))), "each class is there"


def test_it_learns(tmp_path):
    metrics = train(tmp_path / "run", epochs=5)
    # Guessing gives 0.5.
    assert metrics["test_accuracy"] > 0.9
    assert (tmp_path / "run" / "parameters.npz").is_file()
