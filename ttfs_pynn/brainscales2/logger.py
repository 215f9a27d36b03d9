"""Loggers in the manner of pylogging, on top of Python's logging: log.INFO("spikes: ", 5) prints "spikes: 5"."""

import logging
import sys

__all__ = ["Logger", "LogLevel", "append_to_file", "default_config", "get", "get_root", "reset", "set_loglevel", "write_to_file"]

_ROOT = "ttfs_pynn.brainscales2.scripts"
_FORMAT = "%(levelname)-5s %(asctime)s %(brief)s %(message)s"


class LogLevel:
    """How important a message is, as in Python's logging; TRACE is below DEBUG."""

    TRACE = 5
    DEBUG = logging.DEBUG
    INFO = logging.INFO
    WARN = logging.WARNING
    ERROR = logging.ERROR
    FATAL = logging.CRITICAL
    ALL = 0
    OFF = logging.CRITICAL + 10


for _name in ("TRACE", "WARN", "FATAL"):
    logging.addLevelName(getattr(LogLevel, _name), _name)


class Logger:
    """A named logger. Several arguments are put together without spaces between them.

    The lower-case methods of Python's logging, with their %-formats, are there too.
    """

    def __init__(self, logger):
        self._logger = logger

    @property
    def name(self):
        return self._logger.name.removeprefix(_ROOT).lstrip(".")

    def _log(self, level, parts):
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", "".join(map(str, parts)), stacklevel=3)

    def TRACE(self, *parts):
        self._log(LogLevel.TRACE, parts)

    def DEBUG(self, *parts):
        self._log(LogLevel.DEBUG, parts)

    def INFO(self, *parts):
        self._log(LogLevel.INFO, parts)

    def WARN(self, *parts):
        self._log(LogLevel.WARN, parts)

    def ERROR(self, *parts):
        self._log(LogLevel.ERROR, parts)

    def FATAL(self, *parts):
        self._log(LogLevel.FATAL, parts)

    def trace(self, message, *arguments):
        self._logger.log(LogLevel.TRACE, message, *arguments, stacklevel=2)

    def fatal(self, message, *arguments):
        self._logger.log(LogLevel.FATAL, message, *arguments, stacklevel=2)

    def __getattr__(self, name):
        if name not in ("debug", "info", "warning", "warn", "error", "critical", "exception", "log", "level", "setLevel",
                        "isEnabledFor", "handlers", "addHandler", "removeHandler"):
            raise AttributeError(f"a logger has no {name!r}")
        return getattr(self._logger, "warning" if name == "warn" else name)


def get(name=""):
    """The logger of that name; dots make a hierarchy, and what is set for "a" holds for "a.b". The empty name is the root."""
    return Logger(logging.getLogger(f"{_ROOT}.{name}" if name else _ROOT))


def get_root():
    """The logger above all others."""
    return get()


def set_loglevel(logger, level):
    """Messages of this logger below `level` are dropped."""
    logger.setLevel(level)


def reset():
    """Take all outputs away, and all levels."""
    _close_outputs()
    for name, logger in logging.Logger.manager.loggerDict.items():
        if (name == _ROOT or name.startswith(_ROOT + ".")) and isinstance(logger, logging.Logger):
            logger.setLevel(logging.NOTSET)
    logging.getLogger(_ROOT).propagate = True


def default_config(level=LogLevel.WARN, fname="", format=None, print_location=False, color=False, date_format=""):
    """Print messages from `level` on to standard output, or into the file `fname` where it is given.

    `format` is a format of Python's logging; print_location adds file and line; color and date_format are accepted and unused.
    A second call replaces the first; the levels of single loggers stay.
    """
    _close_outputs()
    formatter = logging.Formatter(format or ("%(pathname)s:%(lineno)d " if print_location else "") + _FORMAT)
    handler = logging.FileHandler(fname, mode="w") if fname else logging.StreamHandler(sys.stdout)
    _attach(handler, formatter)
    root = logging.getLogger(_ROOT)
    root.setLevel(level)
    root.propagate = False


def write_to_file(filename, logger=None):
    """Write this logger's messages (default: all) into a file, which starts empty."""
    _attach(logging.FileHandler(filename, mode="w"), logging.Formatter(_FORMAT), logger)


def append_to_file(filename, logger=None):
    """Add this logger's messages (default: all) to a file."""
    _attach(logging.FileHandler(filename), logging.Formatter(_FORMAT), logger)


def _close_outputs():
    root = logging.getLogger(_ROOT)
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()


def _attach(handler, formatter, logger=None):
    def add_name(record):
        record.brief = record.name.removeprefix(_ROOT).lstrip(".")
        return True

    handler.addFilter(add_name)
    handler.setFormatter(formatter)
    (logger or get()).addHandler(handler)
