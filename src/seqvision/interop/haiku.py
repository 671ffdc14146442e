"""Parameters of haiku's VanillaRNN, GRU and LSTM; haiku itself is not imported."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from seqvision._checks import check_flag
from seqvision.cells import GRU, LSTM, Cell, Elman, PyTree

from ._weights import Reader, as_params, check_counterpart, given, join, our_params, reorder, sizes, split, zeros

NAMES = {Elman: "vanilla_rnn", GRU: "gru", LSTM: "lstm"}
LSTM_ORDER = (0, 2, 1, 3)  # haiku i | g | f | o, ours i | f | g | o: the same swap both ways


def from_haiku(cell: Cell, params: Mapping[str, Mapping[str, Any]], *, name: str | None = None) -> Any:
    """Return a cell's parameters from those of haiku's VanillaRNN, GRU or LSTM: the same function.

    The LSTM has one kernel (D + H, 4H) for inputs and state with gates i | g | f | o, and adds 1 to the forget gate,
    which becomes a part of our bias. The GRU is the first paper's form, with the reset before the product, gates
    z | r | n and z for the new state, so that our z is 1 - z: its columns change sign. VanillaRNN's two biases become
    one, their sum.

    Args:
      cell: ``Elman(hidden, "relu")``, ``GRU(hidden, reset_after=False)`` or `LSTM`.
      params: module name -> array name -> array, as ``init`` of a transformed function gives it.
      name: the recurrent module's name, such as "model/~/lstm"; haiku's own default ("vanilla_rnn", "gru", "lstm").

    Returns:
      The parameters, in the dtype of the arrays.

    Raises:
      ValueError: for a missing name or a shape that does not fit the cell.
      TypeError: for a cell that haiku does not have.

    >>> import numpy as np
    >>> params = from_haiku(LSTM(4), {"lstm/linear": {"w": np.ones((7, 16)), "b": np.zeros(16)}})
    >>> params.w_x.shape, params.b.tolist()[3:9]
    ((3, 16), [0.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    """
    _check("from_haiku", cell)
    params = given("from_haiku", params, "", "pass what init of the transformed function gives")
    name = NAMES[type(cell)] if name is None else name
    flat = {f"{module}.{key}": array for module, part in params.items() for key, array in part.items()}
    read = Reader("from_haiku", cell, flat, "name= gives the path of the recurrent module")
    H, _, width = sizes(cell)
    if isinstance(cell, LSTM):
        w = reorder(read(f"{name}/linear.w", (None, width)), LSTM_ORDER)
        b_i, b_f, b_g, b_o = split(reorder(read(f"{name}/linear.b", (width,)), LSTM_ORDER), 4)
        if w.shape[0] <= H:
            raise ValueError(
                f"from_haiku: {name}/linear.w must have D + H rows for {cell!r}, got {w.shape[0]}: "
                "give the cell the hidden size of the weights"
            )
        return as_params(cell, w_x=w[:-H], w_h=w[-H:], b=join([b_i, b_f + 1, b_g, b_o]))
    if isinstance(cell, GRU):
        arrays = (read(f"{name}.w_i", (None, width)), read(f"{name}.w_h", (H, width)), read(f"{name}.b", (width,)))
        w_x, w_h, b = (_from_zrn(array) for array in arrays)
        return as_params(cell, w_x=w_x, w_h=w_h, b=b, b_n=None)
    b = read(f"{name}/linear.b", (H,))
    if f"{name}/linear_1.b" in flat:
        b = b + read(f"{name}/linear_1.b", (H,))
    return as_params(cell, w_x=read(f"{name}/linear.w", (None, H)), w_h=read(f"{name}/linear_1.w", (H, H)), b=b)


def to_haiku(
    cell: Cell, params: PyTree, *, name: str | None = None, double_bias: bool = True
) -> dict[str, dict[str, Any]]:
    """Return the parameters of haiku's VanillaRNN, GRU or LSTM: the inverse of `from_haiku`.

    Args:
      cell: ``Elman(hidden, "relu")``, ``GRU(hidden, reset_after=False)`` or `LSTM`.
      params: its parameters, or a dict of their fields.
      name: the recurrent module's name; haiku's own default.
      double_bias: VanillaRNN's option of that name; its second bias is zero.

    Returns:
      Module name -> array name -> array.

    Raises:
      ValueError: for parameters that do not fit the cell.
      TypeError: for a cell that haiku does not have.

    >>> import jax
    >>> cell = LSTM(4)
    >>> tree = to_haiku(cell, cell.init(jax.random.key(0), in_features=3))
    >>> {name: array.shape for name, array in tree["lstm/linear"].items()}
    {'w': (7, 16), 'b': (16,)}
    """
    _check("to_haiku", cell)
    check_flag("double_bias", double_bias, owner="to_haiku")
    params = our_params("to_haiku", cell, params)
    name = NAMES[type(cell)] if name is None else name
    if isinstance(cell, LSTM):
        b_i, b_f, b_g, b_o = split(params.b, 4)
        w = jnp.concatenate([params.w_x, params.w_h], axis=0)
        return {f"{name}/linear": {"w": reorder(w, LSTM_ORDER), "b": join([b_i, b_g, b_f - 1, b_o])}}
    if isinstance(cell, GRU):
        w_i, w_h, b = (_to_zrn(array) for array in (params.w_x, params.w_h, params.b))
        return {name: {"w_i": w_i, "w_h": w_h, "b": b}}
    second = {"b": zeros(params.b, sizes(cell)[0])} if double_bias else {}
    return {f"{name}/linear": {"w": params.w_x, "b": params.b}, f"{name}/linear_1": {"w": params.w_h} | second}


def _from_zrn(array):
    z, r, n = split(array, 3)
    return join([r, -z, n])


def _to_zrn(array):
    r, z, n = split(array, 3)
    return join([-z, r, n])


def _check(owner, cell):
    check_counterpart(owner, cell, "haiku")
    if isinstance(cell, GRU) and cell.reset_after:
        raise TypeError(f"{owner}: haiku has no cell like {cell!r}: its GRU is GRU(hidden, reset_after=False)")
    if isinstance(cell, Elman) and cell.activation != "relu":
        raise TypeError(f'{owner}: haiku has no cell like {cell!r}: its VanillaRNN is Elman(hidden, "relu")')
