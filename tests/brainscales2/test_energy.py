import math

import pytest

from ttfs_pynn.brainscales2.energy import PowerModel, classification_costs
from ttfs_pynn.errors import ConfigurationError


def test_the_numbers_of_the_paper():
    """10 000 images in 480 ms: 48 us, 20 833 images/s and 8.4 uJ, compared to the rounding of doubles (1e-12)."""
    costs = classification_costs(10_000, 480.0)
    assert costs == pytest.approx(
        {"hardware_us_per_sample": 48.0, "samples_per_second": 1e6 / 48, "microjoule_per_sample": 8.4, "chip_milliwatt": 175.0},
        rel=1e-12,
    )
    assert round(costs["samples_per_second"]) == 20_833


def test_energy_follows_the_power():
    """Half the power costs half the energy and no time; compared exactly, since a half is exact in binary."""
    whole, half = classification_costs(40, 7.2), classification_costs(40, 7.2, PowerModel(87.5))
    assert half["microjoule_per_sample"] == whole["microjoule_per_sample"] / 2 > 0
    assert half["samples_per_second"] == whole["samples_per_second"]


@pytest.mark.parametrize("arguments", [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0), (1, math.nan), (1, math.inf)])
def test_no_sample_or_no_time(arguments):
    with pytest.raises(ConfigurationError, match="n_samples|hardware_time"):
        classification_costs(*arguments)


@pytest.mark.parametrize("milliwatt", [0, -1.0, math.nan, math.inf])
def test_power_is_positive(milliwatt):
    with pytest.raises(ConfigurationError, match="chip_milliwatt"):
        PowerModel(milliwatt)
