import numpy as np
import pytest

from ttfs_pynn.neuron import LIFParameters


@pytest.mark.parametrize("tau_m", [3.0, 10.0, 10.0 * (1 + 1e-9), 25.0, np.inf])
def test_kernel_solves_the_membrane_equation(tau_m):
    """cm K' = -cm K/tau_m + exp(-s/tau_syn), K' by central differences (step 1e-4: error about 1e-9)."""
    neuron = LIFParameters(tau_m=tau_m, tau_syn=10.0, cm=0.5)
    s = np.linspace(0.1, 60, 200)
    numeric = (neuron.kernel(s + 1e-4) - neuron.kernel(s - 1e-4)) / 2e-4
    np.testing.assert_allclose(neuron.kernel_derivative(s), numeric, atol=1e-7)
    np.testing.assert_allclose(0.5 * numeric, -0.5 * neuron.kernel(s) / tau_m + np.exp(-s / 10), atol=1e-7)
    assert neuron.kernel(0.0) == 0 and neuron.kernel(-1.0) == 0 and neuron.kernel_derivative(-1.0) == 0


def test_single_input_of_weight_e_reaches_threshold():
    neuron = LIFParameters(tau_m=10.0, tau_syn=10.0, cm=0.2, v_rest=-70.0, v_thresh=-52.0)
    assert np.e * neuron.current_scale * neuron.kernel(10.0) == pytest.approx(neuron.threshold, rel=1e-14)


def test_from_and_to_pynn():
    neuron = LIFParameters(tau_m=12.0, tau_syn=4.0, cm=0.3, v_rest=-60.0, v_thresh=-50.0, v_reset=-62.0, tau_refrac=3.0)
    assert LIFParameters.from_pynn(**neuron.to_pynn()) == neuron
    with pytest.raises(ValueError, match="differ"):
        LIFParameters.from_pynn(**{**neuron.to_pynn(), "tau_syn_I": 5.0})
    with pytest.raises(ValueError, match="i_offset"):
        LIFParameters.from_pynn(**{**neuron.to_pynn(), "i_offset": 0.1})


@pytest.mark.parametrize("values, text", [
    ({"tau_m": -1.0}, "tau_m = -1.0 must be positive"),
    ({"tau_syn": 0.0}, "tau_syn = 0.0 must be positive"),
    ({"tau_syn": np.inf}, "tau_syn"),
    ({"cm": -2.0}, "cm"),
    ({"v_thresh": -70.0}, "above v_rest"),
    ({"v_reset": -40.0}, "below v_thresh"),
    ({"tau_refrac": -1.0}, "tau_refrac"),
    ({"tau_m": np.nan}, "NaN"),
    ({"tau_m": np.ones((2, 2))}, "shape"),
])
def test_bad_parameters(values, text):
    with pytest.raises(ValueError, match=text):
        LIFParameters(**values)


def test_from_pynn_names_what_is_missing():
    with pytest.raises(ValueError, match="tau_syn_E missing"):
        LIFParameters.from_pynn(tau_syn_I=5.0, tau_m=10.0)
