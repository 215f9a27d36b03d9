import pytest

import ttfs_pynn.exact


@pytest.fixture
def sim():
    """The exact simulator, freshly set up."""
    ttfs_pynn.exact.setup(timestep=0.1, seed=1)
    yield ttfs_pynn.exact
    ttfs_pynn.exact.end()
