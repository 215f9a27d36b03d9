"""Files that are written: nothing foreign is overwritten or deleted, whatever lies there before."""

import os
import signal
import subprocess
import sys

import pytest

from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.atomic import atomic_file, is_leftover, new_file, remove_leftovers, write_bytes

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and locks of POSIX")
LEFT = ".ttfs-0123456789abcdef.tmp"


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


def test_a_link_in_place_of_the_file_is_replaced_not_followed(tmp_path, victim):
    for write in (lambda path: write_bytes(path, b"new"), lambda path: new_file(path, "wb").close()):
        path = tmp_path / "report.html"
        path.symlink_to(victim)
        write(path)
        assert not path.is_symlink() and victim.read_text() == "precious"
        path.unlink()


def test_a_link_at_the_temporary_name_is_not_followed(tmp_path, victim, monkeypatch):
    """Were it guessed; the next name is taken."""
    tokens = iter(["0123456789abcdef", "fedcba9876543210"])
    monkeypatch.setattr("secrets.token_hex", lambda n: next(tokens))
    planted = tmp_path / f"report.html{LEFT}"
    planted.symlink_to(victim)
    write_bytes(tmp_path / "report.html", b"new")
    assert victim.read_text() == "precious" and (tmp_path / "report.html").read_bytes() == b"new"


def test_names_cannot_be_guessed(tmp_path):
    names = set()
    for _ in range(20):
        with atomic_file(tmp_path / "a"):
            (name,) = (entry.name for entry in tmp_path.iterdir() if is_leftover(entry.name))
            names.add(name)
    assert len(names) == 20 and str(os.getpid()) not in " ".join(names)


def test_what_was_left_is_deleted_and_nothing_else(tmp_path, victim):
    mine = [tmp_path / name for name in ("notes.tmp", "a.123.tmp", f"{LEFT}", "a.ttfs-0123.tmp", "a.ttfs-0123456789ABCDEF.tmp")]
    left = [tmp_path / f"{name}{LEFT}" for name in ("a", "b")]
    for path in (*mine, *left):
        path.write_text("x")
    link = tmp_path / "c.ttfs-0000000000000000.tmp"
    link.symlink_to(victim)
    write_bytes(tmp_path / "a", b"")  # whoever writes a file clears what was left of it
    assert not left[0].exists() and left[1].exists()
    remove_leftovers(tmp_path)
    assert not left[1].exists() and not link.is_symlink() and victim.read_text() == "precious"
    assert all(path.exists() for path in mine)


def test_nothing_is_deleted_behind_a_link(tmp_path):
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "figures"
    elsewhere.mkdir()
    (elsewhere / f"a{LEFT}").write_text("x")
    link.symlink_to(elsewhere)
    remove_leftovers(link)
    assert (elsewhere / f"a{LEFT}").exists()


def test_what_another_process_writes_is_no_leftover_until_it_is_killed(tmp_path):
    code = ("import sys, time\nfrom ttfs_pynn.files.atomic import atomic_file\nwith atomic_file(sys.argv[1]) as file:\n"
            "    file.write(b'half')\n    file.flush()\n    print('writing', flush=True)\n    time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "a")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    remove_leftovers(tmp_path)
    write_bytes(tmp_path / "a", b"mine")
    assert sum(is_leftover(entry.name) for entry in tmp_path.iterdir()) == 1
    process.send_signal(signal.SIGKILL)
    process.communicate()
    remove_leftovers(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_bytes() == b"mine"


def test_no_folder_is_made_where_none_is_wanted(tmp_path):
    with pytest.raises(ResultsError, match="cannot write .*No such file"):
        write_bytes(tmp_path / "gone" / "a", b"", make_folder=False)
    assert not (tmp_path / "gone").exists()


def test_permissions_are_those_of_a_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
