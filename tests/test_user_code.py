import pytest

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.user_code import load_file


def test_a_file_is_executed_once_and_may_import_its_neighbour(tmp_path):
    (tmp_path / "neighbour_of_it.py").write_text("VALUE = 3\n")
    # Its name is that of a module of Python, which it must not replace.
    (tmp_path / "json.py").write_text("from neighbour_of_it import VALUE\nfrom json import dumps\n")
    assert load_file(tmp_path / "json.py").VALUE == 3 and load_file(tmp_path / "json.py") is load_file(tmp_path / "json.py")


def test_dataclasses_in_a_file(tmp_path):
    (tmp_path / "data.py").write_text("from __future__ import annotations\nfrom dataclasses import dataclass\n"
                                      "@dataclass\nclass A:\n    b: int = 2\n")
    assert load_file(tmp_path / "data.py").A().b == 2


@pytest.mark.parametrize("text, message", [("a = 1\nb = c\n", "line 2: NameError: name 'c' is not defined"),
                                           ("a = (\n", "SyntaxError"), ("import nowhere_at_all\n", "No module named 'nowhere")])
def test_mistakes_in_a_file(tmp_path, text, message):
    (tmp_path / "wrong.py").write_text(text)
    for _ in range(2):  # not half a module the second time
        with pytest.raises(ConfigurationError, match=message):
            load_file(tmp_path / "wrong.py")
