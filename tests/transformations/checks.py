"""One check a transformation, for whatever is a function of an image and a kernel, or of inputs and parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from tests.transformations.conv_cases import expected, weighted


def check(case, y, slope, tolerance=2e-4):
    want, growth = expected(case)
    scale = np.abs(want).max()
    np.testing.assert_allclose(np.asarray(y, np.float64) / scale, want / scale, atol=tolerance)
    np.testing.assert_allclose(float(slope) / scale, growth / scale, atol=20 * tolerance, rtol=10 * tolerance)


def along(gradient, arrays):
    """How fast a sum grows along its arguments, by its gradient."""
    return sum(
        (np.asarray(g, np.float64) * np.asarray(a, np.float64)).sum() for g, a in zip(gradient, arrays, strict=True)
    )


def by_gradient(case, run, dtype=np.float32, tolerance=2e-4):
    """Check a case where ``run`` transforms (x, kernel) -> (y, gradients)."""
    x, kernel, weights = case.arrays()
    x, kernel = jnp.asarray(x, dtype), jnp.asarray(kernel, dtype)

    def value_and_gradient(x, kernel):
        return case.call(x, kernel), jax.grad(weighted(case, weights), (0, 1))(x, kernel)

    y, gradient = run(value_and_gradient)(x, kernel)
    assert y.dtype == gradient[0].dtype == gradient[1].dtype == x.dtype
    check(case, y, along(gradient, (x, kernel)), tolerance)


def jvp(case):
    x, kernel, weights = case.arrays()
    y = jax.jit(case.call)(x, kernel)
    check(case, y, jax.jit(lambda *a: jax.jvp(weighted(case, weights), a, a)[1])(x, kernel))


def twice(case):
    """Forward over reverse mode: what the gradient grows by is the same in both orders."""
    x, kernel, weights = map(jnp.asarray, case.arrays())
    total = weighted(case, weights)
    point = (x, kernel)

    def growth(x, kernel):
        return jax.jvp(lambda *a: jnp.square(total(*a)), (x, kernel), point)[1]

    one = jax.jit(lambda *a: jax.jvp(jax.grad(lambda *a: jnp.square(total(*a)), (0, 1)), a, point)[1])(*point)
    other = jax.jit(jax.grad(growth, (0, 1)))(*point)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3 * float(jnp.abs(b).max() + 1))


def vmap(case):
    x, kernel, weights = map(jnp.asarray, case.arrays())
    scales = jnp.arange(1, 17) / 8
    gradient = jax.jit(jax.value_and_grad(weighted(case, weights), (0, 1)))
    each = [(s, s * x if a == 0 else x, s * kernel if b == 0 else kernel) for a, b, s in ((0, 0, 2.0), (0, None, 0.5))]
    for (a, b), (s, own_x, own_kernel) in zip(((0, 0), (0, None)), each, strict=True):
        xs = jax.vmap(lambda s: s * x)(scales)
        kernels = kernel if b is None else jax.vmap(lambda s: s * kernel)(scales)
        members = jax.jit(jax.vmap(gradient, (a, b)))(xs, kernels)
        member = jax.tree.map(lambda leaf, s=s: leaf[int(8 * s) - 1], members)
        for got, want in zip(jax.tree.leaves(member), jax.tree.leaves(gradient(own_x, own_kernel)), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3 * float(jnp.abs(want).max()))


def scan(case):
    def looped(function):
        def run(x, kernel):
            _, results = jax.lax.scan(lambda c, _: (c, function(x, kernel)), 0, None, length=2)
            return jax.tree.map(lambda a: a[1], results)

        return jax.jit(run)

    by_gradient(case, looped)


def through_scan(case):
    """The gradient of a loop, whose steps are computed again."""
    x, kernel, weights = case.arrays()
    step = jax.checkpoint(weighted(case, weights))
    total = jax.jit(
        jax.grad(lambda x, k: jax.lax.scan(lambda c, s: (c + s * step(x, k), None), 0.0, jnp.ones(2))[0], (0, 1))
    )
    check(case, jax.jit(case.call)(x, kernel), along(total(x, kernel), (x, kernel)) / 2)


def exported(case):
    pytest.importorskip("flatbuffers", reason="jax.export serializes with it")
    x, kernel, weights = case.arrays()
    rows = export.symbolic_shape("b")
    shapes = (jax.ShapeDtypeStruct((*rows, *x.shape[1:]), x.dtype), jax.ShapeDtypeStruct(kernel.shape, kernel.dtype))
    stored = export.export(jax.jit(case.call), platforms=("cpu", "cuda", "tpu"))(*shapes).serialize(vjp_order=1)
    call = export.deserialize(stored).call
    slope = along(jax.grad(lambda *a: (call(*a) * weights).sum(), (0, 1))(x, kernel), (x, kernel))
    check(case, call(x, kernel), slope)


def debugged(case, setting):
    """Step by step forwards, and the gradient as one program."""
    with setting:
        case.call(*map(jnp.asarray, case.arrays()[:2]))
        by_gradient(case, jax.jit)


def step_by_step(case):
    with jax.disable_jit():
        by_gradient(case, lambda function: function)


def in_double(case):
    with jax.enable_x64(True):
        by_gradient(case, jax.jit, np.float64, 1e-6)


def strictly(case):
    x, kernel, weights = case.arrays()
    gradient = jax.grad(weighted(case, weights), (0, 1))
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        for dtype in (jnp.float32, jnp.bfloat16):
            jax.eval_shape(gradient, *(jax.ShapeDtypeStruct(a.shape, dtype) for a in (x, kernel)))


CHECKS = {
    "jit, grad": lambda case: by_gradient(case, jax.jit),
    "jvp": jvp,
    "grad of jvp, jvp of grad": twice,
    "vmap": vmap,
    "scan": scan,
    "checkpoint, remat": through_scan,
    "export, serialize": exported,
    "x64": in_double,
    "bfloat16": lambda case: by_gradient(case, jax.jit, jnp.bfloat16, 4e-2),
    "float16": lambda case: by_gradient(case, jax.jit, jnp.float16, 1e-2),
    "strict promotion": strictly,
    "disable_jit": step_by_step,
    "debug_nans": lambda case: debugged(case, jax.debug_nans(True)),
    "debug_infs": lambda case: debugged(case, jax.debug_infs(True)),
}
