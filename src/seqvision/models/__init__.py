"""Ordinary flax.linen modules over the pure cells and convolutions: layers, models and heads.

How the five shapes of input and output are spelled, one-to-one to sequences of unequal length, stands at the top of
`seqvision.models.encoder_decoder`.
"""

from .alexnet import AlexNet
from .boxes import Detections, decode_boxes, encode_boxes, non_maximum_suppression
from .compact import CompactNet
from .convolutional import ConvBlock, ConvNet
from .dcgan import DCGANDiscriminator, DCGANGenerator, digit_gan
from .encoder_decoder import EncoderDecoder, ImageEncoder, SequenceEncoder
from .googlenet import GoogLeNet
from .heads import Anchored, ClassificationHead, RegressionHead
from .inception import InceptionBlock, local_response_norm
from .keras_convnets import SixConvNet, cifar_convnet, fashion_convnet, mnist_convnet
from .lenet import LeNet5, PartialConv, TrainablePool
from .mlp import MLP
from .normalization import BatchNorm
from .parameters import parameter_count, variable_shapes
from .recurrent import Recurrent, RecurrentLayer
from .residual import BottleneckBlock, ResidualBlock
from .resnet import ResNet, cifar_resnet18, cifar_resnet20, resnet18, resnet34, resnet50
from .row_by_row import RowByRow
from .separable import SeparableBlock, SqueezeExcitation
from .transposed import ConvTransposeBlock
from .vgg import VGG, vgg16, vgg19
from .whitened import WhitenedConvNet, whitening_kernel
from .yolo import GridDetector, YOLOv1

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
    "TrainablePool",
    "WhitenedConvNet",
    "YOLOv1",
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
    "variable_shapes",
    "vgg16",
    "vgg19",
    "whitening_kernel",
]
