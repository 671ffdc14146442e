"""The room loads late what computes, and yet type checkers, dir() and editors see all of it."""

import dataclasses
import inspect
from typing import get_args, get_type_hints

import pytest

from seqvision import pipelines
from seqvision.activations import ACTIVATIONS
from seqvision.cells import Method
from seqvision.pipelines import config, named_models, named_training, results
from seqvision.pipelines.config import network


def test_names_are_listed_and_others_refused():
    assert set(pipelines.__all__) <= set(dir(pipelines))
    with pytest.raises(AttributeError, match="no attribute 'run_forcast'"):
        _ = pipelines.run_forcast


def test_results_are_frozen_and_speak_one_vocabulary():
    runs = [results.ForecastRun, results.ClassifyRun, results.SequenceRun]
    for kind in runs:
        assert {"folder", "text", "summary", "history"} < {field.name for field in dataclasses.fields(kind)}
    for _, kind in inspect.getmembers(results, dataclasses.is_dataclass):
        if kind.__module__ == results.__name__:
            assert kind.__dataclass_params__.frozen


def test_every_name_of_a_configuration_is_built():
    assert set(named_models.CELLS) == set(config.CELLS)
    assert set(named_training.OPTIMIZERS) == set(config.Optimizer.__args__)
    assert set(ACTIVATIONS) == set(get_args(network.Activation))
    assert set(get_args(Method)) == set(get_args(get_type_hints(config.Network)["method"]))
    changes = named_training._CHANGES.keys() | named_training._MIXES.keys()
    assert set(config.AUGMENTATIONS) == changes
