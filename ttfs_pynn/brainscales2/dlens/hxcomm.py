"""The connection to a chip, which here is none: it says so in its identifier."""

import os

__all__ = ["ConnectionHandle", "ManagedConnection", "ZeroMockEntry"]


class ZeroMockEntry:
    """What the hardware database knows of a chip that does not exist."""


class ConnectionHandle:
    """An open connection."""

    def get_unique_identifier(self, hwdb_path=None):
        """["emulated"], or ["zeromock"] where the environment sets HXCOMM_ENABLE_ZERO_MOCK to anything but 0 or nothing."""
        return ["zeromock" if os.environ.get("HXCOMM_ENABLE_ZERO_MOCK", "0") not in ("", "0") else "emulated"]

    @property
    def bitfile_info(self):
        """What the FPGA runs: here that there is none."""
        return "emulated by ttfs_pynn: no FPGA, no bitfile\n"

    def get_hwdb_entry(self):
        """One entry for the one chip."""
        return [ZeroMockEntry()]


class ManagedConnection:
    """Opens a connection: `with ManagedConnection() as connection: ...`."""

    def __enter__(self):
        return ConnectionHandle()

    def __exit__(self, *error):
        return None
