"""Distorted images: against SciPy, by their statistics, and what is refused."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from ttfs_pynn.datasets.augmentation import ImageDistortion
from ttfs_pynn.errors import DatasetError

ALL = {"rotation": 20.0, "scale": 0.2, "shear": 0.2, "shift": 2.0, "elastic": 0.7, "mirrored": 0.5}


def images(n=40, height=28, width=28, seed=0):
    """Bytes, black and white among them."""
    found = np.random.default_rng(seed).integers(0, 256, (n, height, width), dtype=np.uint8)
    found[:, :, ::5] = 0
    found[:, ::7] = 255
    return found


def distorted(given, seed=1, **options):
    return ImageDistortion(**options)(given, np.random.default_rng(seed))


@pytest.mark.parametrize("options", [{}, {**ALL, "share": 0.0, "mirrored": 0.0}])
@pytest.mark.parametrize("shape", [(28, 28), (16, 16), (7, 12)])
def test_nothing_asked_for_is_nothing_changed(options, shape):
    given = images(20, *shape)
    np.testing.assert_array_equal(distorted(given, **options), given)
    floats = (given / 255).astype(np.float32)
    np.testing.assert_array_equal(distorted(floats, **options), floats)


@pytest.mark.parametrize("options", [{"rotation": 25.0}, {"scale": 0.3}, {"shear": 0.3}, {"shift": 3.0},
                                     {"rotation": 25.0, "scale": 0.3, "shear": 0.3, "shift": 3.0, "mirrored": 0.5}])
@pytest.mark.parametrize("shape", [(28, 28), (9, 14)])
def test_maps_are_those_of_scipy(options, shape):
    """A is written again from the docstring; single precision of a place of at most 64 pixels is 4e-6 of a pixel, over which
    brightness changes by 1 at most."""
    given, rng = images(30, *shape) / 255, np.random.default_rng(1)
    p = {name: options.get(name, 0.0) for name in ("rotation", "scale", "shear", "shift", "mirrored")}
    rng.random(30)  # which images stay as they are: none
    angle, tall, wide, shear, down, right = rng.uniform(-1, 1, (6, 30))
    mirrored = rng.random(30) < p["mirrored"]
    c, s = np.cos(np.radians(p["rotation"] * angle)), np.sin(np.radians(p["rotation"] * angle))
    found, centre = distorted(given, **options), (np.array(shape) - 1) / 2
    for k in range(30):
        a = np.array([[c[k], -s[k]], [s[k], c[k]]]) @ np.diag(np.exp(p["scale"] * np.array([tall[k], wide[k]])))
        a[1, 0] += p["shear"] * shear[k]
        if mirrored[k]:
            a[1] *= -1
        begin = centre - a @ centre + p["shift"] * np.array([down[k], right[k]])
        expected = affine_transform(given[k], a, begin, order=1, mode="grid-constant")
        np.testing.assert_allclose(found[k], expected, atol=2e-5)
    assert np.abs(found - given).max() > 0.5 and (mirrored.any() or not p["mirrored"])


def test_mirrored_images():
    given = images()
    np.testing.assert_array_equal(distorted(given, mirrored=1.0), given[:, :, ::-1])
    some = distorted(images(400), mirrored=0.25)
    mirror = (some == images(400)[:, :, ::-1]).all(axis=(1, 2))
    assert (mirror | (some == images(400)).all(axis=(1, 2))).all()
    assert abs(mirror.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 400)  # five standard deviations


def test_a_share_of_images_is_distorted():
    still = (distorted(images(400), share=0.3, **ALL | {"mirrored": 0.0}) == images(400)).all(axis=(1, 2))
    assert abs(still.mean() - 0.7) < 5 * np.sqrt(0.3 * 0.7 / 400)


@pytest.mark.parametrize("axis", [1, 2])
def test_displacements_have_the_variance_asked_for(axis):
    """In an image that grows evenly in a direction, brightness says where a pixel came from. At points of the grid, every 7
    pixels of 29, displacements have variance 1 times elastic^2, between them less; near points are alike."""
    n, elastic = 4000, 0.8
    ramp = np.broadcast_to((np.arange(29) / 28).reshape((1, -1, 1) if axis == 1 else (1, 1, -1)), (n, 29, 29))
    d = 28 * (distorted(ramp, elastic=elastic) - ramp)[:, 7:22, 7:22]  # at the rim black comes in
    at_grid = d[:, ::7, ::7]
    assert np.abs(at_grid.mean(axis=0)).max() < 5 * elastic / np.sqrt(n)
    # The standard deviation of n normal numbers has a relative error of 1 / sqrt(2 n).
    np.testing.assert_allclose(at_grid.std(axis=0), elastic, rtol=5 / np.sqrt(2 * n))
    between = d[:, 3, 3].std() / elastic
    assert 0.7 < between < 0.99
    near, far = (np.corrcoef(at_grid[:, 0, 0], at_grid[:, *other])[0, 1] for other in ((0, 1), (2, 2)))
    assert near > 0.5 and abs(far) < 0.4


def test_both_directions_are_bent_independently():
    ramp = np.broadcast_to(np.arange(29) / 28, (2000, 29, 29))
    down, right = distorted(ramp.transpose(0, 2, 1), elastic=0.8)[:, 14, 14], distorted(ramp, elastic=0.8)[:, 14, 14]
    assert down.std() > 0.01 and abs(np.corrcoef(down, right)[0, 1]) < 5 / np.sqrt(2000)


def test_bytes_are_floats_rounded():
    given = images()
    whole, exact = distorted(given, **ALL), distorted(given / 255, **ALL) * 255
    assert whole.dtype == np.uint8 and (whole != given).mean() > 0.5
    assert np.abs(whole - exact).max() < 0.5 + 1e-3  # single precision of 255 is 1.5e-5, of a place 4e-6
    assert abs((whole - exact).mean()) < 0.02, "rounded, not cut off"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_stay_between_black_and_white(dtype):
    """To the last bit, whatever lies beside them."""
    given, nearly = images(300).astype(dtype) / 255, np.nextafter(np.float32(1), np.float32(0))
    given[:100] = np.where(images(100) % 2, 1, nearly)
    given[100:200] = np.where(images(100) % 2, 1, np.random.default_rng(3).random((100, 28, 28)))
    found = distorted(given, **ALL)
    assert found.dtype == dtype and found.min() == 0 and found.max() == 1


def test_the_generator_alone_decides_and_nothing_given_changes():
    given, before = images(), images()
    first, again, other = distorted(given, 1, **ALL), distorted(given, 1, **ALL), distorted(given, 2, **ALL)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(given, before)
    assert (first != other).mean() > 0.3
    rng = np.random.default_rng(1)
    twice = [ImageDistortion(**ALL)(given, rng) for _ in range(2)]
    assert (twice[0] == first).all() and (twice[1] != first).any()
    given.flags.writeable = False
    np.testing.assert_array_equal(distorted(given, 1, **ALL), first)
    np.testing.assert_array_equal(distorted(given[:, ::-1][:, ::-1], 1, **ALL), first)


@pytest.mark.parametrize("shape", [(0, 28, 28), (3, 1, 1), (3, 1, 5), (2, 0, 4)])
def test_batches_and_images_of_no_size_or_one_pixel(shape):
    assert distorted(np.full(shape, 200, dtype=np.uint8), **ALL).shape == shape


@pytest.mark.parametrize("option, text", [
    ({"rotation": -1.0}, "rotation = -1.0: give a finite number from 0 on"), ({"shift": np.inf}, "shift = inf: give a finite"),
    ({"elastic": np.nan}, "elastic = nan: give a finite"), ({"share": 1.1}, "share = 1.1: give a share from 0 to 1"),
    ({"mirrored": -0.1}, "mirrored = -0.1: give a share"), ({"scale": "0.1"}, "scale = '0.1': give a finite number"),
    ({"shear": None}, "shear = None"), ({"share": True}, "share = True"), ({"shift": [1, 1]}, r"shift = \[1, 1\]")])
def test_options_that_are_none(option, text):
    with pytest.raises(DatasetError, match=text):
        ImageDistortion(**option)


@pytest.mark.parametrize("given, text", [
    (np.zeros((4, 784)), r"images of shape \(4, 784\); give \(images, height, width\)"),
    (np.zeros((2, 5, 5), dtype=int), "images are int64; give bytes"), (np.zeros((2, 5, 5), dtype=bool), "images are bool"),
    (np.full((2, 5, 5), 1.5), "floats from 1.5 to 1.5; give them from 0, black, to 1"),
    (np.full((2, 5, 5), -0.1), "floats from -0.1"), (np.full((2, 5, 5), np.nan), "floats from nan")])
def test_images_that_are_none(given, text):
    with pytest.raises(DatasetError, match=text):
        distorted(given, **ALL)


@pytest.mark.parametrize("table, message", [({"rot": 3.0}, "unknown distortion 'rot'"), (5, "give a table of numbers")])
def test_tables_that_are_none(table, message):
    with pytest.raises(DatasetError, match=message):
        ImageDistortion.of(table)
