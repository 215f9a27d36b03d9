"""Fields, groups of neurons that hear the same columns, compute what rows compute."""

import numpy as np
import pytest

from ttfs_pynn.first_spike import (
    Fields,
    Rows,
    fields_first_spike_times,
    fields_vector_jacobian_product,
    rows_first_spike_times,
    rows_vector_jacobian_product,
)
from ttfs_pynn.neuron import LIFParameters

NEURON = LIFParameters(tau_m=2.0, tau_syn=1.0, v_rest=0.0, v_thresh=1.0)


def rows_of(heard):
    """Rows of neurons that hear the columns heard[n]."""
    return Rows(np.concatenate([[0], np.cumsum([len(columns) for columns in heard])]), np.concatenate(heard).astype(int),
                np.empty(0))


def case(n_samples, seed=0):
    """(t_in, w, rows): 5 fields of 3 to 30 of 40 columns and of 1 to 40 neurons, in any order."""
    rng = np.random.default_rng(seed)
    of_field = [np.sort(rng.choice(40, size, replace=False)) for size in (3, 12, 30, 8, 20)]
    rows = rows_of([of_field[f] for f in rng.permutation(np.repeat(np.arange(5), (1, 9, 40, 2, 17)))])
    t_in = rng.uniform(0, 4, (n_samples, 40))
    t_in[rng.random(t_in.shape) < 0.4] = np.inf
    return t_in, rng.normal(0.25, 0.5, rows.column.size), rows


@pytest.mark.parametrize("n_samples", [1, 20, 300])
@pytest.mark.parametrize("tau_m", [2.0, 1.0, np.inf])
def test_as_rows(n_samples, tau_m):
    """Differences of rounding: sums are taken in another order. 300 samples are more than the loops take at a time."""
    t_in, w, rows = case(n_samples)
    neuron = LIFParameters(tau_m=tau_m, tau_syn=1.0, v_rest=0.0, v_thresh=1.0)
    fields = Fields.of(rows, 40)
    assert fields is not None and len(fields.neurons) == 5
    expected = rows_first_spike_times(t_in, w, rows, neuron)
    np.testing.assert_allclose(fields_first_spike_times(t_in, w, fields, neuron), expected, rtol=1e-9, atol=1e-10)
    assert 0.2 < np.isfinite(expected).mean() < 1
    error = np.where(np.isfinite(expected), np.random.default_rng(1).normal(size=expected.shape), 0.0)
    for max_dw in (np.inf, 2.0):
        dw, dt_in, _, dropped = rows_vector_jacobian_product(t_in, w, rows, expected, error, neuron, max_dw)
        found = fields_vector_jacobian_product(t_in, w, fields, expected, error, neuron, max_dw)
        assert found[2] == dropped and (dropped > 0) == (max_dw < np.inf) and np.any(dw) and np.any(dt_in)
        np.testing.assert_allclose(found[0], dw, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(found[1], dt_in, rtol=1e-8, atol=1e-9)
    alone, nothing, _ = fields_vector_jacobian_product(t_in, w, fields, expected, error, neuron, np.inf, with_inputs=False)
    assert nothing is None and np.array_equal(alone, fields_vector_jacobian_product(t_in, w, fields, expected, error, neuron)[0])


def test_inputs_that_are_far_apart():
    """Rows take what the loops of layers do not."""
    t_in, w, rows = case(20)
    t_in[:10, 1:] += 1e3
    t_in[:10, 0] = 0.0
    fields = Fields.of(rows, 40)
    found = fields_first_spike_times(t_in, w, fields, NEURON)
    assert np.array_equal(found, rows_first_spike_times(t_in, w, rows, NEURON)) and np.isfinite(found[:10]).any()
    dw, dt_in, dropped = fields_vector_jacobian_product(t_in, w, fields, found, np.where(np.isfinite(found), 1.0, 0.0), NEURON)
    assert np.isfinite(dw).all() and np.any(dt_in[:10]) and dropped == 0


def test_what_has_no_fields():
    assert Fields.of(rows_of([[0, 1], [1, 1], [0, 1]]), 2) is None  # a column that is heard twice
    assert Fields.of(rows_of([[0, 1], [1, 2], [0, 1]]), 3, neurons_from=2.0) is None
    assert Fields.of(rows_of([[0, 1], [1, 2], [0, 1]]), 3, neurons_from=1.5) is not None
    assert Fields.of(rows_of([[], []]), 3) is None
