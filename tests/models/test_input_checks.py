"""Models say what is wrong with inputs that they would misread."""

import inspect
import re

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision import models
from seqvision.cells import GRU, LSTM, Elman
from seqvision.models import (
    MLP,
    VGG,
    AlexNet,
    Anchored,
    ClassificationHead,
    CompactNet,
    ConvNet,
    GoogLeNet,
    GridDetector,
    LeNet5,
    Recurrent,
    RecurrentLayer,
    SequenceEncoder,
    SixConvNet,
    WhitenedConvNet,
    YOLOv1,
    resnet18,
)
from seqvision.seq2seq import Decoder

MODELS = {
    "VGG": VGG(),
    "AlexNet": AlexNet(),
    "CompactNet": CompactNet(),
    "ConvNet": ConvNet(),
    "GoogLeNet": GoogLeNet(),
    "GridDetector": GridDetector(),
    "LeNet5": LeNet5(),
    "SixConvNet": SixConvNet(),
    "WhitenedConvNet": WhitenedConvNet(),
    "YOLOv1": YOLOv1(),
    "ResNet": resnet18(),
}


@pytest.mark.parametrize("name", MODELS)
def test_channels_in_front_are_refused(name):
    for shape in ((2, 3, 64, 64), (2, 1, 28, 28)):
        with pytest.raises(ValueError, match=rf"{name}: x .* has its channels in front; .* jnp\.moveaxis\(x, 1, -1\)"):
            jax.eval_shape(MODELS[name].init, jax.random.key(0), jnp.zeros(shape))


@pytest.mark.parametrize("name", MODELS)
def test_integers_are_refused(name):
    with pytest.raises(TypeError, match=rf"{name}: x is uint8: scale images first, uint8 by x / 255"):
        jax.eval_shape(MODELS[name].init, jax.random.key(0), jnp.zeros((2, 64, 64, 3), jnp.uint8))


# Of every layer and model: one, and a batch that it takes.
SMALL = (2, 8, 8, 3)
LAYERS = {
    "AlexNet": (AlexNet(), (2, 64, 64, 3)),
    "BottleneckBlock": (models.BottleneckBlock(4), SMALL),
    "CompactNet": (CompactNet(), SMALL),
    "ConvBlock": (models.ConvBlock(4), SMALL),
    "ConvNet": (ConvNet((4,)), SMALL),
    "ConvTransposeBlock": (models.ConvTransposeBlock(4), SMALL),
    "DCGANDiscriminator": (models.DCGANDiscriminator((4, 4)), SMALL),
    "DCGANGenerator": (models.DCGANGenerator((4, 4)), (2, 5)),
    "GoogLeNet": (GoogLeNet(), (2, 64, 64, 3)),
    "GridDetector": (GridDetector((4, 4)), SMALL),
    "ImageEncoder": (models.ImageEncoder((4,)), SMALL),
    "InceptionBlock": (models.InceptionBlock((4, 2, 4, 2, 3, 3)), SMALL),
    "LeNet5": (LeNet5(), (2, 28, 28, 1)),
    "PartialConv": (models.PartialConv(((0, 1), (1, 2))), SMALL),
    "ResNet": (models.ResNet((1,), (4,), stem="small"), SMALL),
    "ResidualBlock": (models.ResidualBlock(4), SMALL),
    "RowByRow": (models.RowByRow(Recurrent((GRU(4),))), (2, 8, 8)),
    "SeparableBlock": (models.SeparableBlock(4), SMALL),
    "SixConvNet": (SixConvNet((4, 4, 4)), SMALL),
    "SqueezeExcitation": (models.SqueezeExcitation(2), (2, 8, 3)),
    "TemporalConvNet": (models.TemporalConvNet((4,)), (2, 8, 3)),
    "TrainablePool": (models.TrainablePool(), SMALL),
    "VGG": (VGG((1,), (4,)), SMALL),
    "WhitenedConvNet": (WhitenedConvNet((4, 4)), SMALL),
    "YOLOv1": (YOLOv1(), (1, 64, 64, 3)),
    # A sequence by itself, (T, D), is as good as a batch of them.
    "Anchored": (models.Anchored(Recurrent((GRU(4),))), (5, 1)),
    "Recurrent": (Recurrent((GRU(4),)), (5, 3)),
    "RecurrentLayer": (RecurrentLayer(GRU(4)), (5, 3)),
    "SequenceEncoder": (SequenceEncoder((GRU(4),)), (5, 3)),
}
ANY_AXES = {"MLP", "BatchNorm", "ClassificationHead", "RegressionHead"}
OF_PAIRS = {"EncoderDecoder"}


def test_the_table_has_every_layer_and_model():
    public = {name for name in models.__all__ if inspect.isclass(getattr(models, name))}
    modules = {name for name in public if issubclass(getattr(models, name), nn.Module)}
    assert modules == set(LAYERS) | ANY_AXES | OF_PAIRS


@pytest.mark.parametrize("name", LAYERS)
def test_a_missing_axis_is_refused_by_name(name):
    model, shape = LAYERS[name]
    init = lambda shape: jax.eval_shape(model.init, jax.random.key(0), jnp.zeros(shape))  # noqa: E731
    init(shape)
    for axes in (shape[1:], shape[:-1]):  # no batch; no channels
        with pytest.raises(ValueError, match=r"(: x|: noise|unroll: xs) must be \(") as error:
            init(axes)
        assert str(axes) in str(error.value)
        assert (
            "x[None]" in str(error.value) or "z[None]" in str(error.value) or "add the missing axis" in str(error.value)
        )


@pytest.mark.parametrize("name", [name for name, (_, shape) in LAYERS.items() if len(shape) == 4])
def test_an_axis_too_many_is_refused_where_it_would_be_flattened(name):
    model, shape = LAYERS[name]
    if name in ("ConvBlock", "SeparableBlock", "PartialConv", "TrainablePool"):
        pytest.skip("takes several batch axes")
    with pytest.raises(ValueError, match=f"{name}: x must be .*: take an axis away"):
        jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((2, *shape)))


def test_series_are_told_how_to_be_convolved():
    with pytest.raises(ValueError, match=r"got \(4, 20, 3\): give it channels.*; for series .B, T, D. write .*\(3,\)"):
        jax.eval_shape(ConvNet((4,)).init, jax.random.key(0), jnp.zeros((4, 20, 3)))
    alone = ConvNet((4,), kernel_size=(3,), dense=())
    y, variables = alone.init_with_output(jax.random.key(0), jnp.ones((4, 20, 3)))
    x = np.random.default_rng(0).normal(size=(4, 20, 3)).astype(np.float32)
    together = alone.apply(variables, x)
    np.testing.assert_allclose(together[2:3], alone.apply(variables, x[2:3]), rtol=1e-5, atol=1e-6)
    assert y.shape == (4, 10)
    with pytest.raises(ValueError, match=r"ConvNet: x must be \(B, T, C\), got \(4, 8, 8, 1\): take an axis away"):
        jax.eval_shape(alone.init, jax.random.key(0), jnp.zeros((4, 8, 8, 1)))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (models.ConvBlock(4, batch_norm="no"), "batch_norm"),
        (models.ConvBlock(4, use_bias="no"), "use_bias"),
        (ConvNet((4,), batch_norm="no"), "batch_norm"),
        (GoogLeNet(batch_norm=0), "batch_norm"),
        (models.ConvTransposeBlock(4, batch_norm="no"), "batch_norm"),
        (models.SeparableBlock(4, batch_norm="no"), "batch_norm"),
        (Recurrent((GRU(4),), bidirectional="no"), "bidirectional"),
        (RecurrentLayer(GRU(4), reverse="no"), "reverse"),
        (SequenceEncoder((GRU(4),), bidirectional="no"), "bidirectional"),
    ],
)
def test_fields_that_are_true_or_false_are_nothing_else(model, name):
    x = jnp.zeros((2, 5, 3)) if hasattr(model, "cells") or hasattr(model, "cell") else jnp.zeros((2, 64, 64, 3))
    with pytest.raises(TypeError, match=f"{name} must be True or False, got"):
        jax.eval_shape(model.init, jax.random.key(0), x)


@pytest.mark.parametrize("kind", [Recurrent, SequenceEncoder])
def test_cells_are_a_tuple_of_cells_that_are_made(kind):
    x = jnp.zeros((2, 5, 3))
    for one in (LSTM(8), LSTM, ()):
        with pytest.raises(ValueError, match=rf"cells must be a tuple .*: write {kind.__name__}\(\(LSTM\(8\),\)\)"):
            kind(one).init(jax.random.key(0), x)
    with pytest.raises(TypeError, match=r"cells must be made, such as Elman\(8\), got <class"):
        kind((GRU(4), Elman)).init(jax.random.key(0), x)
    with pytest.raises(TypeError, match="RecurrentLayer: cells must be made"):
        RecurrentLayer(GRU).init(jax.random.key(0), x)
    jax.eval_shape(kind((LSTM(np.int64(4)),)).init, jax.random.key(0), x)


X = jnp.ones((2, 8, 8, 1))
PAIR = (jnp.ones((2, 5), int), jnp.ones((2, 4), int))
WRITER = models.EncoderDecoder(SequenceEncoder((GRU(4),), vocabulary=5), Decoder(5, GRU(4)))
WRONG = {
    "MLP: features must be a tuple, got 4: write (4,)": (MLP(4), X),
    "ConvNet: channels must be a tuple, got 4: write (4,)": (ConvNet(4), X),
    "ConvNet: kernel_size must be a tuple, got 3: write (3, 3)": (ConvNet((4,), 3), X),
    "ConvBlock: kernel_size must be a tuple, got 3: write (3, 3)": (models.ConvBlock(4, 3), X),
    "ConvBlock: features must be an int >= 1, got 0": (models.ConvBlock(0), X),
    "ConvBlock: dropout must be a number >= 0 and < 1, got 2.0": (models.ConvBlock(4, dropout=2.0), X),
    "ConvNet: dropout must be a number >= 0 and < 1, got -0.1": (ConvNet((4,), dropout=(0.5, -0.1)), X),
    "ConvNet: every number in channels must be an int >= 1, got 4.0": (ConvNet((4.0,)), X),
    "ConvNet: head must be a module, such as ClassificationHead(…), got": (ConvNet((4,), head=ClassificationHead), X),
    "MLP: head must be a module, such as ClassificationHead(10), got 10": (MLP((4,), head=10), X),
    "MLP: dropout must be a number >= 0 and < 1, got 1": (MLP((4,), dropout=1), X),
    "Recurrent: dropout must be a number >= 0 and < 1, got '0.5'": (Recurrent((GRU(4),), dropout="0.5"), X[..., 0]),
    "ResNet: blocks and channels must have an entry for each stage, got 2 and 1": (models.ResNet((1, 1), (4,)), X),
    "VGG: convolutions and channels must have an entry for each stage, got 1 and 2": (VGG((1,), (4, 4)), X),
    "Anchored: columns must be a tuple of positions in 0..1, got (5,)": (Anchored(MLP((4,)), (5,)), X[..., :2, 0]),
    "Anchored: columns must be a tuple of positions in 0..1, got 1": (Anchored(MLP((4,)), 1), X[..., :2, 0]),
    "EncoderDecoder: x must be a pair (source, tokens), got an array (2, 5) of int32": (WRITER, PAIR[0]),
    "EncoderDecoder: tokens must be integers (B, T), got an array (2, 4)": (
        WRITER,
        (PAIR[0], PAIR[1] + 0.0),
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_a_model_cannot_be_made_of_or_given_is_named(message):
    model, x = WRONG[message]
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        jax.eval_shape(model.init, jax.random.key(0), x)


def test_sizes_may_be_numbers_of_numpy_and_lists():
    for model in (MLP([np.int64(4)]), ConvNet([np.int64(4)], [3, 3]), models.ConvBlock(np.int64(4))):
        jax.eval_shape(model.init, jax.random.key(0), X)


def test_tokens_beyond_the_vocabulary_give_no_numbers():
    variables = WRITER.init(jax.random.key(0), PAIR)
    for wrong in (5, -1):
        logits = WRITER.apply(variables, (PAIR[0], PAIR[1].at[1, 2].set(wrong)))
        assert np.isnan(logits[1, 2:]).all()
        assert np.isfinite(logits[0]).all()


def test_a_mask_may_be_a_list():
    model, x = Recurrent((GRU(4),), readout="mean"), jnp.ones((2, 3, 2))
    flags = [[True, True, False], [True, False, True]]
    y, variables = model.init_with_output(jax.random.key(0), x, mask=flags)
    np.testing.assert_array_equal(y, model.apply(variables, x, mask=jnp.array(flags)))
