"""torchvision's ResNet, VGG, AlexNet and GoogLeNet, written again in torch with the same names: the same outputs."""

import jax
import numpy as np
import pytest

from seqvision.interop import from_torchvision, to_torchvision
from seqvision.models import VGG, AlexNet, GoogLeNet, LeNet5, ResNet, cifar_resnet20, resnet18

torch = pytest.importorskip("torch", reason="torch is asked for its outputs")
nn = torch.nn
FAST = {"xla_backend_optimization_level": 0}


class Basic(nn.Module):
    """torchvision.models.resnet.BasicBlock."""

    expansion = 1

    def __init__(self, inputs, features, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, features, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        self.conv2 = nn.Conv2d(features, features, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(features)
        self.downsample = shortcut(inputs, features, stride)

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class Bottleneck(nn.Module):
    """torchvision.models.resnet.Bottleneck."""

    expansion = 4

    def __init__(self, inputs, features, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, features, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(features)
        self.conv2 = nn.Conv2d(features, features, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(features)
        self.conv3 = nn.Conv2d(features, 4 * features, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * features)
        self.downsample = shortcut(inputs, 4 * features, stride)

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())).relu()
        y = self.bn3(self.conv3(y))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


def shortcut(inputs, features, stride):
    if stride == 1 and inputs == features:
        return None
    return nn.Sequential(nn.Conv2d(inputs, features, 1, stride, bias=False), nn.BatchNorm2d(features))


class TorchResNet(nn.Module):
    def __init__(self, block, blocks, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        inputs = channels[0]
        for s, (count, features) in enumerate(zip(blocks, channels, strict=True)):
            layer = []
            for b in range(count):
                layer.append(block(inputs, features, 2 if s and not b else 1))
                inputs = block.expansion * features
            setattr(self, f"layer{s + 1}", nn.Sequential(*layer))
        self.stages = len(blocks)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        for s in range(self.stages):
            x = getattr(self, f"layer{s + 1}")(x)
        return self.fc(x.mean((2, 3)))


class Features(nn.Module):
    """What torchvision's VGG and AlexNet have in common."""

    def __init__(self, features, classifier):
        super().__init__()
        self.features, self.classifier = nn.Sequential(*features), nn.Sequential(*classifier)

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


def torch_vgg(convolutions, channels, dense, classes, side, norm):
    layers, inputs = [], 3
    for count, features in zip(convolutions, channels, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(inputs, features, 3, padding=1), *([nn.BatchNorm2d(features)] if norm else [])]
            layers.append(nn.ReLU())
            inputs = features
        layers.append(nn.MaxPool2d(2, 2))
    one, two = dense
    head = [nn.Linear(side * side * inputs, one), nn.ReLU(), nn.Dropout(), nn.Linear(one, two), nn.ReLU(), nn.Dropout()]
    return Features(layers, [*head, nn.Linear(two, classes)])


def torch_alexnet(dense, classes, side):
    layers = [nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU()]
    layers += [nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()]
    one, two = dense
    head = [nn.Dropout(), nn.Linear(side * side * 256, one), nn.ReLU(), nn.Dropout(), nn.Linear(one, two), nn.ReLU()]
    return Features([*layers, nn.MaxPool2d(3, 2)], [*head, nn.Linear(two, classes)])


class BasicConv(nn.Module):
    """torchvision.models.googlenet.BasicConv2d."""

    def __init__(self, inputs, features, window, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, features, window, stride, window // 2, bias=False)
        self.bn = nn.BatchNorm2d(features, eps=0.001)

    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class TorchInception(nn.Module):
    def __init__(self, inputs, one, three_in, three, wide_in, wide, pooled):
        super().__init__()
        self.branch1 = BasicConv(inputs, one, 1)
        self.branch2 = nn.Sequential(BasicConv(inputs, three_in, 1), BasicConv(three_in, three, 3))
        self.branch3 = nn.Sequential(BasicConv(inputs, wide_in, 1), BasicConv(wide_in, wide, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), BasicConv(inputs, pooled, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class TorchGoogLeNet(nn.Module):
    CHANNELS = {  # noqa: RUF012
        "3a": (192, 64, 96, 128, 16, 32, 32),
        "3b": (256, 128, 128, 192, 32, 96, 64),
        "4a": (480, 192, 96, 208, 16, 48, 64),
        "4b": (512, 160, 112, 224, 24, 64, 64),
        "4c": (512, 128, 128, 256, 24, 64, 64),
        "4d": (512, 112, 144, 288, 32, 64, 64),
        "4e": (528, 256, 160, 320, 32, 128, 128),
        "5a": (832, 256, 160, 320, 32, 128, 128),
        "5b": (832, 384, 192, 384, 48, 128, 128),
    }

    def __init__(self, classes):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = BasicConv(3, 64, 7, 2), BasicConv(64, 64, 1), BasicConv(64, 192, 3)
        for name, channels in self.CHANNELS.items():
            setattr(self, f"inception{name}", TorchInception(*channels))
        self.fc = nn.Linear(1024, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True)
        x = nn.functional.max_pool2d(self.conv3(self.conv2(x)), 3, 2, ceil_mode=True)
        for name in self.CHANNELS:
            x = getattr(self, f"inception{name}")(x)
            if name in ("3b", "4e"):
                x = nn.functional.max_pool2d(x, *((3, 2) if name == "3b" else (2, 2)), ceil_mode=True)
        return self.fc(x.mean((2, 3)))


CASES = {
    "ResNet-18": (resnet18(5), lambda: TorchResNet(Basic, (2, 2, 2, 2), (64, 128, 256, 512), 5), 48),
    "bottlenecks": (
        ResNet((1, 2), (4, 8), block="bottleneck", num_classes=3),
        lambda: TorchResNet(Bottleneck, (1, 2), (4, 8), 3),
        33,
    ),
    "VGG-16": (
        VGG(channels=(4, 8, 8, 12, 6), dense=(16, 8), num_classes=3),
        lambda: torch_vgg((2, 2, 3, 3, 3), (4, 8, 8, 12, 6), (16, 8), 3, 2, norm=False),
        64,
    ),
    "VGG with norm": (
        VGG((1, 2), (4, 6), (16, 8), batch_norm=True, num_classes=3),
        lambda: torch_vgg((1, 2), (4, 6), (16, 8), 3, 3, norm=True),
        12,
    ),
    "AlexNet": (AlexNet(3, dense=(16, 8)), lambda: torch_alexnet((16, 8), 3, 2), 95),
    "GoogLeNet": (GoogLeNet(3, batch_norm=True), lambda: TorchGoogLeNet(3), 64),
}
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name == "GoogLeNet" else name for name in CASES]


def peer(make, x):
    """A torch network with random weights and running statistics, and its outputs."""
    torch.manual_seed(0)
    network = make().eval()
    with torch.no_grad():
        for name, array in network.state_dict().items():
            if name.endswith(("running_mean", "bias")):
                array.normal_(0, 0.1)
            elif name.endswith("running_var") or (name.endswith("weight") and array.ndim == 1):
                array.uniform_(0.5, 1.5)
        return network, network(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()


def twin(name):
    model, make, side = CASES[name]
    x = np.random.default_rng(0).normal(size=(2, side, side, 3)).astype(np.float32)
    return model, make, x, *peer(make, x)


@pytest.mark.parametrize("name", NAMES)
def test_torchvisions_weights_give_its_outputs_and_go_back(name):
    model, make, x, network, expected = twin(name)
    variables = from_torchvision(model, network.state_dict())
    found = jax.jit(model.apply, compiler_options=FAST)(variables, x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    again = to_torchvision(model, variables)
    assert set(again) == set(network.state_dict())
    for key, array in network.state_dict().items():
        np.testing.assert_array_equal(again[key], array.numpy())
    fresh = make().eval()
    fresh.load_state_dict({key: torch.from_numpy(array) for key, array in again.items()})
    with torch.no_grad():
        np.testing.assert_array_equal(fresh(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy(), expected)


def small():
    return CASES["VGG with norm"][0], CASES["VGG with norm"][1]().state_dict()


def test_wrong_state_dicts_are_named():
    model, weights = small()
    missing = {name: array for name, array in weights.items() if name != "features.4.weight"}
    with pytest.raises(ValueError, match=r"no 'features.4.weight' among 26 names such as \['classifier.0.bias'"):
        from_torchvision(model, missing)
    with pytest.raises(ValueError, match=r"\['features.9.weight'\] have no place in VGG"):
        from_torchvision(model, {**weights, "features.9.weight": np.ones(3)})
    with pytest.raises(ValueError, match=r"\['head'\]\['dense'\]\['kernel'\] has the shape \(8, 4\), but VGG wants"):
        from_torchvision(model, {**weights, "classifier.6.weight": np.ones((4, 8))})
    with pytest.raises(ValueError, match="reads 55 features, which are no square of 6 channels"):
        from_torchvision(model, {**weights, "classifier.0.weight": np.ones((16, 55))})


@pytest.mark.parametrize("model", [LeNet5(), cifar_resnet20(), GoogLeNet()], ids=["LeNet", "option A", "no norm"])
def test_models_that_torchvision_does_not_have_are_refused(model):
    with pytest.raises(TypeError, match="torchvision has no network like"):
        from_torchvision(model, {})
    with pytest.raises(TypeError, match="torchvision has no network like"):
        to_torchvision(model, {"params": {}})
