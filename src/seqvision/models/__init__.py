"""Ordinary flax.linen modules over the pure cells and convolutions: layers, models and heads.

How the five shapes of input and output are spelled, one-to-one to sequences of unequal length, stands at the top of
`seqvision.models.encoder_decoder`.

Networks of images have the parameter counts of their papers: `LeNet5` (also as published), `AlexNet`, `vgg16`, `vgg19`,
`GoogLeNet`, `resnet18` to `resnet50`, `cifar_resnet18`, `cifar_resnet20`, `YOLOv1`, a DCGAN (`digit_gan`), the networks
of the Keras examples, the `WhitenedConvNet` of the CIFAR-10 speed records, and the blocks that they are made of.
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports

if TYPE_CHECKING:
    from .blocks.convolution import ConvBlock
    from .blocks.inception import InceptionBlock, local_response_norm
    from .blocks.normalization import BatchNorm
    from .blocks.residual import BottleneckBlock, ResidualBlock
    from .blocks.separable import SeparableBlock, SqueezeExcitation
    from .blocks.transposed import ConvTransposeBlock
    from .boxes import (
        Detections,
        box_overlap,
        decode_boxes,
        encode_boxes,
        non_maximum_suppression,
        split_grid_outputs,
    )
    from .causal import TemporalConvNet
    from .classic.alexnet import AlexNet
    from .classic.compact import CompactNet
    from .classic.dcgan import DCGANDiscriminator, DCGANGenerator, digit_gan
    from .classic.googlenet import GoogLeNet
    from .classic.keras_convnets import ConvNet, SixConvNet, cifar_convnet, fashion_convnet, mnist_convnet
    from .classic.lenet import LeNet5, PartialConv, TrainablePool
    from .classic.resnet import ResNet, cifar_resnet18, cifar_resnet20, resnet18, resnet34, resnet50
    from .classic.vgg import VGG, vgg16, vgg19
    from .classic.whitened import WhitenedConvNet, whitening_kernel
    from .classic.yolo import GridDetector, YOLOv1
    from .encoder_decoder import EncoderDecoder, ImageEncoder, SequenceEncoder
    from .heads import Anchored, ClassificationHead, RegressionHead
    from .mlp import MLP
    from .recurrent import Recurrent, RecurrentLayer
    from .row_by_row import RowByRow
    from .sizes import parameter_count, variable_shapes

__all__ = [
    "MLP",
    "VGG",
    "AlexNet",
    "Anchored",
    "BatchNorm",
    "BottleneckBlock",
    "ClassificationHead",
    "CompactNet",
    "ConvBlock",
    "ConvNet",
    "ConvTransposeBlock",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Detections",
    "EncoderDecoder",
    "GoogLeNet",
    "GridDetector",
    "ImageEncoder",
    "InceptionBlock",
    "LeNet5",
    "PartialConv",
    "Recurrent",
    "RecurrentLayer",
    "RegressionHead",
    "ResNet",
    "ResidualBlock",
    "RowByRow",
    "SeparableBlock",
    "SequenceEncoder",
    "SixConvNet",
    "SqueezeExcitation",
    "TemporalConvNet",
    "TrainablePool",
    "WhitenedConvNet",
    "YOLOv1",
    "box_overlap",
    "cifar_convnet",
    "cifar_resnet18",
    "cifar_resnet20",
    "decode_boxes",
    "digit_gan",
    "encode_boxes",
    "fashion_convnet",
    "local_response_norm",
    "mnist_convnet",
    "non_maximum_suppression",
    "parameter_count",
    "resnet18",
    "resnet34",
    "resnet50",
    "split_grid_outputs",
    "variable_shapes",
    "vgg16",
    "vgg19",
    "whitening_kernel",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
