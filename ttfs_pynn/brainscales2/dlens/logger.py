"""Loggers; see ttfs_pynn.brainscales2.logger."""

from ttfs_pynn.brainscales2.logger import *  # noqa: F403
