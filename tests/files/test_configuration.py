import numpy as np
import pytest

from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.files.configuration import canonical, configuration_differences, plain, text_of


def test_canonical_form_knows_values_and_not_their_writing():
    given = {"b": {"y": (1, 2.5), "x": np.float64(3)}, "a": True, "c": np.arange(2)}
    assert canonical(given) == canonical({"c": [0, 1.0], "a": True, "b": {"x": 3, "y": [1.0, 2.5]}})
    assert list(canonical(given)) == ["a", "b.x", "b.y", "c"]
    assert canonical({"a": True}) != canonical({"a": 1})
    assert canonical({"a": "1"}) != canonical({"a": 1})


def test_numbers_that_differ_in_the_last_bit_differ():
    assert canonical({"a": 0.3}) != canonical({"a": np.nextafter(0.3, 1)})
    assert canonical({"a": 2**60}) != canonical({"a": 2**60 + 1})


def test_free_keys_and_free_tables_are_left_out():
    given = {"training": {"epochs": 3, "seed": 1}, "epochs_": 2}
    assert list(canonical(given, free=("training.epochs",))) == ["epochs_", "training.seed"]
    assert list(canonical(given, free=("training", "epochs"))) == ["epochs_"]


def test_the_text_of_a_configuration_is_of_no_other():
    """Also where the canonical form, which is flat, cannot tell them apart."""
    different = [{"a": {"b": 1}}, {"a.b": 1}, {"a": 1}, {"a": 1, "b": {}}, {"a": 1, "b": []}, {"a": {}}, {}, {"a": True},
                 {"a": "1"}, {"a": "1.0"}, {"a": [1]}, {"a": [{"b": 1}]}, {"a": 2**53}, {"a": 2**53 + 1}, {"a": 0.3},
                 {"a": np.nextafter(0.3, 1)}]
    assert len({text_of(each) for each in different}) == len(different)
    given = {"b": {"y": (1, 2.5), "x": np.float64(3)}, "c": [{"d": 0, "e": np.arange(2)}]}
    assert text_of(given) == text_of({"c": [{"e": [0.0, 1.0], "d": 0.0}], "b": {"x": 3, "y": [1.0, 2.5]}})


def test_differences_name_both_values_and_what_is_missing():
    text = configuration_differences(canonical({"a": 1, "b": "x", "c": 2}), canonical({"a": 1, "b": "y", "d": 3}))
    assert text == 'b ("x" there, "y" here), c (2 there, not set here), d (not set there, 3 here)'
    assert configuration_differences(canonical({"a": np.nan}), canonical({"a": float("nan")})) == ""


def test_what_cannot_be_stored_is_named_by_its_place():
    with pytest.raises(ConfigurationError, match=r"a\.b\[1\] = None cannot be stored"):
        plain({"a": {"b": [1, None]}})
    assert plain({"a": None}, none_allowed=True) == {"a": None}
    with pytest.raises(ConfigurationError, match="a = <object"):
        plain({"a": object()}, none_allowed=True)
