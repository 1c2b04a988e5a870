"""Convolutions that XLA compiles badly for CPUs, written as ones that it compiles well.

JAX turns a convolution into XLA's operation of that name. For CPUs, XLA runs three kinds of them
many times slower than the arithmetic needs, and they are in every network with transposed
convolutions: ``rewritten`` says which, and what takes their place. The rest goes to XLA as
ever, and so does everything on other platforms.

What is replaced is how JAX *lowers* its convolution for platform "cpu". Layers, gradients, ``vmap``
and compiled programs are above that, and see nothing of it. The rule to fall back on is not public
in JAX: where it is not found, or a rewriting fails, convolutions stay as XLA has them.
"""

from __future__ import annotations

import itertools
import math
import os

import jax
import jax.numpy as jnp
from jax import lax
from jax.interpreters import mlir

from zoo.errors import unknown
from zoo.messages import say

VARIABLE = "ZOO_JAX_CONVOLUTIONS"
"""``zoo``, the default, or ``xla``, which leaves all convolutions to XLA; read at each compilation."""

PARAMETERS = {
    "batch_group_count",
    "dimension_numbers",
    "feature_group_count",
    "lhs_dilation",
    "out_sharding",
    "padding",
    "precision",
    "preferred_element_type",
    "rhs_dilation",
    "window_strides",
}
"""Those of JAX's convolution that are known here."""

_told: set[str] = set()


def install() -> None:
    """Have JAX lower convolutions for CPUs as this module says.

    Raises:
        ZooError: the variable has neither of its values.
    """
    _wanted()
    try:
        convolution = lax.conv_general_dilated_p
        entry = mlir._platform_specific_lowerings["cpu"][convolution]
        mlir.register_lowering(convolution, _rule(getattr(entry, "rule", entry)), platform="cpu")
    except Exception as error:
        _tell_once(error)


def rewritten(x, kernel, out, parameters):
    """What takes the place of a convolution, from its operands' and result's shapes.

    Args:
        x: the left operand, whatever has a shape and a dtype.
        kernel: the right operand.
        out: the result.
        parameters: of JAX's convolution.

    Returns:
        A function of both operands; None where XLA's own is left.
    """
    p = parameters
    if (
        p["feature_group_count"] != 1
        or p["batch_group_count"] != 1
        or p["out_sharding"] is not None
        or not jnp.issubdtype(x.dtype, jnp.floating)
        or x.dtype != kernel.dtype
    ):
        return None
    numbers = p["dimension_numbers"]
    sides = [_sides(a.shape, spec) for a, spec in zip((x, kernel, out), numbers, strict=True)]
    if not sides[0] or not all(isinstance(n, int) and n for side in sides for n in side):
        return None  # no spatial dimension, an empty one, or one that is known later
    if math.prod(sides[1]) > math.prod(sides[0]):
        return lambda x, kernel: swapped(x, kernel, sides, p)
    transposed = max(p["lhs_dilation"]) > 1
    if transposed and max(p["window_strides"]) == 1 == max(p["rhs_dilation"]):
        return lambda x, kernel: overlapped(x, kernel, sides, p)
    return None


def swapped(x, kernel, sides, parameters):
    """The convolution with its operands exchanged, for kernels larger than the input.

    Such is the kernel gradient of a transposed convolution. XLA exchanges the operands itself, and
    reverses the kernel by an option of its convolution which for CPUs is a naive loop. Here the
    result is reversed instead.
    """
    p = parameters
    x_spec, kernel_spec, out_spec = p["dimension_numbers"]
    padding, edges = [], [(0, 0, 0)] * kernel.ndim
    for axis, a, k, o, stride, (low, _), x_dilation, kernel_dilation in zip(
        kernel_spec[2:],
        *sides,
        p["window_strides"],
        p["padding"],
        p["lhs_dilation"],
        p["rhs_dilation"],
        strict=True,
    ):
        before = (o - 1) * stride - low
        after = (o - 1) * stride + (a - 1) * x_dilation - (k - 1) * kernel_dilation - before
        # cropped here: for CPUs XLA computes garbage from some negative padding
        edges[axis] = (min(before, 0), min(after, 0), kernel_dilation - 1)
        padding.append((max(before, 0), max(after, 0)))
    y = lax.conv_general_dilated(
        lax.pad(kernel, jnp.zeros((), kernel.dtype), edges),
        x,
        p["window_strides"],
        padding,
        rhs_dilation=p["lhs_dilation"],
        dimension_numbers=lax.ConvDimensionNumbers(
            kernel_spec, x_spec, (out_spec[1], out_spec[0], *out_spec[2:])
        ),
        precision=p["precision"],
        preferred_element_type=p["preferred_element_type"],
    )
    return lax.rev(y, out_spec[2:])


def overlapped(x, kernel, sides, parameters):
    """A transposed convolution as one matrix product, whose overlapping blocks are summed.

    Each place of the input gives a block of the kernel's size to the output, a stride apart. Cut
    into blocks of the stride's size, the kernel gives as many blocks to a place as overlap.
    """
    p = parameters
    x_spec, kernel_spec, out_spec = p["dimension_numbers"]
    strides, n = p["lhs_dilation"], len(p["lhs_dilation"])
    inputs, kernels, outputs = sides
    spatial = range(n)
    blocks = [-(-k // s) for k, s in zip(kernels, strides, strict=True)]
    wide = jnp.promote_types(x.dtype, jnp.float32)  # sums are rounded once, as XLA's are

    # (n, spatial, features) and, from the first place to the last, (features, spatial, outputs)
    x = x.transpose((x_spec[0], *x_spec[2:], x_spec[1])).astype(wide)
    kernel = lax.rev(kernel, kernel_spec[2:])
    kernel = kernel.transpose((kernel_spec[1], *kernel_spec[2:], kernel_spec[0])).astype(wide)
    filled = [(0, b * s - k) for b, s, k in zip(blocks, strides, kernels, strict=True)]
    kernel = jnp.pad(kernel, [(0, 0), *filled, (0, 0)])
    features, filters = kernel.shape[0], kernel.shape[-1]
    kernel = kernel.reshape(features, *_alternating(blocks, strides), filters)
    first = [1 + 2 * i for i in spatial]
    kernel = kernel.transpose((0, *first, *(i + 1 for i in first), 2 * n + 1))

    # (n, spatial, blocks, places of a block, outputs)
    product = lax.dot_general(x, kernel, (((n + 1,), (0,)), ((), ())), precision=p["precision"])
    y = 0
    for block in itertools.product(*map(range, blocks)):
        part = product[(slice(None),) * (n + 1) + block]
        shifts = [(i, b - 1 - i) for i, b in zip(block, blocks, strict=True)]
        y += jnp.pad(part, [(0, 0), *shifts] + [(0, 0)] * (n + 1))
    y = y.transpose(
        (0, *_alternating([1 + i for i in spatial], [1 + n + i for i in spatial]), 2 * n + 1)
    )
    full = [(i + b - 1) * s for i, b, s in zip(inputs, blocks, strides, strict=True)]
    y = y.reshape(y.shape[0], *full, filters)

    edges = []
    for k, (low, _), size, f in zip(kernels, p["padding"], outputs, full, strict=True):
        before = low - (k - 1)
        edges.append((before, size - f - before, 0))
    y = lax.pad(y, jnp.zeros((), wide), [(0, 0, 0), *edges, (0, 0, 0)])
    order = (out_spec[0], *out_spec[2:], out_spec[1])
    y = y.transpose([order.index(i) for i in range(n + 2)])
    return y.astype(p["preferred_element_type"] or x.dtype)


def _rule(original):
    """JAX's rule for CPUs, but for what is rewritten."""

    def lower(ctx, x, kernel, **parameters):
        if _wanted() == "zoo":
            try:
                function = _function(ctx, parameters)
                if function is not None:
                    return mlir.lower_fun(function, multiple_results=False)(ctx, x, kernel)
            except Exception as error:  # of a JAX that is no longer as this module knows it
                _tell_once(error)
        return original(ctx, x, kernel, **parameters)

    return lower


def _function(ctx, parameters):
    strange = set(parameters) ^ PARAMETERS
    if strange:
        raise TypeError(f"convolutions have other parameters: {', '.join(sorted(strange))}")
    return rewritten(*ctx.avals_in, *ctx.avals_out, parameters)


def _wanted() -> str:
    value = os.environ.get(VARIABLE) or "zoo"
    if value not in ("zoo", "xla"):
        raise unknown("value", value, ("zoo", "xla"), where=VARIABLE)
    return value


def _tell_once(error: Exception) -> None:
    if not _told:
        say(
            f"JAX {jax.__version__} is not as the zoo knows it ({type(error).__name__}: {error}): "
            "its convolutions stay as they are, which on a CPU may be slow"
        )
    _told.add(str(error))


def _sides(shape, spec):
    return tuple(shape[i] for i in spec[2:])


def _alternating(a, b):
    return [i for pair in zip(a, b, strict=True) for i in pair]
