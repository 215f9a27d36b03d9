import platform
import re
import tomllib

import numpy as np
import tomli_w

from ttfs_pynn.runs import provenance


def test_versions_fit_into_toml():
    found = provenance.versions()
    assert tomllib.loads(tomli_w.dumps(found)) == found
    assert found["python"] == platform.python_version() and found["packages"]["numpy"] == np.__version__
    assert re.fullmatch(r"[0-9a-f]{40}", found.get("git_commit", "0" * 40))


def test_without_git_the_commit_is_left_out(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("git")

    monkeypatch.setattr(provenance.subprocess, "run", missing)
    assert "git_commit" not in provenance.versions()
