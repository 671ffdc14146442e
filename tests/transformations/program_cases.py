"""Cells, decoders and training as functions of inputs and a vector of parameters, as `conv_cases` has convolutions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from seqvision.cells import GRU, LSTM, Elman, MinGRU, unroll, unroll_bidirectional, unroll_stack, unroll_truncated
from seqvision.cells.unrolling.methods import METHODS
from seqvision.data import Arrays, Batch
from seqvision.models import Recurrent, RegressionHead
from seqvision.seq2seq import Bahdanau, Decoder, Encoded, free_run, generate
from seqvision.training import create_state, make_eval_step, make_run, make_train_step
from tests.cells.own_cells import SRU

N, T, D = 8, 4, 3
IN_DOUBLE: dict = {}  # compiled programs of the references


class ProgramCase(NamedTuple):
    function: str
    run: Callable  # (params, x, method) -> y
    params: Any  # shapes of the parameters
    x: tuple[int, ...] = (N, T, D)
    method: str = "auto"
    sums: bool = False  # over the batch

    def call(self, x, vector):
        """Compute y (N, …), or a sum over the batch (…,), from x (N, …) and all parameters in one vector."""
        return self.run(self._params(vector), x, self.method)

    def reference(self, x, vector):
        """Compute the same in float64, step by step of the cell."""
        if self.function not in IN_DOUBLE:
            IN_DOUBLE[self.function] = jax.jit(lambda x, v: self.run(self._params(v), x, "scan"))
        with jax.enable_x64(True):
            return np.asarray(IN_DOUBLE[self.function](x, vector))

    def arrays(self, dtype=np.float32):
        """x, parameters, and weights of a sum over y."""
        rng = np.random.default_rng(sum(map(ord, self.function)))
        x = rng.normal(size=self.x)
        vector = rng.normal(size=sum(leaf.size for leaf in jax.tree.leaves(self.params))) / 2
        weights = rng.normal(size=self.reference(x, vector).shape)
        return tuple(np.asarray(a, dtype) for a in (x, vector, weights))

    def _params(self, vector):
        leaves, structure = jax.tree.flatten(self.params)
        parts = jnp.split(vector, np.cumsum([leaf.size for leaf in leaves])[:-1].tolist())
        return structure.unflatten([part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)])


def flags(x):
    """A mask and resets, at the start of every second step among others, which no rounding of x changes."""
    mask, reset = (x[..., 0] > 0) | (x[..., 1] > 0), (x[..., 1] < 0) & (x[..., 2] < 0)
    return {"mask": mask, "reset": reset | jnp.expand_dims(jnp.arange(T) % 2 == 0, range(x.ndim - 2))}


def init(cell, features=D):
    return jax.eval_shape(lambda: cell.init(jax.random.key(0), features))


def unrolled(function, method, cell):
    return ProgramCase(
        function, lambda p, x, how: unroll(cell, p, x, **flags(x), method=how)[1], init(cell), (N, T, D), method
    )


def decoded(params, x, method):
    """Scores of known tokens, and what is written."""
    encoded = Encoded(x[:, 0], x, jnp.abs(x[..., 0]) > 0)
    logits, _ = DECODER.score(params, encoded, (x[:, :2, 0] > 0).astype(int) + 1)
    written = generate(DECODER, *jax.lax.stop_gradient((params, encoded)), max_length=3).tokens
    return jnp.concatenate([logits.reshape(x.shape[0], -1), written.astype(x.dtype)], 1)


def wandering(params, x, method):
    return jax.vmap(lambda h: free_run(lambda h: jnp.tanh(h[:, -1] @ params), h, 3))(x)


def state_with(params, x):
    state = create_state(DENSE, SGD, jax.random.key(0), jnp.zeros((1, D)))
    return state.replace(params=params, opt_state=SGD.init(params))


def vector_of(tree):
    return jnp.concatenate([leaf.reshape(-1) for leaf in jax.tree.leaves(tree)])


def target(x):
    return x[:, :1]


def train_step(params, x, method):
    state, means = make_train_step("mse")(state_with(params, x), Batch(x, target(x)))
    return vector_of((state.params, means))


def run_of_two_epochs(params, x, method):
    run = make_run(make_train_step("mse"), epochs=2, batch_size=8, evaluate=make_eval_step("mse"))
    state, history = run(state_with(params, x), Arrays(x, target(x)), Arrays(x, target(x)))
    return vector_of((state.params, history))


def recurrent_model(params, x, method):
    return RECURRENT.apply({"params": params}, x)


DECODER = Decoder(6, GRU(4), attention=Bahdanau(4), feed="context")
DENSE, SGD = nn.Sequential([nn.Dense(3), jnp.tanh, nn.Dense(1)]), optax.sgd(0.1)
RECURRENT = Recurrent((GRU(4),), head=RegressionHead(1, 1))
pair = init(GRU(4)), init(GRU(4), 4)
both = init(GRU(4)), init(GRU(4))
dense = jax.eval_shape(lambda: DENSE.init(jax.random.key(0), jnp.ones((1, D)))["params"])
recurrent = jax.eval_shape(lambda: RECURRENT.init(jax.random.key(0), jnp.ones((1, T, D)))["params"])
OWN = {"associative": MinGRU(4), "newton": GRU(3), "pallas": Elman(16)}
BY_METHOD = {name: OWN.get(name, LSTM(4)) for name in METHODS if name != "cudnn"}  # which needs its own device
PROGRAM_CASES = [
    unrolled("unroll, auto", "auto", LSTM(4)),
    *(unrolled(f"unroll, {name}", name, cell) for name, cell in BY_METHOD.items()),
    unrolled("unroll, auto, a cell of your own", "auto", SRU(4)),
    ProgramCase(
        "unroll_stack", lambda p, x, how: unroll_stack((GRU(4), GRU(4)), p, x, **flags(x), method=how)[1], pair
    ),
    ProgramCase(
        "unroll_bidirectional",
        lambda p, x, how: unroll_bidirectional(GRU(4), GRU(4), p, x, **flags(x), method=how)[1],
        both,
    ),
    ProgramCase(
        "unroll_truncated",
        lambda p, x, how: unroll_truncated(GRU(4), p, x, length=2, **flags(x), method=how)[1],
        init(GRU(4)),
    ),
    ProgramCase("Decoder, generate", decoded, jax.eval_shape(lambda: DECODER.init(jax.random.key(0), D, D))),
    ProgramCase("free_run", wandering, jax.ShapeDtypeStruct((D, D), jnp.float32)),
    ProgramCase("Recurrent", recurrent_model, recurrent),
    ProgramCase("make_train_step", train_step, dense, (N, D), sums=True),
    ProgramCase("make_run", run_of_two_epochs, dense, (N, D), sums=True),
]
# Where time is short: cells have quick tests of their own.
FEW_PROGRAMS = {"make_train_step"}
