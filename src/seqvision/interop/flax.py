"""Parameters of the recurrent cells of flax.linen and flax.nnx."""

from collections.abc import Mapping
from typing import Any, Literal

from seqvision.cells import GRU, LSTM, Cell, PyTree

from ._weights import Reader, as_params, check_counterpart, check_zero, given, join, our_params, sizes, split, zeros

HINT = "pass the dict of the cell itself, which is variables['params']['cell'] under nn.RNN"
NNX_HINT = "pass the state of the cell itself, which is nnx.state(rnn)['cell'] under nnx.RNN"
LETTERS = {GRU: "rzn", LSTM: "ifgo"}


def from_flax(cell: Cell, params: Mapping[str, Any]) -> Any:
    """Return a cell's parameters from those of flax.linen's SimpleCell, GRUCell, LSTMCell or OptimizedLSTMCell.

    flax keeps one kernel for each gate; its GRUCell is the form with the reset after the product. Its MGUCell, too,
    gates after the product, so that it is another function than `seqvision.cells.MGU`, which is the paper's.

    Args:
      cell: `Elman` with the cell's activation (and ``residual=False``), `GRU` with reset_after, or `LSTM`.
      params: names -> {"kernel", "bias"}: ii, if, ig, io, hi, hf, hg, ho; ir, iz, in, hr, hz, hn; or i, h.

    Returns:
      The parameters, in the dtype of the arrays.

    Raises:
      ValueError: for a missing name or a shape that does not fit the cell.
      TypeError: for a cell that flax does not have.

    >>> import numpy as np
    >>> inputs = {f"i{gate}": {"kernel": np.ones((3, 4))} for gate in "ifgo"}
    >>> states = {f"h{gate}": {"kernel": np.ones((4, 4)), "bias": np.ones(4)} for gate in "ifgo"}
    >>> from_flax(LSTM(4), inputs | states).w_x.shape
    (3, 16)
    """
    _check("from_flax", cell)
    params = given("from_flax", params, "", HINT)
    read = Reader("from_flax", cell, _flat(params), HINT)
    H, gates = sizes(cell)[0], LETTERS.get(type(cell), ("",))
    w_x = join([read(f"i{gate}.kernel", (None, H)) for gate in gates])
    w_h = join([read(f"h{gate}.kernel", (H, H)) for gate in gates])
    side = "h" if isinstance(cell, LSTM) else "i"  # where flax keeps the bias
    b = join([read(f"{side}{gate}.bias", (H,)) for gate in gates])
    return as_params(cell, w_x=w_x, w_h=w_h, b=b, **({"b_n": read("hn.bias", (H,))} if isinstance(cell, GRU) else {}))


def to_flax(cell: Cell, params: PyTree) -> dict[str, dict[str, Any]]:
    """Return the parameters of flax.linen's SimpleCell, GRUCell, LSTMCell or OptimizedLSTMCell.

    The inverse of `from_flax`; under ``nn.RNN`` the variables are ``{"params": {"cell": to_flax(cell, params)}}``.

    Args:
      cell: `Elman`, `GRU` with reset_after, or `LSTM`.
      params: its parameters, or a dict of their fields.

    Returns:
      Names -> {"kernel", "bias"}.

    Raises:
      ValueError: for parameters that do not fit the cell.
      TypeError: for a cell that flax does not have.

    >>> import jax
    >>> cell = GRU(4)
    >>> tree = to_flax(cell, cell.init(jax.random.key(0), in_features=3))
    >>> sorted(tree), sorted(tree["hn"]), tree["ir"]["kernel"].shape
    (['hn', 'hr', 'hz', 'in', 'ir', 'iz'], ['bias', 'kernel'], (3, 4))
    """
    _check("to_flax", cell)
    params = our_params("to_flax", cell, params)
    gates = LETTERS.get(type(cell), ("",))
    kernels = {"i": split(params.w_x, len(gates)), "h": split(params.w_h, len(gates))}
    tree = {f"{side}{g}": {"kernel": w} for side, ws in kernels.items() for g, w in zip(gates, ws, strict=True)}
    side = "h" if isinstance(cell, LSTM) else "i"
    for gate, b in zip(gates, split(params.b, len(gates)), strict=True):
        tree[f"{side}{gate}"]["bias"] = b
    if isinstance(cell, GRU):
        tree["hn"]["bias"] = params.b_n
    return tree


def from_nnx(cell: Cell, state: Mapping[str, Any] | Any) -> Any:
    """Return a cell's parameters from those of flax.nnx's SimpleCell, GRUCell, LSTMCell or OptimizedLSTMCell.

    nnx names are its own: dense_i and dense_h for all gates together, with one bias; LSTMCell has one layer for each
    gate, as linen has, with ``if_`` for ``if``. Its GRUCell has no recurrent bias: ``b_n`` is zero.

    Args:
      cell: `Elman` with the cell's activation (and ``residual=False``), `GRU` with reset_after, or `LSTM`.
      state: the cell's module, ``nnx.state(module)``, or a dict of arrays of the same names.

    Returns:
      The parameters, in the dtype of the arrays.

    Raises:
      ValueError: for a missing name or a shape that does not fit the cell.
      TypeError: for a cell that nnx does not have.

    >>> import numpy as np
    >>> state = {"dense_i": {"kernel": np.ones((3, 12)), "bias": np.ones(12)}, "dense_h": {"kernel": np.ones((4, 12))}}
    >>> from_nnx(GRU(4), state).b_n.tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    _check("from_nnx", cell)
    if any(kind.__module__.startswith("flax.nnx") and kind.__name__ == "Module" for kind in type(state).__mro__):
        from flax import nnx

        state = nnx.state(state)
    state = given("from_nnx", state, "", NNX_HINT)
    if isinstance(cell, LSTM) and "ii" in state:
        return from_flax(cell, {name.removesuffix("_"): part for name, part in state.items()})
    read = Reader("from_nnx", cell, _flat(state), NNX_HINT)
    H, _, width = sizes(cell)
    side = "h" if isinstance(cell, LSTM) else "i"
    w_x, w_h = read("dense_i.kernel", (None, width)), read("dense_h.kernel", (H, width))
    b = read(f"dense_{side}.bias", (width,))
    return as_params(cell, w_x=w_x, w_h=w_h, b=b, **({"b_n": zeros(b, H)} if isinstance(cell, GRU) else {}))


def to_nnx(
    cell: Cell, params: PyTree, *, module: Literal["OptimizedLSTMCell", "LSTMCell"] = "OptimizedLSTMCell"
) -> dict[str, dict[str, Any]]:
    """Return the parameters of a flax.nnx cell as a dict of arrays: the inverse of `from_nnx`.

    ``nnx.replace_by_pure_dict(state, to_nnx(cell, params))`` and ``nnx.update(module, state)`` put them in place.

    Args:
      cell: `Elman`, `GRU` with reset_after, or `LSTM`.
      params: its parameters, or a dict of their fields. A GRU's ``b_n`` must be zero, for nnx has no place for it.
      module: which of the two LSTM cells of nnx; without meaning for others.

    Returns:
      Names -> {"kernel", "bias"}.

    Raises:
      ValueError: for parameters that do not fit the cell, or a ``b_n`` that is not zero.
      TypeError: for a cell that nnx does not have.

    >>> import jax
    >>> cell = LSTM(4)
    >>> params = cell.init(jax.random.key(0), in_features=3)
    >>> sorted(to_nnx(cell, params)), sorted(to_nnx(cell, params, module="LSTMCell"))
    (['dense_h', 'dense_i'], ['hf', 'hg', 'hi', 'ho', 'if_', 'ig', 'ii', 'io'])
    """
    _check("to_nnx", cell)
    if module not in ("OptimizedLSTMCell", "LSTMCell"):
        raise ValueError(f"to_nnx: module must be OptimizedLSTMCell or LSTMCell, got {module!r}")
    params = our_params("to_nnx", cell, params)
    if isinstance(cell, GRU):
        check_zero("to_nnx", "params.b_n", params.b_n, "use flax.linen's GRUCell (to_flax)")
    if isinstance(cell, LSTM) and module == "LSTMCell":
        return {"if_" if name == "if" else name: part for name, part in to_flax(cell, params).items()}
    tree = {"dense_i": {"kernel": params.w_x}, "dense_h": {"kernel": params.w_h}}
    tree["dense_h" if isinstance(cell, LSTM) else "dense_i"]["bias"] = params.b
    return tree


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """{"ii": {"kernel": a}} -> {"ii.kernel": a}, with the values of nnx's variables."""
    flat: dict[str, Any] = {}
    for name, part in tree.items():
        values = {f"{name}.{key}": value for key, value in part.items()} if isinstance(part, Mapping) else {name: part}
        flat |= {key: value[...] if hasattr(value, "get_metadata") else value for key, value in values.items()}
    return flat


def _check(owner, cell):
    check_counterpart(owner, cell, "flax")
    if isinstance(cell, GRU) and not cell.reset_after:
        raise TypeError(f"{owner}: flax has no cell like {cell!r}: its GRUCell is GRU(hidden, reset_after=True)")
