"""A training process is killed with SIGKILL and continued. benchmarks/kill_resume.py does it 50 times."""

from benchmarks.kill_resume import killed_and_resumed, undisturbed


def test_resumed_run_equals_the_undisturbed_one(tmp_path):
    expected, seconds = undisturbed(tmp_path / "whole", epochs=3)
    for k, moment in enumerate((0.6, 0.85)):
        assert killed_and_resumed(tmp_path / f"run{k}", 3, moment * seconds) == expected
