"""Weights of torch.nn.RNN, GRU and LSTM, layer by layer; torch itself is not imported."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqvision._checks import check_flag
from seqvision.cells import GRU, LSTM, Cell, Elman, LSTMVariant, PyTree

from ._weights import Reader, as_params, check_counterpart, check_zero, given, join, our_params, sizes, to_numpy, zeros

HINT = "pass layer.state_dict(); prefix= for a layer inside a model, layer=None for torch's RNNCell, GRUCell, LSTMCell"


def from_torch(
    cell: Cell, state_dict: Mapping[str, Any] | Any, *, layer: int | None = 0, reverse: bool = False, prefix: str = ""
) -> Any:
    """Return a cell's parameters from the state_dict of torch.nn.RNN, GRU or LSTM: the same function.

    torch stores (gates H, D), the transpose of ours, with the same order of gates. Its two biases become one, their
    sum; only the recurrent bias of the GRU's candidate, which the reset gate multiplies, stays itself (``b_n``).
    Without biases (``bias=False``) ours are zero. A layer with ``proj_size=P`` is ``LSTMVariant(hidden, proj=P)``.

    Args:
      cell: `Elman` ("tanh" or "relu"), `GRU`, `LSTM` or `LSTMVariant` with proj alone, of the layer's hidden size.
      state_dict: names -> arrays or tensors, or the layer itself.
      layer: which of ``num_layers``; None for torch's single-step cells, whose names carry no layer.
      reverse: the backward direction of a bidirectional layer.
      prefix: what stands before the names, such as "encoder.lstm.".

    Returns:
      The parameters, in the dtype of the arrays.

    Raises:
      ValueError: for a missing name or a shape that does not fit the cell.
      TypeError: for a cell that torch does not have.

    Stacks and both directions, for `unroll_stack` and `unroll_bidirectional`:

    >>> from seqvision.cells import LSTM
    >>> cell, ones = LSTM(4), np.ones
    >>> one = {"weight_ih_l0": ones((16, 3)), "weight_hh_l0": ones((16, 4)), "bias_ih_l0": ones(16)}
    >>> two = {"weight_ih_l1": ones((16, 4)), "weight_hh_l1": ones((16, 4)), "bias_ih_l1": ones(16)}
    >>> state_dict = one | two | {"bias_hh_l0": ones(16), "bias_hh_l1": ones(16)}
    >>> params = tuple(from_torch(cell, state_dict, layer=k) for k in range(2))
    >>> [p.w_x.shape for p in params], float(params[0].b[0])
    ([(3, 16), (4, 16)], 2.0)

    and ``(from_torch(cell, d), from_torch(cell, d, reverse=True))`` for the two directions of one layer.
    """
    _check("from_torch", cell)
    check_flag("reverse", reverse, owner="from_torch")
    state_dict = given("from_torch", state_dict, "state_dict", HINT)
    read = Reader("from_torch", cell, state_dict, HINT)
    names = _names(layer, reverse, prefix)
    H, P, width = sizes(cell)
    w_x = read(names["weight_ih"], (width, None)).T
    w_h = read(names["weight_hh"], (width, P)).T
    if names["weight_hr"] in state_dict and not isinstance(cell, LSTMVariant):
        raise ValueError(f"from_torch: {names['weight_hr']} is a projection: use LSTMVariant(hidden, proj=P)")
    if names["bias_ih"] in state_dict or names["bias_hh"] in state_dict:
        b_x, b_h = read(names["bias_ih"], (width,)), read(names["bias_hh"], (width,))
    else:
        b_x = b_h = zeros(w_x, width)
    if isinstance(cell, LSTMVariant):
        return as_params(cell, w_x=w_x, w_h=w_h, b=b_x + b_h, w_p=read(names["weight_hr"], (P, H)).T)
    if not isinstance(cell, GRU):
        return as_params(cell, w_x=w_x, w_h=w_h, b=b_x + b_h)
    b = join([b_x[: 2 * H] + b_h[: 2 * H], b_x[2 * H :]])
    return as_params(cell, w_x=w_x, w_h=w_h, b=b, b_n=b_h[2 * H :])


def to_torch(
    cell: Cell,
    params: PyTree,
    *,
    layer: int | None = 0,
    reverse: bool = False,
    prefix: str = "",
    bias: bool = True,
) -> dict[str, np.ndarray]:
    """Return what torch's state_dict holds for one layer and direction: the inverse of `from_torch`.

    Our bias becomes ``bias_ih``; ``bias_hh`` is zero but for the GRU's ``b_n``. Dicts of several layers are joined
    by ``|``, and ``layer.load_state_dict({name: torch.from_numpy(a) for name, a in d.items()})`` takes them.

    Args:
      cell: `Elman` ("tanh" or "relu"), `GRU`, `LSTM` or `LSTMVariant` with proj alone.
      params: its parameters, or a dict of their fields.
      layer: which of ``num_layers``; None for torch's single-step cells.
      reverse: the backward direction of a bidirectional layer.
      prefix: what stands before the names.
      bias: False for a layer made with ``bias=False``; our biases must be zero then.

    Returns:
      Names -> NumPy arrays of the parameters' dtype.

    Raises:
      ValueError: for parameters that do not fit the cell, or biases with nowhere to go.
      TypeError: for a cell that torch does not have.

    >>> import jax
    >>> from seqvision.cells import GRU
    >>> cell = GRU(4)
    >>> state_dict = to_torch(cell, cell.init(jax.random.key(0), in_features=3), layer=1, reverse=True)
    >>> state_dict["weight_ih_l1_reverse"].shape
    (12, 3)
    """
    _check("to_torch", cell)
    check_flag("reverse", reverse, owner="to_torch")
    check_flag("bias", bias, owner="to_torch")
    params = our_params("to_torch", cell, params)
    names = _names(layer, reverse, prefix)
    weights = {names["weight_ih"]: params.w_x.T, names["weight_hh"]: params.w_h.T}
    b_n = params.b_n if isinstance(cell, GRU) else None
    if bias:
        rest = zeros(params.b, params.b.shape[0] - (0 if b_n is None else b_n.shape[0]))
        weights |= {names["bias_ih"]: params.b, names["bias_hh"]: rest if b_n is None else join([rest, b_n])}
    else:
        for name, array in (("b", params.b), ("b_n", b_n)):
            if array is not None:
                check_zero("to_torch", f"params.{name}", array, "make the layer with bias=True and pass bias=True")
    if isinstance(cell, LSTMVariant):
        weights[names["weight_hr"]] = params.w_p.T
    return to_numpy(weights)


def _names(layer, reverse, prefix):
    """torch's names of the arrays of one layer and direction."""
    suffix = ("" if layer is None else f"_l{layer}") + ("_reverse" if reverse else "")
    return {name: f"{prefix}{name}{suffix}" for name in ("weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh")}


def _check(owner, cell):
    check_counterpart(owner, cell, "torch", (Elman, GRU, LSTM, LSTMVariant))
    if isinstance(cell, LSTMVariant):
        options = {name: getattr(cell, name) for name in ("hidden", "forget_bias", "proj")}
        if cell.proj is None or cell != LSTMVariant(**options):
            raise TypeError(f"{owner}: torch has no layer like {cell!r}: of the options it has proj alone")
    if isinstance(cell, GRU) and not cell.reset_after:
        raise TypeError(f"{owner}: torch has no layer like {cell!r}: its GRU is GRU(hidden, reset_after=True)")
    if isinstance(cell, Elman) and cell.activation not in ("tanh", "relu"):
        raise TypeError(f'{owner}: torch has no layer like {cell!r}: its RNN has the activation "tanh" or "relu"')
