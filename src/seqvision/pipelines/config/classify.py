"""What a run on images is told."""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal

from seqvision._checks import check_count, check_number, did_you_mean
from seqvision.pipelines.settings import check_settings

from .network import CELLS, Network
from .output import Output
from .training import Training

# A model's place numbers its stream of random numbers: new names come last.
CLASSIFIERS = ("convnet", "mlp", "linear", *CELLS)
AUGMENTATIONS = (
    "flip",
    "flip_vertical",
    "shift",
    "crop",
    "rotate",
    "zoom",
    "shear",
    "brightness",
    "contrast",
    "cutout",
    "mixup",
    "cutmix",
)
_OTHER_NAMES = {
    "hflip": "flip",
    "horizontal_flip": "flip",
    "vflip": "flip_vertical",
    "vertical_flip": "flip_vertical",
    "translate": "shift",
    "random_crop": "crop",
    "rotation": "rotate",
    "erase": "cutout",
    "random_erasing": "cutout",
    "scale": "zoom",
}


@dataclass(frozen=True)
class ClassifyConfig(Output, Training, Network):
    """Train classifiers on images and judge them beside the commonest class on the same rows."""

    group: ClassVar[str] = "images"

    data: Literal["digits", "mnist", "fashion_mnist", "cifar10"] = "digits"
    """data set; digits come with scikit-learn, the others are downloaded once"""
    folder: str | None = None
    """folder of images with one subfolder a class, instead of a data set"""
    size: int | None = None
    """height and width to which its images are brought; may be left out if all are alike"""
    test_folder: str | None = None
    """another folder of images of the same classes: judge on it, and train on all of the first"""
    test: float = 0.2
    """share of digits or of a folder held out at random within each class; the other data sets have a test part"""
    validation: float = 0.0
    """share of the training rows held out for the loss curves, early stopping and thresholds"""
    limit: int | None = None
    """use only so many training rows"""

    class_weights: Literal["none", "balanced"] = "none"
    """weight of each class in the loss: balanced takes n / (C n_c) for n training rows, n_c of them of the class, and C
    classes, so that rare classes count as much as common ones"""
    threshold_for: str | None = None
    """of two classes: choose on the validation rows from which probability on the positive class is said, for f1,
    balanced_accuracy, recall=0.9 (at least) or precision=0.9"""
    positive: str | None = None
    """the class that the threshold is of; by default the second"""

    _: KW_ONLY
    augment: tuple[str, ...] = ()
    """what is done to the training images at random, in this order: flip, flip_vertical, shift, crop, rotate, zoom,
    shear, brightness, contrast, cutout, mixup, cutmix; shift=.2 says how much"""
    smoothing: float = 0.0
    """share of each label spread over all classes"""
    models: tuple[str, ...] = ("convnet",)
    """models to train: convnet, mlp, linear; lstm, gru, elman and the other cells read an image row by row"""
    hidden: int = 128
    """units of a dense or recurrent layer"""
    dropout: float | None = None
    """rate after each layer; by default .2"""
    epochs: int = 30
    """passes over the training rows"""
    learning_rate: float = 0.001
    """its step size"""
    name: str = "classify"
    """first part of the run folder's name"""

    def __post_init__(self) -> None:
        """Refuse what cannot be, before anything is read or compiled."""
        check_settings(self)
        for name in ("limit", "size"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), below=2**31)
        self._check_network(CLASSIFIERS)
        self._check_training()
        self._check_output()
        self.augmentations()
        check_number("smoothing", self.smoothing, least=0, below=1)
        if self.size is not None and self.folder is None:
            raise ValueError("size is for the images of a folder: give folder too, or leave out size")
        if self.test_folder is not None and self.folder is None:
            raise ValueError("test_folder is beside a folder to train on: give folder too, or leave out test_folder")
        for name in ("test", "validation"):
            check_number(name, getattr(self, name), least=0, below=1)
        if self.threshold_for is not None:
            from seqvision.metrics import check_goal

            try:
                check_goal(self.threshold_for)
            except ValueError as error:
                raise ValueError(f"threshold_for: {error}") from None
        elif self.positive is not None:
            raise ValueError("positive is for a threshold: give threshold_for too, or leave out positive")

    def augmentations(self) -> dict[str, float | None]:
        """Return how much of what is done to the training images; None where it is not said.

        >>> ClassifyConfig(augment=("flip", "shift=.2")).augmentations()
        {'flip': None, 'shift': 0.2}
        """
        amounts: dict[str, float | None] = {}
        for word in self.augment:
            name, sign, amount = word.partition("=")
            if name not in AUGMENTATIONS:
                other = name.casefold().replace("-", "_")
                raise ValueError(
                    f"augment: {name!r} is unknown{did_you_mean(_OTHER_NAMES.get(other, other), AUGMENTATIONS)}"
                )
            if name in amounts:
                raise ValueError(f"augment names {name!r} twice")
            if sign and name.startswith("flip"):
                raise ValueError(f"augment: {name} takes no amount, got {word!r}")
            try:
                amounts[name] = float(amount) if sign else None
            except ValueError:
                raise ValueError(f"augment: {name} takes a number, such as {name}=0.2, got {word!r}") from None
        if {"mixup", "cutmix"} <= amounts.keys():
            raise ValueError("augment: mixup and cutmix both blend two images: give one of them")
        return amounts
