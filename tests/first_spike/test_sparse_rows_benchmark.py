"""The benchmark of sparse populations: a small run, and what its rows are."""

import numpy as np

from benchmarks import sparse_rows


def test_local_fields_are_windows_of_the_image():
    rows = sparse_rows.local_fields(5)
    assert rows.start.size == 24 * 24 + 1
    row, column = np.divmod(rows.column[25 * 25:26 * 25], 28)  # neuron 25: second row, second column
    assert set(row) == set(range(1, 6)) and set(column) == set(range(1, 6))


def test_a_small_run(capsys):
    sparse_rows.main(n_samples=4, repeat=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 24 and sum("of it" in line for line in lines) == 18 and sum("ms a sample" in line for line in lines) == 4
