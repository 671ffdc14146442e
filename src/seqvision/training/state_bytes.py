"""TrainState through flax.serialization: its key as plain numbers beside the name of its generator."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization

from seqvision._checks import did_you_mean, shown

from .state import TrainState


def register_state_bytes() -> None:
    """Let ``flax.serialization.to_bytes`` and ``from_bytes`` take a `TrainState`; they have no word for typed keys.

    >>> import flax.linen as nn, optax
    >>> from seqvision.training import create_state
    >>> state = create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(3), np.ones((1, 3), np.float32))
    >>> other = create_state(nn.Dense(2), optax.sgd(0.1), jax.random.key(4), np.ones((1, 3), np.float32))
    >>> back = serialization.from_bytes(other, serialization.to_bytes(state))
    >>> bool(back.key == state.key), bool((back.params["kernel"] == state.params["kernel"]).all())
    (True, True)
    """
    serialization.register_serialization_state(TrainState, _to_plain, _from_plain, override=True)


def _parts(state: TrainState) -> dict[str, Any]:
    fields = (field for field in dataclasses.fields(state) if field.metadata.get("pytree_node", True))
    return {field.name: getattr(state, field.name) for field in fields if field.name != "key"}


def _to_plain(state: TrainState) -> dict[str, Any]:
    plain = {name: serialization.to_state_dict(part) for name, part in _parts(state).items()}
    return {**plain, "key": _key_to_plain(state.key)}


def _from_plain(state: TrainState, plain: Any) -> TrainState:
    parts = _parts(state)
    wanted = {*parts, "key"}
    if not isinstance(plain, dict):
        raise ValueError(f"a TrainState is restored from a dict of {', '.join(sorted(wanted))}, got {shown(plain, 80)}")
    if plain.keys() != wanted:
        missing, unknown = sorted(wanted - plain.keys()), sorted(map(str, plain.keys() - wanted))
        what = f"lacks {missing[0]}" if missing else f"has {unknown[0]!r}{did_you_mean(unknown[0], wanted)}"
        raise ValueError(f"what a TrainState is restored from {what}")
    new = {name: serialization.from_state_dict(part, plain[name], name=name) for name, part in parts.items()}
    return state.replace(**new, key=_key_from_plain(state.key, plain["key"]))


def _key_to_plain(key: Any) -> Any:
    """Return a typed key, or the keys of several seeds, as numbers; a key of the old kind is numbers already."""
    if not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        return serialization.to_state_dict(key)
    return {"impl": str(jax.random.key_impl(key)), "data": np.asarray(jax.random.key_data(key))}


def _key_from_plain(key: Any, plain: Any) -> Any:
    if not jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        return serialization.from_state_dict(key, plain)
    impl = str(jax.random.key_impl(key))
    if not isinstance(plain, dict) or plain.get("impl") != impl:
        saved = plain.get("impl") if isinstance(plain, dict) else shown(plain, 80)
        raise ValueError(f"key is one of {saved!r}, but the state's is of {impl!r}: restore into a state of such a key")
    data = np.asarray(plain["data"])
    wanted = jax.eval_shape(jax.random.key_data, key)
    if (data.shape, data.dtype) != (wanted.shape, wanted.dtype):
        raise ValueError(f"key is {data.dtype}{data.shape}, expected {wanted.dtype}{wanted.shape}")
    return jax.random.wrap_key_data(jnp.asarray(data), impl=impl)
