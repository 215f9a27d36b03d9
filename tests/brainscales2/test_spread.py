"""How circuits of a chip differ: measured by experiments, and in the forward model, over all 512.

The bound on a measured standard deviation is its 99.9 % interval for 512 normally distributed values (chi-square with 511 degrees
of freedom): within 10 % of the configured one. Experiments have an error of their own, which is stated with them.
"""

import numpy as np
import pytest
from scipy.stats import chi2

import ttfs_pynn.brainscales2 as pynn
from tests.brainscales2.helpers import connect, only, spikes, traces
from ttfs_pynn.brainscales2 import NonIdealities, chip_from_seed
from ttfs_pynn.brainscales2.calibration import DEFAULT_TARGETS, calibrate, codes_from_parameters, parameters_from_codes
from ttfs_pynn.brainscales2.circuits import codes_for, physics_of

N = 512
LOW, HIGH = np.sqrt(chi2.ppf([0.0005, 0.9995], N - 1) / (N - 1))
CIRCUITS = np.arange(N)
CLOCKS = (1, 0)
LSB_OF_CODE = {"v_rest": 0.42, "v_reset": 0.42, "v_thresh": 0.30}


def assert_spread(values, size):
    values = np.asarray(values)
    assert values.shape == (N,) and size > 0
    assert LOW < values.std(ddof=1) / size < HIGH, (values.std(ddof=1), size)
    assert abs(values.mean()) < 3.3 * size / np.sqrt(N) + 0.02 * size  # 99.9 % of means


def targets(**other):
    return {name: np.full(N, other.get(name, value)) for name, value in DEFAULT_TARGETS.items()}


def rising(time, n_inputs=40):
    """What `n_inputs` of weight 63, one each 2 us from 0, lift a nominal membrane above rest (LSB); tau_m = tau_syn = 10 us."""
    x = np.maximum(np.subtract.outer(time, 2.0 * np.arange(n_inputs)), 0.0) / 10.0
    return (15.34 * x * np.exp(1 - x)).sum(axis=1)


def first_spikes(non_idealities):
    """Of all neurons of chip 0 under inputs of weight 63 each 2 us."""
    pynn.setup(chip=0, non_idealities=non_idealities)
    source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=(0.002 * np.arange(40)) + 4e-6))
    neurons = pynn.Population(N, pynn.cells.CalibHXNeuronCuba(tau_refrac=32.0))
    neurons.record("spikes")
    connect(source, neurons)
    pynn.run(0.08)
    found = spikes(neurons)
    assert all(train.size for train in found)
    return np.array([train[0] for train in found])


def test_thresholds_by_experiment():
    """The membrane rises by up to 10 LSB/us where it fires: a stamp of 8 ns is an error of 0.08 LSB, of a spread of 1.4."""
    measured = rising(first_spikes(only(residual_threshold=1.4))) - 45.0
    assert_spread(measured, 1.4)
    chip = chip_from_seed(0, only(residual_threshold=1.4))
    assert np.abs(measured - chip.deviation("residual", "threshold")).max() < 0.08 + 1e-3


def test_gains_by_experiment():
    measured = np.log(45.0 / rising(first_spikes(only(residual_gain=0.03))))
    assert_spread(measured, 0.03)


def test_membrane_time_constants_by_experiment():
    """Of a leak above threshold: an interspike interval is tau_refrac + tau_m ln((160 - 60) / (160 - 100)), within two stamps of
    8 ns, or 0.3 % of tau_m.
    """
    pynn.setup(chip=0, non_idealities=only(residual_tau_m=0.04))
    neurons = pynn.Population(N, pynn.cells.CalibHXNeuronCuba(v_rest=160, v_reset=60, v_thresh=100))
    neurons.record("spikes")
    pynn.run(0.06)
    found = spikes(neurons)
    assert min(map(len, found)) > 5
    tau_m = [(np.diff(train).mean() - 2.0) / np.log(100.0 / 60.0) for train in found]
    assert_spread(np.log(np.array(tau_m) / 10.0), 0.04)


def test_synaptic_time_constants_by_experiment():
    """From a fit to the recorded synaptic input, whose resolution leaves an error of about 0.2 %."""
    pynn.setup(chip=0, non_idealities=only(residual_tau_syn=0.04), record_at_once=True)
    source = pynn.Population(1, pynn.cells.SpikeSourceArray(spike_times=[0.001]))
    neurons = pynn.Population(N, pynn.cells.CalibHXNeuronCuba(v_thresh=220))
    neurons.record("exc_synin")
    connect(source, neurons, 600)
    pynn.run(0.03)
    tau = []
    for time, value in traces(neurons).values():
        falling = (time > 1.1) & (time < 20.0)
        drop = value[time < 0.9].mean() - value[falling]
        slope = np.polyfit(time[falling], np.log(drop), 1, w=drop)[0]
        tau.append(-1.0 / slope)
    assert_spread(np.log(np.array(tau) / 10.0), 0.04)


@pytest.mark.parametrize("seed", range(3))
def test_calibrated_circuits_have_the_residual_spread(seed):
    """Plus what codes of 10 bits add: a uniform error of one code, of variance 1/12."""
    chip = chip_from_seed(seed)
    sizes, aimed = chip.non_idealities, targets()
    found = physics_of(calibrate(aimed, chip, CIRCUITS, CLOCKS), chip, CIRCUITS)
    for name, quantity in (("v_rest", "leak"), ("v_reset", "reset"), ("v_thresh", "threshold")):
        size = np.hypot(getattr(sizes, f"residual_{quantity}"), LSB_OF_CODE[name] / np.sqrt(12))
        assert_spread(getattr(found, name) - aimed[name], size)
    for name, size, code in (("tau_m", sizes.residual_tau_m, 98.4), ("tau_syn_E", sizes.residual_tau_syn, 49.2),
                             ("tau_syn_I", sizes.residual_tau_syn, 49.2)):
        assert_spread(np.log(getattr(found, name) / aimed[name]), np.hypot(size, 1 / code / np.sqrt(12)))
    for side in "EI":
        strength = getattr(found, f"gain_{side}") * getattr(found, f"tau_syn_{side}")
        assert_spread(np.log(strength * 63.0 / (np.e * 15.34)), sizes.residual_gain)
    assert (found.tau_refrac == 2.0).all()


def test_uncalibrated_circuits_have_the_raw_spread():
    chip = chip_from_seed(5)
    sizes, nominal = chip.non_idealities, chip_from_seed(5, only())
    codes = codes_for(targets(), nominal, CIRCUITS)  # of a chip without mismatch: equal codes for all
    assert np.ptp(codes.v_leak) == 0
    found, ideal = (physics_of(codes, each, CIRCUITS) for each in (chip, nominal))
    for name, quantity in (("v_rest", "leak"), ("v_reset", "reset"), ("v_thresh", "threshold")):
        assert_spread((getattr(found, name) - getattr(ideal, name)) / LSB_OF_CODE[name], getattr(sizes, f"raw_{quantity}"))
    for name in ("tau_m", "tau_syn_E", "tau_syn_I"):
        assert_spread(np.log(getattr(found, name) / getattr(ideal, name)), getattr(sizes, f"raw_{name.removesuffix('_E')}".
                                                                                   removesuffix("_I")))
    assert_spread(np.log(found.gain_E * found.tau_syn_E / (ideal.gain_E * ideal.tau_syn_E)), sizes.raw_gain)


def test_forward_model_and_calibration_are_inverse():
    """Without residuals and rounding, to rounding errors of floating point; whatever the raw mismatch."""
    chip = chip_from_seed(4, NonIdealities(code_resolution=False, **{
        name: 0.0 for name in NonIdealities.__dataclass_fields__ if name.startswith("residual_")}))
    rng = np.random.default_rng(1)
    aimed = targets() | {"v_rest": rng.uniform(60, 150, N), "v_reset": rng.uniform(60, 150, N),
                         "v_thresh": rng.uniform(60, 200, N), "tau_m": rng.uniform(1, 50, N),
                         "tau_syn_E": rng.uniform(1, 25, N), "tau_syn_I": rng.uniform(1, 25, N)}
    found = physics_of(calibrate(aimed, chip, CIRCUITS, CLOCKS), chip, CIRCUITS)
    for name in ("v_rest", "v_reset", "v_thresh", "tau_m", "tau_syn_E", "tau_syn_I"):
        np.testing.assert_allclose(getattr(found, name), aimed[name], rtol=1e-9)


def test_codes_survive_the_way_through_parameters():
    """HXNeuron's parameters of calibrated codes are integers in range, and mean the same codes."""
    chip = chip_from_seed(2)
    for tau in (0.6, 2.0, 10.0, 50.0):
        aimed = targets(tau_m=tau, tau_syn_E=min(tau, 25.0), tau_syn_I=min(tau, 25.0))
        codes = calibrate(aimed, chip, CIRCUITS, CLOCKS)
        values = parameters_from_codes(codes, CLOCKS)
        for name in ("leak_v_leak", "leak_i_bias", "threshold_v_threshold", "excitatory_input_i_bias_tau"):
            assert (values[name] == np.round(values[name])).all() and values[name].min() >= 0 and values[name].max() <= 1022
        values |= {name: np.zeros(N) for name in ("constant_current_type",)}
        back = codes_from_parameters(values, CLOCKS, codes.dac_bias)
        for name in codes.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(back, name), getattr(codes, name), err_msg=name)


def test_a_seed_names_a_chip(tmp_path):
    one, again, other = chip_from_seed(7), chip_from_seed(7), chip_from_seed(8)
    assert one == again and hash(one) == hash(again) and one != other
    for name, draws in one.draws.items():
        np.testing.assert_array_equal(draws, again.draws[name])
        assert abs(np.corrcoef(draws, other.draws[name])[0, 1]) < 0.15  # 99.9 % of 512 independent pairs
    one.with_non_idealities(NonIdealities(event_loss=0.1)).save(tmp_path / "chip.npz")
    loaded = pynn.load_chip(tmp_path / "chip.npz")
    assert loaded != one and loaded.with_non_idealities(NonIdealities()) == one and loaded.non_idealities.event_loss == 0.1
    # These numbers name the chip: if they change, results of chip 7 can no longer be compared with earlier ones.
    assert one.draws["raw_leak"][:2] == pytest.approx([-0.28024524734004097, -0.4900861112882058], abs=1e-12)
