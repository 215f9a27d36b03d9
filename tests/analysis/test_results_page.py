import json

import pytest

from tests.protocols.test_command_lines import fails
from ttfs_pynn.analysis import results_page

RESULT = {"row": "a", "title": "A", "quick": False, "paper": {}, "settings": "Chosen.", "command": "go",
          "configuration": {"training": {"epochs": 3}, "backend": "exact"},
          "runs": [{"seed": 0, "test_accuracy": 0.98, "latency_tau_syn": 1.25, "spikes_per_sample": 40.0}]}


def test_one_seed_has_no_spread_and_what_was_not_measured_is_a_dash():
    assert results_page.line(RESULT) == "| A | - | 0.9800 (1) | 0.9800 | - | 1.25 (1) | 40.0 (1) | - | - | `go` |"


def test_time_and_energy_on_a_chip():
    costs = {"hardware_us_per_sample": 48.0, "microjoule_per_sample": 8.4}
    assert "| - | 48 us, 8.4 uJ | `go` |" in results_page.line({**RESULT, "runs": [{**RESULT["runs"][0], **costs}]})


def test_the_page_of_a_folder(tmp_path, capsys):
    (tmp_path / "a.json").write_text(json.dumps(RESULT))
    other = {**RESULT, "title": "B", "paper": {"accuracy": 0.959, "source": "somewhere."}}
    other["runs"] = [{**RESULT["runs"][0], "fresh_accuracy": 0.5, "fresh_samples": 100_000},
                     {**RESULT["runs"][0], "test_accuracy": 0.96, "fresh_accuracy": 0.7, "fresh_samples": 100_000}]
    (tmp_path / "b.json").write_text(json.dumps(other))
    results_page.main([str(tmp_path)])
    page = capsys.readouterr().out
    assert "| B | 0.959 | 0.9700 +- 0.0141 (2) | 0.9800 0.9600 | 0.6000 +- 0.1414 (2) on 100,000 |" in page
    assert page.startswith("# Results\n") and page.count("\n| ") == 4
    assert "**B.** Chosen. 3 epochs on exact. Paper's value: somewhere." in page


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_files_that_are_no_results(tmp_path, capsys, content):
    (tmp_path / "a.json").write_text(content)
    assert "is no result of ttfs-pynn reproduce" in fails(capsys, results_page.main, str(tmp_path))


def test_a_folder_without_results(tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "none"):
        assert f"there are no results in {folder}; make" in fails(capsys, results_page.main, str(folder))
