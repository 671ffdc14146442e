"""What a pipeline is told: plain frozen dataclasses that import nothing heavy, so that a command line starts at once.

Every field is a flag of the command line, with the text below it as its help. What all runs have stands in `Network`,
`Training` and `Output`, what is of series in `Reading` and `ForecastConfig`, what is of images in `ClassifyConfig`.
"""

from .classify import AUGMENTATIONS, CLASSIFIERS, ClassifyConfig
from .conversion import BATCH_SIZE, PAIRS, config_from_dict, is_of_images, with_batch_size
from .files import field_docs, field_groups, read_settings, settings_text
from .forecast import FORECASTERS, ForecastConfig
from .network import CELLS, Network
from .other_names import OTHER_NAMES, near_setting, setting_named
from .output import Output
from .sequences import SequenceConfig
from .training import Optimizer, Training

__all__ = [
    "AUGMENTATIONS",
    "BATCH_SIZE",
    "CELLS",
    "CLASSIFIERS",
    "FORECASTERS",
    "OTHER_NAMES",
    "PAIRS",
    "ClassifyConfig",
    "ForecastConfig",
    "Network",
    "Optimizer",
    "Output",
    "SequenceConfig",
    "Training",
    "config_from_dict",
    "field_docs",
    "field_groups",
    "is_of_images",
    "near_setting",
    "read_settings",
    "setting_named",
    "settings_text",
    "with_batch_size",
]
