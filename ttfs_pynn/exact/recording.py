"""See `ttfs_pynn.event_driven.recording`."""

from ttfs_pynn.event_driven import recording
from ttfs_pynn.exact import simulator


class Recorder(recording.Recorder):
    __doc__ = recording.Recorder.__doc__
    _simulator = simulator
