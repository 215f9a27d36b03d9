import pytest

from ttfs_pynn.brainscales2.dlens import lola
from ttfs_pynn.brainscales2.neuron_fields import NOT_CONFIGURABLE, defaults, flatten, member_and_field, unflatten


def test_there_and_back():
    neuron = lola.AtomicNeuron()
    neuron.leak.v_leak, neuron.threshold.enable, neuron.reset.i_bias = 668, True, 1023
    neuron.constant_current.type = lola.AtomicNeuron.ConstantCurrent.Type.sink
    values = flatten(neuron)
    assert values["leak_v_leak"] == 668.0 and type(values["leak_v_leak"]) is float
    assert values["threshold_enable"] is True and values["constant_current_type"] == 1.0
    assert unflatten(values) == neuron and list(values) == list(flatten(lola.AtomicNeuron()))


def test_names_that_the_cell_type_keeps_to_itself():
    assert len(NOT_CONFIGURABLE) == 7 and not set(NOT_CONFIGURABLE) & set(defaults())
    assert set(flatten(lola.AtomicNeuron())) - set(defaults()) <= set(NOT_CONFIGURABLE)
    assert not any(value for name, value in defaults().items() if name.endswith(("_v_leak", "_i_bias")))


def test_members_with_underscores():
    assert member_and_field("refractory_period_refractory_time") == ("refractory_period", "refractory_time")
    with pytest.raises(KeyError, match="leak_v_rest"):
        member_and_field("leak_v_rest")


def test_values_are_cut_and_checked():
    neuron = unflatten({"leak_v_leak": 5.7, "threshold_enable": 200})
    assert neuron.leak.v_leak == 5 and neuron.threshold.enable is True
    with pytest.raises(OverflowError, match="leak_v_leak cannot be 1024"):
        unflatten({"leak_v_leak": 1024.0})
    with pytest.raises(TypeError, match="-1"):
        unflatten({"leak_v_leak": -1.0})
    with pytest.raises(KeyError, match="leak_v_rest"):
        unflatten({"leak_v_rest": 1.0})
