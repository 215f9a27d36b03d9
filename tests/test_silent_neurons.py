import numpy as np

from ttfs_pynn.silent_neurons import WeightBumping

SPIKING, HALF, SILENT = np.ones(4), np.array([1.0, np.inf, 1.0, np.inf]), np.full(4, np.inf)


def layer(*columns):
    return np.stack(columns, axis=1)


def test_bumps_only_what_is_too_silent_and_doubles_while_it_lasts():
    rule = WeightBumping([0.4, 0.6], [2.0, 1.0], bump=0.1)
    weights = [np.zeros((3, 3)), np.zeros((3, 2))]
    times = [layer(SPIKING, HALF, SILENT), layer(HALF, SPIKING)]
    for factor in (1, 2, 4):
        new, skip = rule.apply(weights, times)
        np.testing.assert_allclose(new[0], np.tile([0, 0.2 * factor, 0.2 * factor], (3, 1)))
        assert (new[1] == 0).all() and not skip and (weights[0] == 0).all()
    rule.apply(weights, [layer(SPIKING, SPIKING, SPIKING), times[1]])
    np.testing.assert_allclose(rule.apply(weights, times)[0][0][0], [0, 0.2, 0.2])


def test_the_papers_rule_bumps_the_foremost_layer_instead_of_a_step():
    rule = WeightBumping([0.4, 0.4], [1.0, 1.0], bump=0.1, instead_of_step=True)
    weights = [np.zeros((3, 1)), np.zeros((1, 1))]
    new, skip = rule.apply(weights, [layer(SILENT), layer(SILENT)])
    assert skip and (new[0] == 0.1).all() and (new[1] == 0).all()
    assert not rule.apply(weights, [layer(SPIKING), layer(SPIKING)])[1]
