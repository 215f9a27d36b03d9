import pytest

from ttfs_pynn.brainscales2.plasticity import PlasticityRule, PlasticityRuleHandle, Timer


class Homeostasis(PlasticityRule):
    def __init__(self, timer):
        weights = PlasticityRule.ObservablePerSynapse(PlasticityRule.ObservablePerSynapse.Type.uint8,
                                                      PlasticityRule.ObservablePerSynapse.LayoutPerRow.packed_active_columns)
        super().__init__(timer, observables={"w": weights, "rates": PlasticityRule.ObservableArray()})

    def generate_kernel(self):
        return "kernel"


def test_rules_can_be_derived_and_attached():
    rule = Homeostasis(Timer(start=5, period=10, num_periods=1))
    assert rule.timer.period == 10 and rule.same_id == 0 and rule.generate_kernel() == "kernel"
    assert PlasticityRuleHandle(plasticity_rule=rule).plasticity_rule is rule
    assert PlasticityRuleHandle().plasticity_rule is None


def test_nothing_is_recorded_as_nothing_runs():
    rule = Homeostasis(Timer(start=0, period=1, num_periods=1))
    with pytest.raises(RuntimeError, match="unknown"):
        rule.get_observable_array("unknown")
    with pytest.raises(TypeError, match="'w'"):
        rule.get_observable_array("w")
    with pytest.raises(NotImplementedError, match="not executed"):
        rule.get_observable_array("rates")
