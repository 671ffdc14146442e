"""Weights of Keras's SimpleRNN, GRU and LSTM; Keras itself is not imported."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqvision._checks import check_flag
from seqvision.cells import GRU, Cell, PyTree

from ._weights import (
    Reader,
    as_params,
    check_counterpart,
    check_zero,
    join,
    our_params,
    reorder,
    sizes,
    to_numpy,
    zeros,
)

NAMES = ("kernel", "recurrent_kernel", "bias")
ORDER = (1, 0, 2)  # Keras's GRU has the gates z | r | h, ours r | z | n: the same swap both ways


def from_keras(cell: Cell, weights: Sequence[Any] | Any) -> Any:
    """Return a cell's parameters from ``layer.get_weights()`` of Keras's SimpleRNN, GRU or LSTM: the same function.

    Kernels are stored as ours, the LSTM's gates in our order and the GRU's as z | r | h. GRU(reset_after=True) has a
    bias (2, 3H) of input and recurrent parts, whose sum is ours but for the candidate's recurrent part (``b_n``).
    Without biases (``use_bias=False``) ours are zero.

    Args:
      cell: `Elman` with the layer's activation, `GRU` with its ``reset_after``, or `LSTM`, of the layer's units.
      weights: kernel, recurrent kernel and, where the layer has one, bias; or the layer itself. A
        Bidirectional layer gives the arrays of the forward layer and then those of the backward one: pass each half by
        itself.

    Returns:
      The parameters, in the dtype of the arrays.

    Raises:
      ValueError: for another number of arrays or a shape that does not fit the cell.
      TypeError: for a cell that Keras does not have.

    >>> params = from_keras(GRU(4), [np.ones((3, 12)), np.ones((4, 12)), np.ones((2, 12))])
    >>> params.b.tolist()[3:9], params.b_n.shape
    ([2.0, 2.0, 2.0, 2.0, 2.0, 1.0], (4,))
    """
    check_counterpart("from_keras", cell, "Keras")
    get_weights = getattr(weights, "get_weights", None)
    weights = get_weights() if callable(get_weights) else weights
    if len(weights) not in (2, 3):
        raise ValueError(
            f"from_keras: weights must be kernel, recurrent kernel and perhaps bias, got {len(weights)} arrays: "
            "pass layer.get_weights() of one recurrent layer, each half of a Bidirectional one by itself"
        )
    read = Reader("from_keras", cell, dict(zip(NAMES, weights, strict=False)), "pass layer.get_weights()")
    H, _, width = sizes(cell)
    w_x, w_h = read("kernel", (None, width)), read("recurrent_kernel", (H, width))
    after = isinstance(cell, GRU) and cell.reset_after
    if len(weights) == 3:
        b = read("bias", (2, width) if after else (width,))
    else:
        b = zeros(w_x, 2 * width).reshape(2, width) if after else zeros(w_x, width)
    if not isinstance(cell, GRU):
        return as_params(cell, w_x=w_x, w_h=w_h, b=b)
    w_x, w_h, b = (reorder(array, ORDER) for array in (w_x, w_h, b))
    if not after:
        return as_params(cell, w_x=w_x, w_h=w_h, b=b, b_n=None)
    b, b_n = join([b[0, : 2 * H] + b[1, : 2 * H], b[0, 2 * H :]]), b[1, 2 * H :]
    return as_params(cell, w_x=w_x, w_h=w_h, b=b, b_n=b_n)


def to_keras(cell: Cell, params: PyTree, *, bias: bool = True) -> list[np.ndarray]:
    """Return the arrays that ``layer.set_weights`` of Keras's layer takes: the inverse of `from_keras`.

    For GRU(reset_after=True) our bias goes to the input row; the recurrent row is zero but for ``b_n``.

    Args:
      cell: `Elman`, `GRU` or `LSTM`; the Keras layer needs the same activation and ``reset_after``.
      params: its parameters, or a dict of their fields.
      bias: False for a layer made with ``use_bias=False``; our biases must be zero then.

    Returns:
      Kernel, recurrent kernel and, unless ``bias=False``, bias, of the parameters' dtype.

    Raises:
      ValueError: for parameters that do not fit the cell, or biases with nowhere to go.
      TypeError: for a cell that Keras does not have.

    >>> import jax
    >>> cell = GRU(4)
    >>> [array.shape for array in to_keras(cell, cell.init(jax.random.key(0), in_features=3))]
    [(3, 12), (4, 12), (2, 12)]
    """
    check_counterpart("to_keras", cell, "Keras")
    check_flag("bias", bias, owner="to_keras")
    params = our_params("to_keras", cell, params)
    weights = {"kernel": params.w_x, "recurrent_kernel": params.w_h, "bias": params.b}
    b_n = params.b_n if isinstance(cell, GRU) else None
    if isinstance(cell, GRU):
        weights = {name: reorder(array, ORDER) for name, array in weights.items()}
    if not bias:
        for name, array in (("b", params.b), ("b_n", b_n)):
            if array is not None:
                check_zero("to_keras", f"params.{name}", array, "make the layer with use_bias=True and pass bias=True")
        weights.pop("bias")
    elif b_n is not None:
        both = join([weights["bias"], zeros(b_n, 2 * b_n.shape[0]), b_n])
        weights["bias"] = both.reshape(2, -1)
    return list(to_numpy(weights).values())
