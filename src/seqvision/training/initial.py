"""First parameters: a function of a key whose random bits the host draws, so that little is left to compile.

Each draw of another shape is a copy of the generator in the program, most of what there is to compile.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, jaxpr_as_fun

from seqvision._compilation import Program, line_by_line, signature

from . import threefry
from .threefry import is_threefry

_MOST = 2**21  # bits that the host draws; more are drawn inside


class Initial:
    """A pure function (key, x) -> pytree of arrays, as a program that runs once; the values are those of the function.

    Args:
      function: what draws; of x only shapes and dtypes matter.
    """

    def __init__(self, function: Callable[[Any, Any], Any]):
        self._function = function
        self._traced: dict[Any, _Traced] = {}
        self._whole = Program(function, once=True)

    def shapes(self, key: Any, x: Any) -> Any:
        """Return the shapes and dtypes of the results."""
        return self._trace(key, x).results

    def __call__(self, key: Any, x: Any) -> Any:
        """Return the results."""
        if line_by_line():
            return self._function(key, x)
        traced = self._trace(key, x)
        config: Any = jax.config  # its flags are unknown to type checkers
        checked = config.jax_enable_checks  # they would ask for names of the arguments of single lines
        if not is_threefry(key) or traced.size > _MOST or checked:
            return self._whole.compile(key, x)(key, x)
        drawn = traced.draw(np.asarray(jax.random.key_data(key)))
        return traced.program.compile(drawn, key, x)(drawn, key, x)

    def _trace(self, key: Any, x: Any) -> "_Traced":
        arguments = signature((key, x))
        if arguments not in self._traced:
            self._traced[arguments] = _Traced(self._function, key, x)
        return self._traced[arguments]


class _Traced:
    def __init__(self, function: Callable, key: Any, x: Any):
        self._lines, self.results = jax.make_jaxpr(function, return_shape=True)(key, x)
        sizes: list[int] = []
        self._host(np.zeros(2, np.uint32), lambda key, shape: sizes.append(math.prod(shape)))
        self.size = sum(sizes)
        self.program = Program(self._rest, once=True)

    def draw(self, key: np.ndarray) -> list[np.ndarray]:
        """Return all that is drawn with a key (2,), and the keys among the results."""
        drawn: list[np.ndarray] = []
        keys = self._host(key, lambda key, shape: drawn.append(threefry.bits(key, math.prod(shape)).reshape(shape)))
        return drawn + [key for key in keys if key is not None]

    def _host(self, key: np.ndarray, take: Callable) -> list[Any]:
        known = [key] + [None] * (len(self._lines.jaxpr.invars) - 1)
        return _walk(self._lines, known, None, take)[0]

    def _rest(self, drawn: list[Any], key: Any, x: Any) -> Any:
        """Compute what is left when everything is drawn."""
        left = iter(drawn)
        known = [np.zeros(2, np.uint32)] + [None] * (len(self._lines.jaxpr.invars) - 1)
        keys, values = _walk(self._lines, known, [key, *jax.tree.leaves(x)], lambda key, shape: next(left))
        for place, (one, shape) in enumerate(zip(keys, self._lines.out_avals, strict=True)):
            if one is not None:
                typed = jax.dtypes.issubdtype(shape.dtype, jax.dtypes.prng_key)
                data = next(left)
                values[place] = jax.random.wrap_key_data(data, impl="threefry2x32") if typed else data
        return jax.tree.unflatten(jax.tree.structure(self.results), values)


def _walk(
    lines: ClosedJaxpr, known: list[Any], values: list[Any] | None, take: Callable[[np.ndarray, tuple[int, ...]], Any]
) -> tuple[list[Any], list[Any]]:
    """Go through the lines of a function.

    Args:
      lines: of the function.
      known: the words (2, ...) of each argument that is a key, else None.
      values: its arguments; None computes nothing but keys.
      take: (key (2,), shape) -> random bits, called in the order in which they are drawn.

    Returns:
      (keys, values) of its results.
    """
    keys = {var: key for var, key in zip(lines.jaxpr.invars, known, strict=True) if key is not None}
    env = dict(zip(lines.jaxpr.constvars, lines.consts, strict=True))
    if values is not None:
        env |= zip(lines.jaxpr.invars, values, strict=True)

    def read(var: Any) -> Any:
        return var.val if isinstance(var, Literal) else env[var]

    for line in _needed(lines.jaxpr):
        name, first = line.primitive.name, _key_of(keys, line.invars[:1])
        if name == "random_bits" and first is not None and first.ndim == 1 and line.params["bit_width"] == 32:
            env[line.outvars[0]] = take(first, line.params["shape"])
            continue
        if name in ("jit", "pjit") and any(_key_of(keys, [var]) is not None for var in line.invars):
            inner = [_key_of(keys, [var]) for var in line.invars]
            inputs = None if values is None else [read(var) for var in line.invars]
            found, results = _walk(line.params["jaxpr"], inner, inputs, take)
        else:
            found, results = [_on_host(line, first)], []
            if values is not None:
                inputs = list(dict.fromkeys(var for var in line.invars if not isinstance(var, Literal)))
                alone = lines.jaxpr.replace(constvars=[], invars=inputs, outvars=line.outvars, eqns=[line])
                results = jaxpr_as_fun(ClosedJaxpr(alone, []))(*map(read, inputs))
        keys |= {var: key for var, key in zip(line.outvars, found, strict=False) if key is not None}
        env |= zip(line.outvars, results, strict=False)
    outputs = [] if values is None else [read(var) for var in lines.jaxpr.outvars]
    return [_key_of(keys, [var]) for var in lines.jaxpr.outvars], outputs


def _on_host(line: Any, key: np.ndarray | None) -> np.ndarray | None:
    """Return the key that a line makes of a key (2, ...); None for what is no key, or is not known how to make."""
    name, params = line.primitive.name, line.params
    if key is None:
        return None
    if name in ("random_wrap", "random_unwrap") and key.ndim == 1:
        return key
    if name == "random_fold_in" and isinstance(line.invars[1], Literal) and key.ndim == 1:
        return threefry.fold_in(key, np.uint32(line.invars[1].val))
    if name == "random_split" and key.ndim == 1 and len(params["shape"]) == 1:
        return threefry.fold_in(key[:, None], np.arange(*params["shape"], dtype=np.uint32))
    typed = jax.dtypes.issubdtype(line.invars[0].aval.dtype, jax.dtypes.prng_key)
    if name == "slice" and typed and params["strides"] in (None, (1,)):
        return key[:, params["start_indices"][0] : params["limit_indices"][0]]
    return key[:, 0] if name == "squeeze" and typed and key.shape[1:] == (1,) else None


def _key_of(keys: dict[Any, np.ndarray], variables: list[Any]) -> np.ndarray | None:
    return next((keys.get(var) for var in variables if not isinstance(var, Literal)), None)


def _needed(lines: Jaxpr) -> Iterator[Any]:
    """Return the lines on which results depend: not the outputs of a model that is only initialized."""
    wanted, kept = {var for var in lines.outvars if not isinstance(var, Literal)}, []
    for line in reversed(lines.eqns):
        if wanted & set(line.outvars):
            wanted |= {var for var in line.invars if not isinstance(var, Literal)}
            kept.append(line)
    return reversed(kept)
