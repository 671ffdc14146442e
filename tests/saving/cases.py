"""One small model of every class that the library exports, and an input that it reads."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from seqvision import cells, conv, models, seq2seq
from seqvision.models import (
    MLP,
    Anchored,
    ClassificationHead,
    ConvNet,
    EncoderDecoder,
    ImageEncoder,
    Recurrent,
    RegressionHead,
    RowByRow,
    SequenceEncoder,
)

SERIES, PICTURES = (1, 6, 2), (1, 32, 32, 3)
CELLS = [
    cells.Elman(3, activation="relu"),
    cells.GRU(3, reset_after=False),
    cells.LSTM(3, forget_bias=0.5),
    cells.MGU(2),
    cells.SLSTM(2, forget="exp"),
    cells.IndRNN(2),
    cells.MinGRU(2),
    cells.MinLSTM(2),
    cells.LRU(2, max_phase=1.5),
    cells.LSTMVariant(3, peephole=True, proj=2, cell_clip=float("inf")),
    cells.LearnedStart(cells.GRU(2)),
    cells.Zoneout(cells.LSTM(2), h=0.1, c=0.5),
    cells.VariationalDropout(cells.GRU(2), h=0.1),
]
_DECODER = seq2seq.Decoder(7, cells.GRU(3), attention=seq2seq.Bahdanau(2))
_WRITTEN = jax.ShapeDtypeStruct((1, 4), jnp.int32)

# Models with the shapes of their inputs.
SMALL: list[tuple[nn.Module, Any]] = [
    (Recurrent(tuple(CELLS), readout="mean", head=ClassificationHead(2)), SERIES),
    (Recurrent((cells.LSTM(2), cells.GRU(3)), bidirectional=True, dropout=0.1, head=RegressionHead(2, 3)), SERIES),
    (Recurrent((cells.ConvLSTM(2, (3, 3), (5, 5)),), head=None), (1, 4, 5, 5, 1)),
    (Anchored(MLP((3, 2), activation="gelu", head=RegressionHead(2)), (1,)), SERIES),
    (models.TemporalConvNet((2, 3), head=RegressionHead()), SERIES),
    (RowByRow(Recurrent((cells.Elman(2),))), (1, 8, 8, 1)),
    (ConvNet(channels=(2, 3), pool=(2, 2), batch_norm=True, dense=(4,), dropout=(0.1, 0.2)), (1, 28, 28, 1)),
    (models.LeNet5(form="partial", activation=nn.tanh), (1, 32, 32, 1)),
    (models.VGG((1, 1), (2, 3), dense=(4,), batch_norm=True, num_classes=3), PICTURES),
    (models.ResNet((1, 1), (2, 4), block="bottleneck", stem="small", num_classes=3), PICTURES),
    (models.SixConvNet(channels=(2, 2, 2), dense=4), PICTURES),
    (models.CompactNet((2, "pool", 3)), PICTURES),
    (models.WhitenedConvNet(channels=(2, 3, 3)), PICTURES),
    (models.GridDetector(channels=(2, 2, 2), context=3, num_classes=2), (1, 32, 32, 1)),
    (models.DCGANDiscriminator(channels=(2, 3)), PICTURES),
    (models.DCGANGenerator(channels=(3, 2), start=4, outputs=1), (1, 5)),
    (models.InceptionBlock((2, 2, 2, 2, 2, 2), batch_norm=True), (1, 8, 8, 2)),
    (models.SeparableBlock(3), (1, 8, 8, 2)),
    (models.SqueezeExcitation(2), (1, 8, 8, 4)),
    (models.ResidualBlock(3, stride=2, shortcut="projection"), (1, 8, 8, 2)),
    (models.BottleneckBlock(4), (1, 8, 8, 4)),
    (models.ConvTransposeBlock(2, batch_norm=True), (1, 4, 4, 2)),
    (models.ConvBlock(2, kernel_size=(5,), padding="causal", dilation=2, pool=(2,)), SERIES),
    (
        EncoderDecoder(SequenceEncoder((cells.GRU(3),), vocabulary=7), _DECODER),
        (jax.ShapeDtypeStruct((1, 5), jnp.int32), _WRITTEN),
    ),
    (
        EncoderDecoder(
            ImageEncoder((2,), pool=2, features=4), seq2seq.Decoder(7, cells.LSTM(4), attention=seq2seq.Luong())
        ),
        (jax.ShapeDtypeStruct((1, 8, 8, 1), jnp.float32), _WRITTEN),
    ),
    (
        nn.Sequential(
            [
                nn.Conv(3, (3, 3), conv_general_dilated=conv.conv_general_dilated, dtype=jnp.bfloat16),
                nn.BatchNorm(use_running_average=True, momentum=np.float64(0.5)),
                nn.relu,
                functools.partial(conv.max_pool, window=(2, 2)),
                conv.global_avg_pool,
                nn.Dense(2, kernel_init=nn.initializers.he_normal(), precision=jax.lax.Precision.HIGHEST),
                nn.log_softmax,
            ]
        ),
        PICTURES,
    ),
    (
        nn.Sequential([nn.Embed(9, 3, param_dtype=jnp.float16), nn.RNN(nn.LSTMCell(2)), nn.LayerNorm(name="last")]),
        (1, 4),
    ),
]

# Those of their papers, too large to be made here.
LARGE = [
    models.AlexNet(num_classes=5),
    models.GoogLeNet(batch_norm=True),
    models.YOLOv1(),
    models.vgg16(),
    models.vgg19(num_classes=3),
    models.resnet18(),
    models.resnet34(),
    models.resnet50(),
    models.cifar_resnet18(),
    models.cifar_resnet20(),
    models.mnist_convnet(),
    models.fashion_convnet(),
    models.cifar_convnet(),
    *models.digit_gan(),
    models.LeNet5(),
    models.TrainablePool(),
    models.PartialConv(((0, 1), (1, 2))),
    models.BatchNorm(use_running_average=True, momentum=0.9),
    models.RecurrentLayer(cells.LSTM(3), reverse=True),
]


def example_of(shape):
    """Return the input of a case as shapes and dtypes."""
    if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
        return jax.ShapeDtypeStruct(shape, jnp.int32 if shape == (1, 4) else jnp.float32)
    return shape
