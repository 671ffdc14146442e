"""Files and generators to arrays, and streams of what is larger: series, images, splits, scalers, augmentation."""

from typing import TYPE_CHECKING

from seqvision._late import late_imports

if TYPE_CHECKING:
    from seqvision.data.arrays import Arrays
    from seqvision.data.augment.augment import Augment
    from seqvision.data.augment.geometry import Flip, PadCrop, Shift, Warp, warp, warp_matrix
    from seqvision.data.augment.mixing import CutMix, Mixup
    from seqvision.data.augment.pixels import Brightness, Contrast, Cutout
    from seqvision.data.batch import Batch, WeightedBatch
    from seqvision.data.downloads import fetch_file, find_file
    from seqvision.data.pictures.cifar import CIFAR10_CLASSES, load_cifar10, read_cifar
    from seqvision.data.pictures.digits_and_fashion import (
        DIGIT_CLASSES,
        FASHION_CLASSES,
        ImageData,
        load_digits,
        load_fashion_mnist,
        load_mnist,
    )
    from seqvision.data.pictures.folder_layout import pictures_in
    from seqvision.data.pictures.idx import read_idx
    from seqvision.data.pictures.image_arrays import array_to_image, image_arrays, image_to_array
    from seqvision.data.pictures.image_folder import ImageFolder, load_image_folder
    from seqvision.data.pictures.labels import label_names, label_numbers, select_classes
    from seqvision.data.pictures.picture_form import FormedPicture, PictureForm
    from seqvision.data.pictures.pixel_scaler import PixelScaler, fit_pixel_scaler
    from seqvision.data.pictures.scenes import Scenes, digit_scenes
    from seqvision.data.pictures.series_images import bar_chart_images, gramian_angular_field
    from seqvision.data.scalers import Scaler, fit_scaler
    from seqvision.data.series.calendars.calendar import Calendar
    from seqvision.data.series.calendars.inference import infer_calendar
    from seqvision.data.series.forecast_split import ForecastSplit, forecast_split
    from seqvision.data.series.goog import load_goog
    from seqvision.data.series.read_series import read_all_series, read_series
    from seqvision.data.series.series import Series, find_column
    from seqvision.data.series.time_axis import GapPolicy, TimeAxis, apply_gaps, time_axis
    from seqvision.data.series.time_grid import TimeGrid
    from seqvision.data.series.waves import chirp, sine
    from seqvision.data.splits import Split, chronological_split, stratified_split
    from seqvision.data.stream import Stream
    from seqvision.data.text.digit_strings import DIGIT_NAMES, digit_sums, reversed_digits
    from seqvision.data.text.vocabulary import SequencePairs, Vocabulary, decoder_arrays
    from seqvision.data.windows import Windows

__all__ = [
    "CIFAR10_CLASSES",
    "DIGIT_CLASSES",
    "DIGIT_NAMES",
    "FASHION_CLASSES",
    "Arrays",
    "Augment",
    "Batch",
    "Brightness",
    "Calendar",
    "Contrast",
    "CutMix",
    "Cutout",
    "Flip",
    "ForecastSplit",
    "FormedPicture",
    "GapPolicy",
    "ImageData",
    "ImageFolder",
    "Mixup",
    "PadCrop",
    "PictureForm",
    "PixelScaler",
    "Scaler",
    "Scenes",
    "SequencePairs",
    "Series",
    "Shift",
    "Split",
    "Stream",
    "TimeAxis",
    "TimeGrid",
    "Vocabulary",
    "Warp",
    "WeightedBatch",
    "Windows",
    "apply_gaps",
    "array_to_image",
    "bar_chart_images",
    "chirp",
    "chronological_split",
    "decoder_arrays",
    "digit_scenes",
    "digit_sums",
    "fetch_file",
    "find_column",
    "find_file",
    "fit_pixel_scaler",
    "fit_scaler",
    "forecast_split",
    "gramian_angular_field",
    "image_arrays",
    "image_to_array",
    "infer_calendar",
    "label_names",
    "label_numbers",
    "load_cifar10",
    "load_digits",
    "load_fashion_mnist",
    "load_goog",
    "load_image_folder",
    "load_mnist",
    "pictures_in",
    "read_all_series",
    "read_cifar",
    "read_idx",
    "read_series",
    "reversed_digits",
    "select_classes",
    "sine",
    "stratified_split",
    "time_axis",
    "warp",
    "warp_matrix",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
