"""Modules as JSON: every model that the library exports comes back equal, and nothing else can be named."""

import dataclasses
import inspect
import json
import random

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqvision import cells, models, seq2seq
from seqvision.models import MLP, Recurrent, RegressionHead
from seqvision.saving import UndescribableError, build_module, describe_module
from seqvision.saving.registry import CLASSES, FUNCTIONS, names_of
from tests.saving.cases import CELLS, LARGE, SMALL

ALL = [model for model, _ in SMALL] + LARGE + CELLS


def there_and_back(model):
    return build_module(json.loads(json.dumps(describe_module(model), allow_nan=False)))


@pytest.mark.parametrize("model", ALL, ids=lambda model: type(model).__name__)
def test_a_module_comes_back_equal(model):
    back = there_and_back(model)
    assert type(back) is type(model)
    assert describe_module(back) == describe_module(model)
    if "initializer" not in (text := json.dumps(describe_module(model))) and "partial" not in text:
        assert back == model
        if not isinstance(model, nn.Sequential):  # a list has no hash
            assert hash(back) == hash(model)


def test_every_class_that_is_exported_is_among_the_cases():
    told = json.dumps([describe_module(model) for model in ALL])
    for room in (cells, seq2seq, models):
        for name in room.__all__:
            thing = getattr(room, name)
            if inspect.isclass(thing) and dataclasses.is_dataclass(thing):
                assert f'"class": "{name}"' in told, name


def test_names_are_of_one_thing():
    assert len({id(thing) for thing in CLASSES.values()}) == len(CLASSES)
    assert all(CLASSES[names_of("classes")[id(thing)]] is thing for thing in CLASSES.values())
    assert all(FUNCTIONS[names_of("functions")[id(thing)]] is thing for thing in FUNCTIONS.values())
    assert not any(
        "." in name and not name.startswith(("flax.", "jax.nn.", "conv.")) for name in (*CLASSES, *FUNCTIONS)
    )


def test_a_thousand_random_modules_come_back_equal():
    rng = random.Random(0)

    def cell(depth=0):
        kind = rng.choice(CELLS)
        if depth < 2 and rng.random() < 0.3:
            return rng.choice([cells.LearnedStart, cells.Zoneout])(cell(depth + 1))
        return kind

    def head():
        return rng.choice([None, RegressionHead(rng.randint(1, 9)), nn.Dense(3), nn.Sequential((nn.Dense(2), nn.relu))])

    for _ in range(1000):
        model = rng.choice(
            [
                lambda: Recurrent(
                    tuple(cell() for _ in range(rng.randint(1, 4))),
                    bidirectional=rng.random() < 0.5,
                    dropout=rng.choice([0.0, 0.1, 1 / 3]),
                    head=head(),
                    method=rng.choice(["auto", "scan"]),
                ),
                lambda: MLP(
                    tuple(rng.choices(range(1, 99), k=3)), rng.choice(["relu", nn.silu, jnp.tanh]), head=head()
                ),
                lambda: nn.Dense(rng.randint(1, 9), dtype=rng.choice([None, jnp.bfloat16, np.dtype("float64")])),
                lambda: nn.Conv(2, [3, 3], padding=((1, 2), (0, 1)), strides=rng.choice([None, 2, (2, 1)])),
            ]
        )()
        assert there_and_back(model) == model


def test_a_module_in_two_places_shares_its_parameters_still():
    shared = nn.Dense(3)
    twice, apart = nn.Sequential([shared, nn.relu, shared]), nn.Sequential([nn.Dense(3), nn.relu, nn.Dense(3)])
    for model, leaves in ((twice, 2), (apart, 4)):
        for each in (model, there_and_back(model)):
            assert len(jax.tree.leaves(each.init(jax.random.key(0), jnp.ones((1, 3))))) == leaves


class Own(nn.Module):
    """A module of a user's own."""

    @nn.compact
    def __call__(self, x):
        return x


class OwnDense(nn.Dense):
    """A class of a user's own that looks like another."""


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Own(), "Own is of the class Own, which the library has not"),
        (OwnDense(3), "OwnDense is of the class OwnDense"),
        (nn.Sequential([nn.Dense(3), lambda x: x]), r"Sequential\.layers\[1\] is the function .*<lambda>"),
        (MLP((3,), activation=jnp.cumsum), r"MLP\.activation is the function .*cumsum"),
        (Recurrent((cells.LSTM(3),), head=Own()), r"Recurrent\.head is of the class Own"),
        (nn.Dense(3, kernel_init=lambda *_: 0), r"Dense\.kernel_init is the function .*<lambda>"),
        (MLP((np.ones(3),)), r"MLP\.features\[0\] is an array \(3,\) of float64, which JSON cannot hold"),
        (MLP((1j,)), r"MLP\.features\[0\] is 1j"),
    ],
)
def test_what_cannot_be_described_names_field_and_remedy(model, message):
    with pytest.raises(UndescribableError, match=message + r".* load_model\(path, model=…\)"):
        describe_module(model)


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="model must be a flax module"):
        describe_module("LSTM")
    with pytest.raises(TypeError, match="model must be a flax module"):
        describe_module(nn.Dense)
    bound = nn.Dense(3).bind({"params": {}})
    with pytest.raises(ValueError, match=r"Dense is bound to variables: give the module itself"):
        describe_module(bound)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"class": "os.system", "fields": {}}, "names the class 'os.system', which this version of seqvision does not"),
        ({"class": "builtins.eval", "fields": {}}, "names the class"),
        ({"class": ["flax.Dense"], "fields": {}}, "names the class"),
        ({"class": "flax.Dense"}, "has None where there should be names"),
        ({"class": "flax.Dense", "fields": []}, "where there should be names"),
        ({"class": "flax.Dense", "fields": {}}, "flax.Dense cannot be made so .*features"),
        ({"class": "flax.Dense", "fields": {"featres": 3}}, "has no field 'featres'; did you mean features"),
        ({"class": "flax.Dense", "fields": {"features": 3, "parent": None}}, "has no field 'parent'"),
        ({"class": "flax.Dense", "fields": {}, "more": 1}, "is no part of a description"),
        ({"class": "flax.Sequential", "fields": {"layers": {"list": 3}}}, "layers is no list"),
        ({"class": "MLP", "fields": {"activation": {"function": "eval"}}}, "names the function 'eval'"),
        ({"class": "MLP", "fields": {"activation": {"function": {}}}}, "names the function"),
        ({"class": "MLP", "fields": {"activation": {"partial": 3, "keywords": {}}}}, "is no function"),
        ({"class": "MLP", "fields": {"head": {"same": 0}}}, "is the module number 0, which was not told before"),
        ({"class": "MLP", "fields": {"head": {"same": True}}}, "is the module number True"),
        ({"class": "flax.Dense", "fields": {"features": 3, "dtype": {"dtype": "object"}}}, "names the dtype 'object'"),
        ({"class": "flax.Dense", "fields": {"features": 3, "dtype": {"scalar_type": "O"}}}, "names the dtype 'O'"),
        ({"class": "flax.Dense", "fields": {"features": 3, "precision": {"precision": "x"}}}, "names the precision"),
        ({"class": "LSTM", "fields": {"hidden": {"float": "1e9"}}}, "names the number"),
        (
            {
                "class": "flax.Dense",
                "fields": {"features": 3, "kernel_init": {"initializer": "normal", "keywords": {"x": 1}}},
            },
            "normal cannot be made so",
        ),
        ({}, "is no part of a description"),
        ([[[{"a": 1}]]], "is no part of a description"),
    ],
)
def test_hostile_descriptions_are_refused(told, message):
    with pytest.raises(ValueError, match=message):
        build_module(told)


def test_deep_nesting_is_refused():
    deep = {"class": "flax.Dense", "fields": {"features": 1}}
    for _ in range(100):
        deep = {"class": "Anchored", "fields": {"model": deep}}
    with pytest.raises(ValueError, match="lies more than 60 deep"):
        build_module(deep)
