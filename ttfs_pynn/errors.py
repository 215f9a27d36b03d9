"""Mistakes of a user. Command lines print the message on one line and exit with status 2.

Bugs of the package itself are never one of these.
"""

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

__all__ = ["ConfigurationError", "DatasetError", "EncodingError", "InterchangeError", "ResultsError", "TTFSError", "reason",
           "unknown"]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(importlib.import_module("pyNN.errors"), name)


class TTFSError(Exception):
    """What was given cannot be used: the message says what it was, what is allowed and what to do."""


class ConfigurationError(TTFSError, ValueError):
    """A value of a configuration, a model or a command line is not allowed."""


class DatasetError(TTFSError, ValueError):
    """A data set is missing, incomplete, or asked for something it does not have."""


class EncodingError(TTFSError, ValueError):
    """Features that cannot become spike times."""


class InterchangeError(TTFSError, ValueError):
    """A network that another format cannot hold, or a network or file of another format that this package cannot take."""


class ResultsError(TTFSError):
    """A run folder, or a file in it, is not what it should be."""


def unknown(what: str, name: object, known: Iterable, meant: str | None = None) -> str:
    """Text of an error: the name of a `what` is none of those known, and which may be `meant` (by default the closest)."""
    def plain(text: object) -> str:
        return str(text).lower().replace("_", "").replace("-", "")

    close = difflib.get_close_matches(plain(name), [plain(each) for each in known], 1)
    meant = meant or next((each for each in known if close and plain(each) == close[0]), None)
    return f"unknown {what} {name!r};{f' did you mean {meant!r}?' if meant else ''} known: {', '.join(known)}"


def reason(error: BaseException) -> str:
    """Why a library could not read a file, as one line for a user: its own words only where they tell a user something.

    NumPy advises to load pickled objects, which can run any program; that advice is not passed on. An error that Python raised
    inside a reader (`tuple index out of range`) tells of the reader, not of the file.
    """
    text = " ".join(str(error).split())
    if "pickle" in text.lower():
        return "what it holds is not plain numbers, and anything else could run a program when it is loaded"
    if not text or isinstance(error, IndexError | KeyError | TypeError | AttributeError | AssertionError | RecursionError):
        return f"its content is not what its name promises ({type(error).__name__})"
    return text
