"""What all calibrations share: the connection and the CADC."""

from ttfs_pynn.brainscales2.calix.common import base, cadc

__all__ = ["base", "cadc"]
