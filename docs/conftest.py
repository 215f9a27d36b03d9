"""Every Python block of these pages is run by the tests, block after block of a page in one namespace."""

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

pytest_collect_file = Sybil([PythonCodeBlockParser()], patterns=["*.md", "**/*.md"],
                            excludes=["interchange.md"]).pytest()  # which tests/interchange runs, where nir is installed
