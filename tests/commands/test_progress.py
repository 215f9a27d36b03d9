import io

from tests.learning.test_training import trainer
from ttfs_pynn.commands.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_plain_lines_where_there_is_no_terminal():
    stream = io.StringIO()
    trainer(callbacks=[Progress(stream)], epochs=2).run()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "training epochs 1 to 2 (the first compiles)"
    assert len(lines) == 3 and lines[2].lstrip().startswith("epoch    2/2  loss ") and "validation" in lines[2]


def test_nothing_is_announced_where_all_is_done():
    stream = io.StringIO()
    done = trainer(callbacks=[Progress(stream)], epochs=2)
    done.run()
    stream.truncate(0)
    done.run()
    assert stream.getvalue() == ""


def test_a_bar_in_a_terminal():
    stream = Terminal()
    trainer(callbacks=[Progress(stream)], epochs=2).run()
    assert "2/2" in stream.getvalue() and "compiling" in stream.getvalue() and "\r" in stream.getvalue()
