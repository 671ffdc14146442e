"""What a user gives: taken where it can be meant one way only, else refused with what to write."""

import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import pytest
from flax import nnx

from seqvision.cells import GRU, LRU, LSTM, Elman, LearnedStart, LSTMVariant, MinGRU
from seqvision.data import Arrays, Batch, Stream, Windows
from seqvision.models import MLP, Anchored, ConvNet, Recurrent, RowByRow
from seqvision.training import (
    EarlyStopping,
    NonFiniteLossError,
    SmoothedCrossEntropy,
    WeightPenalty,
    absolute_error,
    average_weights,
    create_state,
    decay_mask,
    fit,
    make_adversarial_step,
    make_eval_step,
    make_run,
    make_train_step,
    predict,
    run_population,
)
from seqvision.training.resuming import resume

RNG = np.random.default_rng(0)
T = 6
X = RNG.normal(size=(14, T, 2)).astype(np.float32)
MASK = np.arange(T)[None] < RNG.integers(1, T + 1, 14)[:, None]
Y = RNG.normal(size=(14, 1, 1)).astype(np.float32)
ADAM = optax.adam(1e-2)
FIT = {"loss": "mse", "epochs": 2, "batch_size": 8, "progress": False, "compilation_cache": False}
GIVEN = {"optimizer": ADAM, "key": 0, **FIT}
MODEL = MLP((4,))


class Module(nnx.Module):
    def __init__(self, rngs):
        self.layer = nnx.Linear(2, 1, rngs=rngs)


WRONG = {
    "a cell": (lambda: fit(LSTM(8), (X, Y), **GIVEN), r"got LSTM\(.*: wrap .* seqvision.models.Recurrent\(\(LSTM\("),
    "the class of a cell": (lambda: fit(LSTM, (X, Y), **GIVEN), r"Recurrent\(\(LSTM\(8\),\)\)"),
    "the class of a model": (lambda: fit(MLP, (X, Y), **GIVEN), r"model must be .*: make one, MLP\("),
    "a module of nnx": (lambda: fit(Module(nnx.Rngs(0)), (X, Y), **GIVEN), "modules of nnx by a loop of your own"),
    "a function": (lambda: create_state(jnp.tanh, ADAM, 0, X), "model must be a flax.linen module"),
    "inputs alone": (lambda: fit(MODEL, X, **GIVEN), r"data must be .*got an array \(14, 6, 2\) .*: give the targets"),
    "inputs alone in Arrays": (lambda: fit(MODEL, Arrays(X), **GIVEN), "data has inputs alone.*Arrays.x, y. or"),
    "three entries": (lambda: fit(MODEL, (X, Y, Y), **GIVEN), r"a pair \(x, y\) has two entries, not 3"),
    "a loader": (lambda: fit(MODEL, iter([(X, Y)]), **GIVEN), r"Stream\(lambda: iter\(data\)\)"),
    "validation inputs": (lambda: fit(MODEL, (X, Y), validation=X, **GIVEN), "validation must be .*: give the targets"),
    "a name that is none": (
        lambda: fit(MODEL, (X, Y), **{**GIVEN, "optimizer": "adan"}),
        "one of 'adam', 'adamw', 'rms",
    ),
    "a rate": (lambda: fit(MODEL, (X, Y), **{**GIVEN, "optimizer": 1e-3}), "such as optax.adam.*got 0.001"),
    "a rule not made": (
        lambda: fit(MODEL, (X, Y), **{**GIVEN, "optimizer": optax.adam}),
        r"write optax.adam\(",
    ),
    "no key": (
        lambda: fit(MODEL, (X, Y), **{**GIVEN, "key": None}),
        "key must be one JAX key, got None: .*a seed such",
    ),
    "a negative seed": (lambda: create_state(MODEL, ADAM, -1, X), "key must be an int >= 0 and < 4294967296, got -1"),
    "True": (lambda: create_state(MODEL, ADAM, True, X), "key must be an int .* got True"),
    "keys": (lambda: create_state(MODEL, ADAM, jax.random.split(jax.random.key(0)), X), "one JAX key, got an array"),
    "shuffle": (lambda: fit(MODEL, (X, Y), shuffle="no", **GIVEN), "shuffle must be True or False, got 'no'"),
    "progress": (lambda: fit(MODEL, (X, Y), **{**GIVEN, "progress": "no"}), "progress must be True or False"),
    "cache": (lambda: predict(None, X, compilation_cache="no"), "compilation_cache must be True or False"),
    "highest": (lambda: EarlyStopping(highest="no"), "highest must be True or False"),
    "compute_dtype": (
        lambda: fit(MODEL, (X, Y), compute_dtype=jnp.float16, **GIVEN),
        'compute_dtype must be "bfloat16"',
    ),
    "the class of a loss": (
        lambda: fit(MODEL, (X, Y), **{**GIVEN, "loss": SmoothedCrossEntropy}),
        r"loss must be a function, got the class SmoothedCrossEntropy: make one, SmoothedCrossEntropy\(\)",
    ),
    "a loss that is a mean": (
        lambda: fit(MODEL, (X, Y), **{**GIVEN, "loss": lambda outputs, targets: jnp.square(outputs - targets).mean()}),
        r"got shape \(\): leave the mean over the examples out",
    ),
    "a loss of every number": (
        lambda: fit(MODEL, (X, Y), **{**GIVEN, "loss": optax.squared_error}),
        r"got shape \(8, 1, 1\): average over all axes but the first",
    ),
    "a patience": (
        lambda: fit(MODEL, (X, Y), stopping=5, **GIVEN),
        r"stopping must be .*EarlyStopping\(patience",
    ),
    "a number for a penalty": (
        lambda: fit(MODEL, (X, Y), penalty=0.1, **GIVEN),
        r"such as WeightPenalty\(l2=1e-4\)",
    ),
    "a class for a penalty": (lambda: fit(MODEL, (X, Y), penalty=WeightPenalty, **GIVEN), "penalty must be a function"),
    "a number to augment": (lambda: fit(MODEL, (X, Y), augment=3, **GIVEN), "augment must be a function"),
    "one metric": (
        lambda: fit(MODEL, (X, Y), metrics=absolute_error, **GIVEN),
        "metrics must be names",
    ),
    "no channels": (
        lambda: fit(Recurrent((GRU(4),)), (X[..., 0], Y), **GIVEN),
        r"Recurrent: x must have at least 3 axes.*x\[..., N",
    ),
    "no channels of outputs at every step": (
        lambda: fit(Recurrent((GRU(4),), readout="all"), (X[..., 0], Y), **GIVEN),
        r"Recurrent: x must have at least 3 axes, the first that of the examples, got \(2, 6\): .* x\[..., None\]",
    ),
    "pictures without channels": (
        lambda: fit(ConvNet((4,)), (np.ones((14, 8, 8)), Y), **GIVEN),
        r"ConvNet: x must be \(B, H, W, C\), got \(1, 8, 8\): give it channels, x\[..., None\]",
    ),
    "series in a network for pictures": (lambda: fit(ConvNet((4,)), (X, Y), **GIVEN), r"write kernel_size=\(3,\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant_is_refused_with_what_to_write(case):
    call, message = WRONG[case]
    with pytest.raises((TypeError, ValueError), match=message) as error:
        call()
    assert len(str(error.value)) < 400


class Theirs(nn.Module):
    """A user's own network of flax's layers, which would convolve over the batch."""

    layer: nn.Module

    @nn.compact
    def __call__(self, x):
        x = self.layer(x)
        return nn.Dense(1)(x.reshape(x.shape[0], -1))


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Conv(4, (3, 3)), np.ones((14, 8, 8))),
        (nn.ConvTranspose(4, (3, 3)), np.ones((14, 8, 8))),
        (nn.Conv(4, 3), np.ones((14, 8))),
        (nn.RNN(nn.GRUCell(4)), np.ones((14, 8))),
        (nn.Sequential([nn.Conv(4, (3, 3)), nn.relu]), np.ones((14, 8, 8))),
    ],
)
def test_layers_of_flax_that_would_run_over_the_batch_are_refused(layer, x):
    with pytest.raises(
        ValueError, match=r"(Conv|ConvTranspose|RNN): x must have at least . axes, the first that of the"
    ):
        fit(Theirs(layer), (x, Y[:, 0]), **GIVEN)


def test_layers_of_flax_mapped_over_a_batch_are_their_users_concern():
    class Mapped(nn.Module):
        @nn.compact
        def __call__(self, x):
            layer = nn.vmap(nn.Conv, variable_axes={"params": None}, split_rngs={"params": False})
            return nn.Dense(1)(layer(4, (3, 3))(x).reshape(x.shape[0], -1))

    assert np.isfinite(fit(Mapped(), (np.ones((14, 8, 8, 1)), Y[:, 0]), **GIVEN).history["loss"]).all()


def test_pairs_names_and_seeds_are_what_they_stand_for():
    plain = fit(MODEL, Arrays(X, Y), validation=Arrays(X[:4], Y[:4]), **{**GIVEN, "key": jax.random.key(3)})
    for data in ((X, Y), (list(X), Y.tolist()), Batch(X, Y), (jnp.asarray(X), Y[:, 0, 0])):
        pair = fit(MODEL, data, validation=(X[:4], Y[:4]), **{**GIVEN, "key": np.int64(3)})
        chex.assert_trees_all_equal(plain.state.params, pair.state.params)
        chex.assert_trees_all_equal(plain.history, pair.history)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("adam", optax.adam(1e-3)), ("sgd", optax.sgd(1e-2)), ("rmsprop", optax.rmsprop(1e-3))],
)
def test_optimizers_by_name_have_the_rates_of_keras(name, rule):
    states = [create_state(nn.Dense(1), like, 0, jnp.ones((1, 2))) for like in (name, rule)]
    one, other = (state.apply_gradients(grads=state.params).params for state in states)
    chex.assert_trees_all_close(one, other, rtol=1e-6)


def test_adamw_by_name_lets_biases_go_free():
    state = create_state(nn.Dense(3, bias_init=nn.initializers.ones), "adamw", 0, jnp.ones((1, 2)))
    zeros = jax.tree.map(jnp.zeros_like, state.params)
    moved = state.apply_gradients(grads=zeros).params
    np.testing.assert_array_equal(moved["bias"], state.params["bias"])
    np.testing.assert_allclose(moved["kernel"], state.params["kernel"] * (1 - 1e-3 * 4e-3), rtol=1e-6)


def test_types_to_compute_in_are_names_or_types():
    results = [fit(MODEL, (X, Y), compute_dtype=given, **GIVEN) for given in ("bfloat16", jnp.bfloat16)]
    chex.assert_trees_all_equal(results[0].history, results[1].history)
    exact = fit(MODEL, (X, Y), **GIVEN)
    assert (exact.history["loss"] != results[0].history["loss"]).any()


MASKED = {
    "Arrays of a pair": lambda: Arrays((X, MASK), Y),
    "Arrays of a dict": lambda: Arrays({"x": X, "mask": MASK}, Y),
    "Arrays of lists": lambda: Arrays((list(X), MASK.tolist()), Y),
    "a pair of a pair": lambda: ((X, MASK), Y),
    "a Stream of a pair": lambda: Stream((X, MASK), Y),
    "a Stream of rows": lambda: Stream([((x, mask), y) for x, mask, y in zip(X, MASK, Y, strict=True)]),
}
RECURRENT = Recurrent((GRU(3),), readout="mean")


@pytest.mark.parametrize("kind", MASKED)
def test_masks_pass_through_training_and_prediction(kind):
    options = {**GIVEN, "shuffle": False, "epochs": 1, "batch_size": 14}
    result = fit(RECURRENT, MASKED[kind](), validation=MASKED[kind](), **options)
    start = create_state(RECURRENT, ADAM, 0, (X[:1], MASK[:1]))
    outputs = RECURRENT.apply({"params": start.params}, X, mask=MASK)
    np.testing.assert_allclose(result.history["loss"], [np.square(outputs - Y).mean()], rtol=1e-5)
    after = RECURRENT.apply({"params": result.state.params}, X, mask=MASK)
    np.testing.assert_allclose(result.history["val_loss"], [np.square(after - Y).mean()], rtol=1e-5)
    data = MASKED[kind]() if kind != "a pair of a pair" else (X.tolist(), MASK.tolist())
    for given in (data, (X, MASK), {"x": X, "mask": MASK}):
        np.testing.assert_allclose(predict(result.state, given, batch_size=5), after, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", [RECURRENT, Anchored(RECURRENT, columns=(1,)), RowByRow(RECURRENT)])
def test_what_stands_where_the_mask_is_false_changes_nothing(model):
    wild = np.where(MASK[..., None], X, 1e6).astype(np.float32)
    state = create_state(model, ADAM, 0, (X[:1], MASK[:1]))
    expected = predict(state, (X, MASK))
    np.testing.assert_allclose(predict(state, (wild, MASK)), expected, rtol=1e-6)
    full = MASK.sum(axis=1) == T
    np.testing.assert_allclose(predict(state, X)[full], expected[full], rtol=1e-5, atol=1e-6)
    if isinstance(model, Anchored):
        last = X[np.arange(14), MASK.sum(axis=1) - 1, 1]
        zeros = state.replace(params=jax.tree.map(jnp.zeros_like, state.params))
        np.testing.assert_array_equal(predict(zeros, (X, MASK))[:, 0, 0], last)


def test_resets_are_flags_beside_x_too():
    reset = RNG.random((14, T)) < 0.3
    state = create_state(RECURRENT, ADAM, 0, {"x": X[:1], "reset": reset[:1]})
    expected = RECURRENT.apply({"params": state.params}, X, reset=reset)
    np.testing.assert_allclose(predict(state, {"x": X, "reset": reset}), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "model", [MLP((4,)), nn.Dense(1), ConvNet((4,), kernel_size=(3,)), nn.Sequential([nn.Dense(1)])]
)
@pytest.mark.parametrize("x", [(X, MASK), {"x": X, "mask": MASK}], ids=["pair", "dict"])
def test_models_that_take_no_mask_say_so(model, x):
    with pytest.raises(TypeError, match=f"{type(model).__name__} takes no mask beside x: give x alone, or a model"):
        fit(model, Arrays(x, Y), **GIVEN)


def test_a_model_of_a_dict_gets_the_dict():
    class Two(nn.Module):
        @nn.compact
        def __call__(self, inputs):
            return nn.Dense(1)(inputs["x"][:, :, :1] * inputs["mask"][..., None]).mean(axis=1, keepdims=True)

    result = fit(Two(), Arrays({"x": X, "mask": MASK}, Y), **GIVEN)
    assert predict(result.state, {"x": X, "mask": MASK}).shape == (14, 1, 1)


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (MLP((4,)), X),
        (Recurrent((GRU(3),)), X),
        (Recurrent((GRU(3),), readout="all"), X),
        (ConvNet((4,), stride=1, dense=()), np.ones((3, 8, 8, 1), np.float32)),
        (Theirs(nn.Conv(4, (3, 3))), np.ones((3, 8, 8, 1), np.float32)),
        (RECURRENT, (X, MASK)),
    ],
)
def test_one_example_without_its_batch_axis_is_refused(model, x):
    state = create_state(model, ADAM, 0, jax.tree.map(lambda leaf: leaf[:1], x))
    one = jax.tree.map(lambda leaf: leaf[0], x)
    with pytest.raises(
        ValueError, match=r"predict: the model was made for inputs of . axes, .* one example is x\[None\]"
    ):
        predict(state, one)
    batch = jax.tree.map(lambda leaf: leaf[None], one)
    np.testing.assert_allclose(predict(state, batch)[0], predict(state, x)[0], rtol=1e-5, atol=1e-6)


def test_predict_refuses_what_it_would_misread():
    state = create_state(RECURRENT, ADAM, 0, X[:1])
    with pytest.raises(ValueError, match=r"inputs of different numbers of rows, .13, 14."):
        predict(state, (X, MASK[:13]))
    with pytest.raises(ValueError, match="predict: data has no rows"):
        predict(state, X[:0])
    with pytest.raises(TypeError, match="data must hold real numbers, but its dtype is complex128"):
        predict(state, X.astype(complex))


def test_a_prediction_that_is_compiled_leaves_the_settings_of_jax_alone(monkeypatch):
    from seqvision import _compilation as compilation
    from seqvision.training import predict as room  # noqa: F401

    state = create_state(MODEL, ADAM, 0, X[:1])
    seen = []
    monkeypatch.setattr(compilation, "enable_compilation_cache", lambda: seen.append("entered"))
    for _ in range(3):
        predict(state, X, batch_size=9)
    assert seen == ["entered"]


def same(one, other):
    return all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), one, other)))


def test_a_state_goes_on_under_the_optimizer_that_is_given():
    first = fit(MODEL, (X, Y), **GIVEN)
    frozen = fit(MODEL, (X, Y), state=first.state, **{**GIVEN, "optimizer": optax.adam(0.0)})
    assert same(frozen.state.params, first.state.params)
    again = fit(MODEL, (X, Y), state=first.state, **{**GIVEN, "optimizer": optax.adam(1e-2)})
    assert same(again.state.params, fit(MODEL, (X, Y), state=first.state, **GIVEN).state.params)
    assert int(again.state.opt_state[0].count) == int(first.state.opt_state[0].count) * 2  # its memory goes on
    with pytest.raises(ValueError, match=r"memory of its optimizer.*opt_state=optimizer.init.state.params") as error:
        fit(MODEL, (X, Y), state=first.state, **{**GIVEN, "optimizer": "sgd"})
    optimizer = optax.sgd(0.0)
    state = eval(str(error.value).split("by state=")[1], {"state": first.state, "optimizer": optimizer})
    assert same(fit(MODEL, (X, Y), state=state, **{**GIVEN, "optimizer": optimizer}).state.params, first.state.params)


def test_a_state_goes_on_under_the_key_and_the_model_that_are_given():
    model = MLP((4,), dropout=0.5)
    first = fit(model, (X, Y), **GIVEN)
    same_key, other_key = (fit(model, (X, Y), state=first.state, **{**GIVEN, "key": key}) for key in (0, 1))
    whole = fit(model, (X, Y), **{**GIVEN, "epochs": 4})
    assert same(same_key.state.params, whole.state.params)
    assert not same(other_key.state.params, whole.state.params)
    plain = fit(MLP((4,)), (X, Y), state=first.state, **GIVEN)  # the same weights without dropout
    direct = create_state(MLP((4,)), ADAM, 0, X[:1]).replace(
        params=first.state.params, opt_state=first.state.opt_state, step=first.state.step
    )
    assert same(plain.state.params, fit(MLP((4,)), (X, Y), state=direct, **GIVEN).state.params)
    with pytest.raises(ValueError, match=r"in params, .*Dense_0.*is .* and should be .*: give the model that it was"):
        fit(MLP((5,)), (X, Y), state=first.state, **GIVEN)
    with pytest.raises(TypeError, match=r"state must be a TrainState, got Fit: give its \.state"):
        fit(model, (X, Y), state=first, **GIVEN)


@pytest.mark.parametrize(("loss", "metric", "features"), [("mse", "mae", 1), ("cross_entropy", "accuracy", 3)])
def test_targets_and_labels_of_one_axis_more_or_less_train_alike(loss, metric, features):
    y = Y[:, 0, 0] if loss == "mse" else RNG.integers(0, 3, 14).astype(np.int32)
    state, step = create_state(nn.Dense(features), ADAM, 0, X[:1, 0]), make_train_step(loss, {metric})
    expected = step(state, Batch(X[:, 0], y))
    for like in (y[:, None], y[:, None, None], y.astype(np.float32)):
        after = step(state, Batch(X[:, 0], jnp.asarray(like)))
        chex.assert_trees_all_close((after[0].params, after[1]), (expected[0].params, expected[1]), rtol=1e-6)


@pytest.mark.parametrize("data", [lambda y: (X[:, 0], y), lambda y: Stream(X[:, 0], y)], ids=["pair", "Stream"])
def test_labels_that_are_no_whole_numbers_are_refused(data):
    labels = np.where(np.arange(14) == 9, 0.5, 1.0)
    with pytest.raises(ValueError, match=r"labels must be whole numbers in 0\.\.2 .* row 9 has 0.5"):
        fit(nn.Dense(3), data(labels), **{**GIVEN, "loss": "cross_entropy"})


def test_windows_fit_a_dense_layer_of_ones_own():
    class Column(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(1)(x.reshape(x.shape[0], -1))

    data = Windows(np.arange(20.0), 4)
    result = fit(Column(), data, metrics={"mae"}, **GIVEN)
    outputs, targets = predict(result.state, data), data.gather(jnp.arange(len(data))).y
    evaluated = make_eval_step("mse", {"mae"})(result.state, data.gather(jnp.arange(len(data))))
    np.testing.assert_allclose(evaluated["loss"], np.square(outputs[:, 0] - targets[:, 0, 0]).mean(), rtol=1e-5)
    np.testing.assert_allclose(evaluated["mae"], np.abs(outputs[:, 0] - targets[:, 0, 0]).mean(), rtol=1e-5)


def test_metrics_may_be_functions_in_a_list():
    named = fit(MODEL, (X, Y), metrics={"absolute_error": "mae"}, **GIVEN)
    chex.assert_trees_all_equal(fit(MODEL, (X, Y), metrics=[absolute_error], **GIVEN).history, named.history)


def test_tables_and_tensors_are_read_by_place():
    """The index of a table would name other rows than their places do."""
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    x, y, index = X[:, 0], Y[:, 0, 0], RNG.permutation(14)
    state = create_state(nn.Dense(1), ADAM, 0, x[:1])
    outputs = predict(state, x)
    frame, column = pandas.DataFrame(x, index=index), pandas.Series(y, index=index)
    for one, other in ((frame, column), (torch.tensor(x), torch.tensor(y))):
        ((_, read),) = Stream(one, other).read(None, 14)
        for data in (Arrays(one, other), read):
            np.testing.assert_array_equal(data.x, x)
            np.testing.assert_array_equal(data.y, y)
        np.testing.assert_array_equal(predict(state, one), outputs)
    with pytest.raises(TypeError, match=r"data must be .*: give the targets beside the inputs"):
        fit(nn.Dense(1), torch.tensor(x), **GIVEN)


CELLS = [
    LSTM(4),
    GRU(4),
    Elman(4),
    LSTMVariant(4, peephole=True, layer_norm=True),
    LRU(4),
    MinGRU(4),
    LearnedStart(GRU(4)),
]


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_parameters_decay_for_one_seed_and_for_many(cell):
    keys = jax.random.split(jax.random.key(0), 3)
    alone, many = cell.init(keys[0], 2), jax.vmap(lambda key: cell.init(key, 2))(keys)
    assert jax.tree.leaves(decay_mask(alone)) == jax.tree.leaves(decay_mask(many))


def test_biases_of_many_seeds_do_not_decay():
    model, keys = ConvNet((4,), batch_norm=True, dense=(3,)), jax.random.split(jax.random.key(0), 2)
    x = jnp.ones((1, 8, 8, 1))
    states = jax.vmap(lambda key: create_state(model, "adamw", key, x))(keys)
    decays = {
        jax.tree_util.keystr(path): on for path, on in jax.tree_util.tree_leaves_with_path(decay_mask(states.params))
    }
    assert {name for name, on in decays.items() if on} == {name for name in decays if "kernel" in name}
    penalty = WeightPenalty(l2=1.0)
    alone = [penalty(jax.tree.map(lambda leaf, n=n: leaf[n] + 1, states.params)) for n in range(2)]
    np.testing.assert_allclose(penalty(jax.tree.map(lambda leaf: leaf + 1, states.params)), sum(alone), rtol=1e-5)


def test_batches_of_a_function_that_diverge_are_told():
    def batches():
        for n in (0, 8):
            yield X[n : n + 8] * (1e30 if n else 1.0), Y[n : n + 8]

    with pytest.raises(NonFiniteLossError, match=r"at batch 2 of epoch 1 \(step 1\)"):
        fit(MODEL, Stream(batches), **GIVEN)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: make_run(make_train_step("mse"), epochs=1, batch_size=2, shuffle="no"),
            "shuffle must be True or False",
        ),
        (lambda: run_population(lambda key: key, [0, 1]), r"keys must be \(S,\) .*got \[0, 1\]: jax.random.split one"),
        (
            lambda: run_population(lambda key: key, jax.random.split(jax.random.key(0)), together=1),
            "together must",
        ),
        (lambda: make_adversarial_step(2.5), "latent must be an int >= 1, got 2.5"),
        (lambda: make_adversarial_step(2, smoothing=1.0), "smoothing must be a number >= 0 and < 1, got 1.0"),
    ],
)
def test_other_rooms_of_training_check_alike(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_masked_arrays_are_refused_where_their_mask_would_be_lost():
    lost = "has a mask, which would be lost"
    x, y = np.ones((14, 2), np.float32), np.ones((14, 1), np.float32)
    holes = np.ma.masked_equal([[-999.0, 1.0]] + [[1.0, 1.0]] * 13, -999)
    targets = np.ma.masked_equal([[-999.0]] + [[1.0]] * 13, -999)
    for wrong in ((holes, y), (x, targets), (list(holes), y), ((x, holes), y)):
        for make in (Arrays, Stream):
            with pytest.raises(ValueError, match=lost):
                make(*wrong)
    with pytest.raises(ValueError, match=lost):
        Windows(holes, 3)
    with pytest.raises(ValueError, match=lost):
        Stream([(holes[0], y[0]), (x[1], y[1])])
    with pytest.raises(ValueError, match=lost):
        Stream(lambda: iter([(holes, y)]))
    with pytest.raises(ValueError, match=lost):
        fit(MODEL, (x, y), validation=(x, targets), **GIVEN)
    state = create_state(MODEL, ADAM, 0, x)
    for inputs in (holes, list(holes)):
        with pytest.raises(ValueError, match=lost):
            predict(state, inputs)

    class Rows:
        shape, dtype = holes.shape, holes.dtype

        def __getitem__(self, row):
            return holes[row]

    with pytest.raises((ValueError, RuntimeError), match=lost):
        Stream(Rows(), y)
    assert len(Arrays(np.ma.masked_equal(x, -999), y)) == 14  # nothing is masked


def test_the_memory_of_one_rule_is_not_that_of_another():
    def after(optimizer):
        return create_state(MODEL, optimizer, 0, X[:1])

    def resumed(old, new):
        return resume(after(old), MODEL, new, jax.random.key(0), X[:1])

    inject, less = optax.inject_hyperparams, ("eps_root", "nesterov")
    adams, clip = (optax.adam(0.1), optax.adamax(0.1)), optax.clip(1.0)
    everywhere = functools.partial(jax.tree.map, lambda _: True)
    others = [
        adams,
        adams[::-1],
        (optax.adam(0.1), optax.yogi(0.1)),
        tuple(optax.chain(clip, rule) for rule in adams),
        tuple(optax.masked(rule, everywhere) for rule in adams),
        tuple(optax.MultiSteps(rule, 2) for rule in adams),
        tuple(average_weights(rule, 0.9) for rule in adams),
        (inject(optax.adam, static_args=less)(learning_rate=0.1), inject(optax.adamax)(learning_rate=0.1)),
    ]
    for old, new in others:
        with pytest.raises(ValueError, match=r"is that of .*, and the optimizer given is .*: start the optimizer anew"):
            resumed(old, new)
    falling = optax.cosine_decay_schedule(0.1, 9), optax.exponential_decay(0.1, 9, 0.5), lambda step: 0.1
    same_rules = [
        (optax.adam(0.1), optax.adam(0.01, b1=0.8)),
        (optax.adam(0.1), optax.nadam(0.1)),  # which remembers as Adam does
        (optax.adamw(0.1, mask=decay_mask), optax.adamw(0.01, mask=lambda params: decay_mask(params))),
        (optax.sgd(0.1, momentum=0.9), optax.sgd(0.01, momentum=0.8, nesterov=True)),
        (optax.chain(clip, optax.adam(0.1)), optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.1))),
        tuple(optax.MultiSteps(optax.adam(0.1), steps) for steps in (2, lambda step: 3)),
        (inject(optax.adam)(learning_rate=0.1), inject(optax.adam)(learning_rate=0.01)),
        *((optax.adam(falling[0]), optax.adam(schedule)) for schedule in falling),
        *(
            (inject(optax.adam)(learning_rate=falling[0]), inject(optax.adam)(learning_rate=schedule))
            for schedule in falling
        ),
    ]
    for old, new in same_rules:
        assert resumed(old, new).tx is new


@pytest.mark.parametrize("kind", [np.int32, np.float32, np.uint8])
def test_a_mask_of_numbers_is_told_what_to_write(kind):
    mask, state = MASK.astype(kind), create_state(RECURRENT, ADAM, 0, X[:1])
    wanted = r"mask must be bool, got .*: \w+ mask.astype.bool|mask to bool|a mask is bool, mask.astype.bool"
    for x in ((X, mask), {"x": X, "mask": mask}):
        with pytest.raises(TypeError, match=wanted):
            predict(state, x)
        for make in (Arrays, Stream):
            with pytest.raises(TypeError, match=wanted):
                fit(RECURRENT, make(x, Y), **GIVEN)


@pytest.mark.parametrize(
    "optimizer",
    [
        optax.lbfgs(),
        optax.polyak_sgd(),
        optax.chain(optax.adam(1e-3), optax.contrib.reduce_on_plateau()),
    ],
    ids=["lbfgs", "polyak", "plateau"],
)
def test_optimizers_that_look_at_the_loss_are_refused(optimizer):
    with pytest.raises(TypeError, match=r"optimizer needs more than gradients .*'value'.*write optimizer=optax.adam"):
        fit(MODEL, (X, Y), **{**GIVEN, "optimizer": optimizer})


def test_inputs_that_the_model_was_not_made_for_are_told_what_it_was():
    state, dense = create_state(RECURRENT, ADAM, 0, X[:1]), create_state(nn.Dense(2), ADAM, 0, np.ones((1, 3)))
    features = r"x is \(N, 6, 1\), but the model was made for x \(N, 6, 2\): give the features"
    for data in (X[..., :1], Arrays(X[..., :1], Y), Stream(X[..., :1], Y)):
        with pytest.raises(ValueError, match="predict: " + features):
            predict(state, data)
        with pytest.raises(ValueError, match="validation: " + features):
            fit(RECURRENT, (X, Y), validation=data if not hasattr(data, "dtype") else (data, Y), **GIVEN)
    with pytest.raises(ValueError, match="fit: " + features):
        fit(RECURRENT, (X[..., :1], Y), state=state, **GIVEN)
    for data, of in (((X, Y), state), ((np.ones((4, 3)), np.ones((4, 1))), dense), ({"a": np.ones((4, 3))}, dense)):
        with pytest.raises(ValueError, match=r"is a (tuple|dict) of x .*was made for x \(N.*give inputs alone"):
            predict(of, data)
    with pytest.raises(TypeError, match="must hold real numbers"):
        predict(dense, ["a", "b"])
    with pytest.raises(ValueError, match="its rows differ in length"):
        predict(dense, [[1.0, 2.0, 3.0], [1.0, 2.0]])
    assert predict(state, X[:, :4]).shape == predict(state, X).shape  # another length is no other input
