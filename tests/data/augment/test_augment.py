"""Augmentation: each change against one written out, its statistics, and what it must leave alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from seqvision.data import (
    Augment,
    Batch,
    Brightness,
    Contrast,
    CutMix,
    Cutout,
    Flip,
    Mixup,
    PadCrop,
    Shift,
    Warp,
    warp,
    warp_matrix,
)

KEY = jax.random.key(7)
DRAWS = 4000
STEPS = (
    Flip(),
    Flip("vertical"),
    Shift(0.2, 0.3, "reflect"),
    PadCrop(2, "zero"),
    Warp(20, 0.1, 5),
    Brightness(),
    Contrast(),
    Cutout(3),
)


def image(height=6, width=5, channels=2, seed=0):
    return np.random.default_rng(seed).random((height, width, channels), np.float32)


def many(step, x, draws=DRAWS):
    """Apply a change with many keys at once."""
    return np.asarray(jax.jit(jax.vmap(step, in_axes=(0, None)))(jax.random.split(KEY, draws), jnp.asarray(x)))


def is_uniform(counts):
    return scipy.stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize(
    "step",
    [
        Flip(probability=0.0),
        Shift(0.0, 0.0),
        PadCrop(0),
        Warp(),
        Brightness(0.0),
        Contrast(0.0),
        Cutout(0),
    ],
    ids=["flip", "shift", "crop", "warp", "brightness", "contrast", "cutout"],
)
def test_nothing_to_do_leaves_every_bit(step):
    x = image()
    np.testing.assert_array_equal(many(step, x, 20), np.broadcast_to(x, (20, *x.shape)))


@pytest.mark.parametrize(("axis", "mirror"), [("horizontal", np.fliplr), ("vertical", np.flipud)])
def test_flips_mirror_as_often_as_asked(axis, mirror):
    x = image()
    out = many(Flip(axis, 0.3), x)
    mirrored = (out == mirror(x)).all(axis=(1, 2, 3))
    assert ((out == x).all(axis=(1, 2, 3)) ^ mirrored).all()
    assert scipy.stats.binomtest(int(mirrored.sum()), DRAWS, 0.3).pvalue > 1e-3


@pytest.mark.parametrize(
    ("step", "rows", "columns", "mode"),
    [
        (Shift(0.34, 0.2, "replicate"), 2, 1, "edge"),
        (Shift(0.34, 0.0, "zero"), 2, 0, "constant"),
        (PadCrop(2, "reflect"), 2, 2, "reflect"),
    ],
    ids=["shift", "one axis", "crop"],
)
def test_every_shift_is_as_likely_as_another(step, rows, columns, mode):
    x = image()
    padded = np.pad(x, ((rows, rows), (columns, columns), (0, 0)), mode=mode)
    out, counts = many(step, x), []
    for top in range(2 * rows + 1):
        for left in range(2 * columns + 1):
            window = padded[top : top + x.shape[0], left : left + x.shape[1]]
            counts.append(int((out == window).all(axis=(1, 2, 3)).sum()))
    assert sum(counts) == DRAWS
    assert is_uniform(counts)


MODES = {"replicate": "nearest", "reflect": "mirror", "zero": "grid-constant"}


WARP = jax.jit(warp, static_argnums=2)
MATRIX = jax.jit(warp_matrix)
HUNDREDTHS = st.integers(-80, 80).map(lambda n: n / 100)


@given(HUNDREDTHS.map(lambda x: 4 * x), HUNDREDTHS, HUNDREDTHS, st.sampled_from(sorted(MODES)), st.integers(0, 99))
def test_warps_are_those_of_scipy(angle, zoom, shear, fill, seed):
    x = image(7, 6, 2, seed)
    matrix = np.asarray(MATRIX(angle, 1 + zoom, shear), np.float64)
    middle = (np.array(x.shape[:2]) - 1) / 2
    expected = [
        scipy.ndimage.affine_transform(
            x[..., channel].astype(np.float64), matrix, middle - matrix @ middle, order=1, mode=MODES[fill]
        )
        for channel in range(2)
    ]
    warped = WARP(jnp.asarray(x), matrix.astype(np.float32), fill)
    np.testing.assert_allclose(warped, np.stack(expected, -1), atol=2e-5)


def test_the_matrix_is_rotation_times_shear_over_zoom():
    angle, zoom, shear = 0.3, 1.2, 0.2
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    expected = rotation @ np.array([[1, 0], [np.tan(shear), 1]]) / zoom
    np.testing.assert_allclose(warp_matrix(angle, zoom, shear), expected, rtol=1e-6)


def test_warps_turn_zoom_and_lean_as_one_sees_it():
    x = image(5, 5, 1)
    np.testing.assert_allclose(warp(x, warp_matrix(np.pi / 2)), np.rot90(x), atol=1e-5)  # anticlockwise
    bar = np.zeros((9, 9, 1), np.float32)
    bar[3:6, 3:6] = 1
    assert warp(bar, warp_matrix(0.0, 2.0)).sum() > 2 * bar.sum()  # larger than 1 enlarges
    # About the center: the middle pixel stays.
    np.testing.assert_allclose(warp(x, warp_matrix(0.7, 1.3, 0.4))[2, 2], x[2, 2], atol=1e-6)


def test_warps_draw_uniformly_from_their_ranges():
    # At a corner of a picture that holds its own columns one reads the draw off the matrix.
    rows = np.broadcast_to(np.arange(-10.0, 11.0)[:, None, None], (21, 21, 1)).astype(np.float32)
    zooms = many(Warp(zoom=0.5, fill="replicate"), rows, 2000)[:, 14, 10, 0]  # 4 rows from the center: 4 / zoom
    assert scipy.stats.kstest(4 / zooms, scipy.stats.uniform(0.5, 1).cdf).pvalue > 1e-3
    turned = many(Warp(rotation=30), rows, 2000)[:, 10, 14, 0]  # 4 columns from it: 4 sin(angle)
    angles = np.rad2deg(np.arcsin(np.clip(turned / 4, -1, 1)))
    assert scipy.stats.kstest(angles, scipy.stats.uniform(-30, 60).cdf).pvalue > 1e-3


def test_brightness_and_contrast_draw_uniformly_and_clip():
    x = image()
    added = many(Brightness(0.3, None), x) - x
    assert np.ptp(added, axis=(1, 2, 3)).max() < 1e-6
    assert scipy.stats.kstest(added[:, 0, 0, 0], scipy.stats.uniform(-0.3, 0.6).cdf).pvalue > 1e-3
    mean = x.mean(axis=(0, 1))
    stretched = (many(Contrast(0.4, None), x) - mean) / (x - mean)
    factors = np.median(stretched, axis=(1, 2, 3))
    assert np.abs(stretched - factors[:, None, None, None]).max() < 1e-2
    assert scipy.stats.kstest(factors, scipy.stats.uniform(0.6, 0.8).cdf).pvalue > 1e-3
    for step in (Brightness(1.0), Contrast(1.0)):
        out = many(step, x, 50)
        assert 0 <= out.min() <= out.max() <= 1


def test_cutout_blanks_one_square_anywhere():
    x = np.ones((8, 8, 2), np.float32)
    blank = (many(Cutout(3, value=-1.0), x) == -1).all(axis=-1)
    assert set(blank.sum(axis=(1, 2))) == {4, 6, 9}  # whole, or cut off at a side or a corner
    for mask in blank[:50]:
        assert mask.sum() == mask.any(axis=0).sum() * mask.any(axis=1).sum()
    middle = blank[blank.sum(axis=(1, 2)) == 9]
    first = [np.argwhere(mask)[0] for mask in middle]
    assert is_uniform(np.unique(first, axis=0, return_counts=True)[1])
    # The first blank row is 0 for a center in row 0 or 1, else the row before the center.
    top = np.bincount(blank.any(axis=2).argmax(axis=1), minlength=7)
    assert scipy.stats.chisquare(top, DRAWS * np.array([2, 1, 1, 1, 1, 1, 1]) / 8).pvalue > 1e-3


def mixed(mix, batch=2000):
    """Blend rows of zeros and ones in turn: the image and the target then say how much came from the neighbor."""
    x = np.broadcast_to((np.arange(batch) % 2)[:, None, None, None], (batch, 8, 8, 1)).astype(np.float32)
    y = jax.nn.one_hot(np.arange(batch) % 2, 3)
    new_x, new_y = jax.jit(mix)(jax.random.split(KEY, batch), jnp.asarray(x), y)
    own = np.asarray(new_y)[np.arange(batch), np.arange(batch) % 2]
    np.testing.assert_allclose(new_y.sum(axis=1), 1, rtol=1e-6)
    assert (np.asarray(new_y)[:, 2] == 0).all()
    return np.where(x == 0, 1 - new_x, new_x), own  # share of each pixel that is the example's own


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_blends_images_and_targets_by_a_beta_draw(alpha):
    pixels, own = mixed(Mixup(alpha))
    np.testing.assert_allclose(pixels, np.broadcast_to(own[:, None, None, None], pixels.shape), atol=1e-6)
    assert scipy.stats.kstest(own, scipy.stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_cutmix_pastes_a_box_and_shares_targets_by_its_area():
    pixels, own = mixed(CutMix())
    assert set(np.unique(pixels)) == {0.0, 1.0}
    np.testing.assert_allclose(pixels.mean(axis=(1, 2, 3)), own, atol=1e-6)
    for mask in pixels[:50, ..., 0] == 0:
        assert mask.sum() == mask.any(axis=0).sum() * mask.any(axis=1).sum()
    assert own.min() == 0
    assert own.max() == 1
    inner = (pixels[..., 0] == 0)[:, 4, 4].mean()
    assert 0.3 < inner < 0.7  # a box of half the area on average covers the middle about as often


def test_every_example_has_draws_of_its_own_whatever_the_size_of_the_batch():
    augment = Augment(STEPS)
    x = jnp.broadcast_to(jnp.asarray(image()), (6, 6, 5, 2))
    six = augment(KEY, Batch(x, jnp.arange(6)))
    four = jax.jit(augment)(KEY, Batch(x[:4], jnp.arange(4)))
    np.testing.assert_allclose(six.x[:4], four.x, atol=1e-6)
    assert six.y.tolist() == list(range(6))
    assert len({row.tobytes() for row in np.asarray(six.x)}) == 6
    assert not np.array_equal(six.x, augment(jax.random.key(8), Batch(x, six.y)).x)
    np.testing.assert_array_equal(six.x, augment(KEY, Batch(x, six.y)).x)


def test_steps_follow_one_another_and_equal_ones_are_equal():
    def double(key, image):
        return 2 * image

    x = image()
    out = Augment([Brightness(0.0, (0.0, 0.5)), double])(KEY, Batch(jnp.asarray(x)[None], None))
    np.testing.assert_allclose(out.x[0], 2 * np.clip(x, 0, 0.5), rtol=1e-6)
    assert Augment((Flip(), Warp(5))) == Augment([Flip(), Warp(5.0)])
    assert hash(Augment((Flip(), Warp(5)), Mixup())) == hash(Augment((Flip(), Warp(5)), Mixup()))


BAD = {
    "probability must be a number >= 0 and <= 1, got 1.5": lambda: Flip(probability=1.5),
    "axis must be one of 'horizontal', 'vertical', got 'left'": lambda: Flip("left"),
    "height must be a number >= 0 and <= 1, got 4": lambda: Shift(4, 0.1),
    "pad must be an int >= 0, got 0.5": lambda: PadCrop(0.5),
    "fill must be one of 'replicate', 'reflect', 'zero', got 'nearest'": lambda: PadCrop(2, "nearest"),
    "rotation must be a number >= 0 and <= 180, got -5": lambda: Warp(-5),
    "zoom must be a number >= 0 and <= 0.99, got 1.1": lambda: Warp(zoom=1.1),
    "shear must be": lambda: Warp(shear=90),
    "amount must be": lambda: Brightness(-1),
    "bounds must be .low, high.": lambda: Contrast(0.1, (1.0, 0.0)),
    "size must be an int >= 0, got 2.5": lambda: Cutout(2.5),
    "alpha must be a number > 0": lambda: Mixup(0),
    "alpha must be a number > 0 and < inf, got -1": lambda: CutMix(-1),
    "takes images, one float array .B, H, W, C., got float32 of shape .4, 3.": lambda: Augment()(
        KEY, Batch(jnp.zeros((4, 3)), None)
    ),
    "got int32 of shape": lambda: Augment()(KEY, Batch(jnp.zeros((4, 3, 3, 1), jnp.int32), None)),
    "Mixup mixes targets: they must be floats .B, K., got int32": lambda: Augment(mix=Mixup())(
        KEY, Batch(jnp.zeros((4, 3, 3, 1)), jnp.zeros(4, jnp.int32))
    ),
    "CutMix mixes targets.*jax.nn.one_hot": lambda: Augment(mix=CutMix())(
        KEY, Batch(jnp.zeros((4, 3, 3, 1)), jnp.zeros(4))
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_arguments_are_refused(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


def test_a_class_in_place_of_a_change_is_refused():
    with pytest.raises(TypeError, match=r"steps\[0\] must be a function .* such as Flip\(\)"):
        Augment((Flip,))
