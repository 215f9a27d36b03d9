import json

import numpy as np
import pytest

from tests.protocols.test_command_lines import fails
from ttfs_pynn.analysis import robustness_figure as figure
from ttfs_pynn.networks.distortion import Distortion
from ttfs_pynn.protocols import robustness

LEVELS = {"weight_bits": (8, 2), "jitter": (0.1,)}


def test_every_panel_is_a_distortion_at_every_level():
    for name, panel in robustness.PANELS.items():
        for level in panel["levels"]:
            assert Distortion(**robustness.distortion_of(name, level, 1)) != Distortion(seed=1)
    assert robustness.distortion_of("jitter", 0.1, 2) == {"seed": 2, "jitter": 1.0}  # 0.1 tau_syn of 10 ms


def test_runs_are_gathered_where_they_belong():
    """Accuracies that name their job: what each point of the figure shows is known."""
    ideal, loop = robustness.jobs_of(LEVELS, 3, 1)
    assert [job["seed"] for job in loop.values()] == [0, 0, 1, 1, 2, 2]
    results = [{"accuracy": job["seed"], "distorted": [d.get("weight_bits", 0) + d["seed"] for d in job["tests"]]}
               for job in ideal]
    results += [{"distorted": [100 + d.get("weight_bits", 0) + d["seed"] for d in job["distortions"]]} for job in loop.values()]
    found = robustness.gathered(LEVELS, 3, loop, results)
    bits = found["panels"]["weight_bits"]
    assert found["ideal"] == [0, 1, 2] and bits["levels"] == [8, 2]
    assert bits["only_tested"] == [[8, 9, 10], [2, 3, 4]] and bits["in_the_loop"] == [[108, 109, 110], [102, 103, 104]]
    assert found["panels"]["jitter"]["only_tested"] == [[0, 1, 2]]


def test_a_run_trains_with_and_without_and_is_reproducible(monkeypatch):
    monkeypatch.setattr(robustness, "FRESH", 400)
    ideal, loop = robustness.jobs_of({"weight_bits": (8, 2)}, 1, 1)
    job = loop["weight_bits", 0]
    one, again, only_tested = robustness.run_one(job), robustness.run_one(job), robustness.run_one(ideal[0])
    assert one == again and len(one["distorted"]) == 2 == len(only_tested["distorted"])
    # One epoch teaches 8 bits much (chance is 1/3); 2 bits destroy what was learned without them.
    assert one["distorted"][0] > 0.55 and only_tested["accuracy"] > 0.55
    assert only_tested["distorted"][1] < only_tested["distorted"][0] - 0.1
    assert abs(only_tested["distorted"][0] - only_tested["accuracy"]) < 0.05


@pytest.fixture
def found(tmp_path):
    rng = np.random.default_rng(0)
    panels = {name: {"label": panel["label"], "levels": list(panel["levels"]),
                     **{key: rng.uniform(0.4, 0.9, (len(panel["levels"]), 2)).tolist() for key in ("in_the_loop", "only_tested")}}
              for name, panel in robustness.PANELS.items()}
    content = {"quick": False, "epochs": 1, "seeds": [0, 1], "fresh_samples": 500, "ideal": [0.95, 0.97], "panels": panels}
    (tmp_path / "robustness.json").write_text(json.dumps(content))
    return content


def test_the_figure_shows_every_seed_and_the_mean(found, tmp_path, capsys):
    from matplotlib.figure import Figure
    panel = found["panels"]["weight_bits"]
    axes = figure.draw(Figure().subplots(), panel, found["ideal"], marked=True)
    means, points = axes.get_lines()[0], axes.get_lines()[1]
    np.testing.assert_allclose(means.get_ydata(), 100 * np.mean(panel["only_tested"], axis=1))
    assert sorted(points.get_ydata()) == sorted(100 * np.ravel(panel["only_tested"])) and "†" in axes.get_title()
    figure.main([str(tmp_path)])
    out = (tmp_path / "README.md").read_text()
    assert str(tmp_path / "robustness.png") in capsys.readouterr().out and "(robustness.png)" in out
    assert (tmp_path / "robustness.png").stat().st_size > 20_000
    mean, spread = np.mean(panel["in_the_loop"][5]), np.std(panel["in_the_loop"][5], ddof=1)
    assert f"| 2 | {mean:.3f} +- {spread:.3f} |" in out and "| none | | | 0.960 +- 0.014 |" in out


def test_which_sizes_are_borne():
    panel = {"levels": [8, 6, 2], "in_the_loop": [[0.95, 0.97], [0.92, 0.97], [0.93, 0.93]]}
    assert figure.borne(panel, "in_the_loop", [0.96]) == "8, 6"  # means 0.96, 0.945, 0.93 of 0.96, 0.02 may be lost
    assert figure.borne(panel, "in_the_loop", [1.0]) == "none"


def test_mistakes(tmp_path, capsys):
    assert "make it with ttfs-pynn robustness" in fails(capsys, figure.main, str(tmp_path))
    assert "--seeds 0" in fails(capsys, robustness.main, "--seeds", "0")
