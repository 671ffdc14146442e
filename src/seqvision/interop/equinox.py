"""Parameters of equinox's GRUCell and LSTMCell; equinox itself is not imported."""

from collections.abc import Mapping
from typing import Any

from seqvision._checks import check_flag
from seqvision.cells import GRU, Cell, Elman, PyTree

from ._weights import Reader, as_params, check_counterpart, check_zero, our_params, sizes, zeros

NAMES = ("weight_ih", "weight_hh", "bias", "bias_n")


def from_equinox(cell: Cell, module: Any) -> Any:
    """Return a cell's parameters from an ``equinox.nn.GRUCell`` or ``LSTMCell``: the same function.

    equinox stores (gates H, D), the transpose of ours, with gates and biases as ours. With ``use_bias=False`` ours
    are zero.

    Args:
      cell: `GRU` with reset_after, or `LSTM`, of the module's hidden size.
      module: the equinox cell, or a dict of its arrays weight_ih, weight_hh, bias and, for a GRU, bias_n.

    Returns:
      The parameters, in the dtype of the arrays.

    Raises:
      ValueError: for a missing name or a shape that does not fit the cell.
      TypeError: for a cell that equinox does not have.

    >>> import numpy as np
    >>> from seqvision.cells import LSTM
    >>> module = {"weight_ih": np.ones((16, 3)), "weight_hh": np.ones((16, 4)), "bias": np.ones(16)}
    >>> from_equinox(LSTM(4), module).w_x.shape
    (3, 16)
    """
    _check("from_equinox", cell)
    arrays = module if isinstance(module, Mapping) else {name: getattr(module, name, None) for name in NAMES}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    read = Reader("from_equinox", cell, arrays, "pass an equinox.nn.GRUCell or LSTMCell, or its arrays by name")
    H, _, width = sizes(cell)
    w_x, w_h = read("weight_ih", (width, None)).T, read("weight_hh", (width, H)).T
    biased = "bias" in arrays or "bias_n" in arrays
    b = read("bias", (width,)) if biased else zeros(w_x, width)
    if not isinstance(cell, GRU):
        return as_params(cell, w_x=w_x, w_h=w_h, b=b)
    return as_params(cell, w_x=w_x, w_h=w_h, b=b, b_n=read("bias_n", (H,)) if biased else zeros(w_x, H))


def to_equinox(cell: Cell, params: PyTree, *, bias: bool = True) -> dict[str, Any]:
    """Return the arrays of an ``equinox.nn.GRUCell`` or ``LSTMCell`` by name: the inverse of `from_equinox`.

    ``eqx.tree_at(lambda m: [getattr(m, name) for name in arrays], module, list(arrays.values()))`` puts them in place.

    Args:
      cell: `GRU` with reset_after, or `LSTM`.
      params: its parameters, or a dict of their fields.
      bias: False for a module made with ``use_bias=False``; our biases must be zero then.

    Returns:
      weight_ih, weight_hh and, unless ``bias=False``, bias and a GRU's bias_n.

    Raises:
      ValueError: for parameters that do not fit the cell, or biases with nowhere to go.
      TypeError: for a cell that equinox does not have.

    >>> import jax
    >>> cell = GRU(4)
    >>> {name: array.shape for name, array in to_equinox(cell, cell.init(jax.random.key(0), in_features=3)).items()}
    {'weight_ih': (12, 3), 'weight_hh': (12, 4), 'bias': (12,), 'bias_n': (4,)}
    """
    _check("to_equinox", cell)
    check_flag("bias", bias, owner="to_equinox")
    params = our_params("to_equinox", cell, params)
    biases = {"bias": params.b} | ({"bias_n": params.b_n} if isinstance(cell, GRU) else {})
    if not bias:
        for name, array in biases.items():
            check_zero("to_equinox", f"params.{name.replace('bias', 'b')}", array, "make the module with use_bias=True")
    return {"weight_ih": params.w_x.T, "weight_hh": params.w_h.T} | (biases if bias else {})


def _check(owner, cell):
    check_counterpart(owner, cell, "equinox")
    if isinstance(cell, Elman) or (isinstance(cell, GRU) and not cell.reset_after):
        raise TypeError(
            f"{owner}: equinox has no cell like {cell!r}: it has LSTM(hidden) and GRU(hidden, reset_after=True)"
        )
