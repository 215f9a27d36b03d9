import pytest

from ttfs_pynn.brainscales2.dlens import logger


@pytest.fixture(autouse=True)
def no_outputs():
    yield
    logger.reset()


def test_arguments_are_put_together(capsys):
    logger.default_config(level=logger.LogLevel.INFO)
    log = logger.get("tests.spikes")
    log.INFO("number of spikes: ", 5)
    log.info("rate %s", 3)
    log.DEBUG("not shown")
    printed = capsys.readouterr().out
    assert "tests.spikes number of spikes: 5\n" in printed and "rate 3\n" in printed and "not shown" not in printed


def test_levels_hold_for_what_is_below(capsys):
    logger.default_config(level=logger.LogLevel.WARN)
    logger.set_loglevel(logger.get("tests"), logger.LogLevel.TRACE)
    logger.get("tests.spikes").TRACE("shown")
    logger.get("others").INFO("not shown")
    printed = capsys.readouterr().out
    assert "TRACE" in printed and "shown" in printed and "not shown" not in printed


def test_files(tmp_path):
    logger.default_config(level=logger.LogLevel.INFO, fname=str(tmp_path / "log"))
    logger.append_to_file(str(tmp_path / "second"))
    logger.get("tests").ERROR("a ", [1])
    logger.reset()
    assert "a [1]" in (tmp_path / "log").read_text() and "a [1]" in (tmp_path / "second").read_text()
