import numpy as np
import pytest

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.models import yin_yang
from ttfs_pynn.runs import model_files


def test_graph_and_data_fit():
    parameters = yin_yang.PARAMETERS["network"]
    graph = yin_yang.graph(parameters)
    assert {edge.label: edge.sizes for edge in graph.edges} == {"input>layer0": (4, 120), "bias0>layer0": (3, 120),
                                                                "layer0>layer1": (120, 3)}
    assert graph.node("bias0").times.tolist() == parameters["bias_times"] and graph.outputs == "layer1"
    data = yin_yang.data(parameters)
    assert {name: len(part) for name, part in data.items()} == {"train": 5000, "validation": 1000, "test": 1000}
    for part in data.values():
        assert part.times.shape[1] == 4 and part.times.min() >= parameters["t_early"] and part.times.max() <= parameters["t_late"]


def test_plane_covers_the_unit_square_row_by_row():
    plane = yin_yang.plane(10)
    np.testing.assert_allclose(plane[[0, 1, 10, 99], :2], [[0.05, 0.05], [0.15, 0.05], [0.05, 0.15], [0.95, 0.95]])
    np.testing.assert_allclose(plane[:, :2] + plane[:, 2:], 1)


def test_models_by_name():
    assert "yin_yang" in model_files.names() and model_files.load("yin_yang") is yin_yang
    with pytest.raises(ConfigurationError, match="known: .*yin_yang"):
        model_files.load("other")
