"""Convolutions that XLA compiles badly for CPUs, written as ones that it compiles well.

JAX turns a convolution into XLA's operation of that name. For CPUs, XLA runs three kinds of them
many times slower than the arithmetic needs, and they are in every network with transposed
convolutions: ``rewritten`` says which, and what takes their place. The others keep their
arithmetic, with the axes in the one order that XLA has fast code for (``in_order``). Other
platforms get what they got.

What is replaced is how JAX *lowers* its convolution for platform "cpu". Layers, gradients, ``vmap``
and compiled programs are above that, and see nothing of it. The rule to fall back on is not public
in JAX: where a rewriting fails, that convolution stays as XLA has it.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.interpreters import mlir

from zoo.runtime.console import say

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

LARGE = 32 * 2**20
"""Bytes above which glibc's malloc always asks the kernel for memory, which comes page by page."""

_told: set[str] = set()
_before: list[Any] = []  # JAX's entry for convolutions, while another is in its place


def install() -> None:
    """Have JAX lower convolutions for CPUs as this module says, in all of the process."""
    if _before:
        return
    convolution = lax.conv_general_dilated_p
    entry = mlir._platform_specific_lowerings["cpu"][convolution]
    mlir.register_lowering(convolution, _rule(getattr(entry, "rule", entry)), platform="cpu")
    _before.append(entry)


def undo() -> None:
    """Give JAX back its own rule; what it compiled with the other is compiled anew."""
    if _before:
        mlir._platform_specific_lowerings["cpu"][lax.conv_general_dilated_p] = _before.pop()
        jax.clear_caches()


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
        or p.get("out_sharding") is not None  # older JAX has none
        or not jnp.issubdtype(x.dtype, jnp.floating)
        or x.dtype != kernel.dtype
    ):
        return None
    numbers = p["dimension_numbers"]
    sides = [_sides(a.shape, spec) for a, spec in zip((x, kernel, out), numbers, strict=True)]
    batch, filters = out.shape[numbers.out_spec[0]], out.shape[numbers.out_spec[1]]
    if not all(isinstance(n, int) and n for n in (batch, *itertools.chain(*sides))):
        return None  # empty, or known later
    dimensions = len(sides[0])
    if math.prod(sides[1]) > math.prod(sides[0]) and dimensions < 3:
        return lambda x, kernel: swapped(x, kernel, sides, p)
    strides = p["lhs_dilation"]
    if max(strides, default=1) > 1 and max(p["window_strides"]) == 1 == max(p["rhs_dilation"]):
        blocks = batch * math.prod(sides[0]) * math.prod(sides[1]) * filters * x.dtype.itemsize
        if filters > 1 and blocks > LARGE:
            return lambda x, kernel: in_blocks(x, kernel, sides, p, _convolved)
        if filters == 1 or dimensions > 2:
            return lambda x, kernel: in_blocks(x, kernel, sides, p, _summed)
    return None if numbers == _order(dimensions) else lambda x, kernel: in_order(x, kernel, p)


def in_order(x, kernel, parameters):
    """The convolution with the axes of its operands and result in the order of ``_order``.

    XLA has fast code for this order alone. It brings other convolutions into it by itself, but not
    those within a loop, where the gradient of a kernel so took ten times as long.
    """
    p = parameters
    order = _order(x.ndim - 2)
    y = lax.conv_general_dilated(
        _moved(x, p["dimension_numbers"].lhs_spec, order.lhs_spec),
        _moved(kernel, p["dimension_numbers"].rhs_spec, order.rhs_spec),
        p["window_strides"],
        p["padding"],
        lhs_dilation=p["lhs_dilation"],
        rhs_dilation=p["rhs_dilation"],
        dimension_numbers=order,
        precision=p["precision"],
        preferred_element_type=p["preferred_element_type"],
    )
    return _moved(y, order.out_spec, p["dimension_numbers"].out_spec)


def _order(dimensions: int) -> lax.ConvDimensionNumbers:
    """``(batch, *places, features)`` and ``(*places, features, filters)``."""
    places = range(1, dimensions + 1)
    last = (0, dimensions + 1, *places)
    return lax.ConvDimensionNumbers(last, (dimensions + 1, dimensions, *range(dimensions)), last)


def _moved(x, before, after):
    """An array whose axes are told by one part of dimension numbers, as the other tells them."""
    return x.transpose([before[after.index(axis)] for axis in range(x.ndim)])


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


def in_blocks(x, kernel, sides, parameters, combined):
    """A transposed convolution whose output is made in blocks of the stride's size.

    Each place of the input gives a kernel times its features to the output, a stride apart from
    the next. Cut into blocks of the stride's size, filled up with zeros, the kernel is an ordinary
    one of as many places as blocks overlap, with the places of a block for filters (Shi et al.
    2016, "Real-time single image and video super-resolution ...", its sub-pixel convolution).

    Args:
        x, kernel: the operands.
        sides: sizes of the spatial dimensions of both and of the result.
        parameters: of JAX's convolution.
        combined: ``_summed`` or ``_convolved``.
    """
    p = parameters
    x_spec, kernel_spec, out_spec = p["dimension_numbers"]
    strides, spatial = p["lhs_dilation"], range(len(p["lhs_dilation"]))
    inputs, kernels, outputs = sides
    blocks = [-(-k // s) for k, s in zip(kernels, strides, strict=True)]
    dtype = p["preferred_element_type"] or x.dtype
    wide = jnp.promote_types(x.dtype, jnp.float32)  # sums are rounded once, as XLA's are

    # (batch, *places, features) and (features, *blocks, *places of a block, filters)
    x = x.transpose((x_spec[0], *x_spec[2:], x_spec[1])).astype(wide)
    kernel = lax.rev(kernel, kernel_spec[2:])
    kernel = kernel.transpose((kernel_spec[1], *kernel_spec[2:], kernel_spec[0])).astype(wide)
    filled = [(0, b * s - k) for b, s, k in zip(blocks, strides, kernels, strict=True)]
    kernel = jnp.pad(kernel, [(0, 0), *filled, (0, 0)])
    features, filters = kernel.shape[0], kernel.shape[-1]
    kernel = kernel.reshape(features, *_alternating(blocks, strides), filters)
    kernel = kernel.transpose(
        (0, *(1 + 2 * i for i in spatial), *(2 + 2 * i for i in spatial), kernel.ndim - 1)
    )

    y = combined(x, kernel, blocks, p["precision"])  # (batch, *places, *places of a block, filters)
    n = len(blocks)
    places = [i + b - 1 for i, b in zip(inputs, blocks, strict=True)]
    y = y.transpose((0, *_alternating(range(1, n + 1), range(n + 1, 2 * n + 1)), 2 * n + 1))
    full = [a * s for a, s in zip(places, strides, strict=True)]
    y = y.reshape(y.shape[0], *full, filters)
    edges = []
    for k, (low, _), size, f in zip(kernels, p["padding"], outputs, full, strict=True):
        before = low - (k - 1)
        edges.append((before, size - f - before, 0))
    y = lax.pad(y, jnp.zeros((), wide), [(0, 0, 0), *edges, (0, 0, 0)])
    order = (out_spec[0], *out_spec[2:], out_spec[1])
    y = y.transpose([order.index(i) for i in range(n + 2)])
    return y.astype(dtype)


def _summed(x, kernel, blocks, precision):
    """All blocks by one matrix product; those that fall on one place are added."""
    n = len(blocks)
    product = lax.dot_general(x, kernel, (((n + 1,), (0,)), ((), ())), precision=precision)
    parts = []
    for block in itertools.product(*map(range, blocks)):
        part = product[(slice(None),) * (n + 1) + block]
        shifts = [(i, b - 1 - i) for i, b in zip(block, blocks, strict=True)]
        parts.append(jnp.pad(part, [(0, 0), *shifts] + [(0, 0)] * (n + 1)))
    return functools.reduce(operator.add, parts)


def _convolved(x, kernel, blocks, precision):
    """The same by an ordinary convolution, which keeps no block that is not summed yet."""
    n = len(blocks)
    features, block = kernel.shape[0], kernel.shape[n + 1 :]
    kernel = lax.rev(kernel, range(1, n + 1)).reshape(features, *blocks, -1)
    last = (0, n + 1, *range(1, n + 1))
    y = lax.conv_general_dilated(
        x,
        kernel,
        (1,) * n,
        [(b - 1, b - 1) for b in blocks],
        dimension_numbers=lax.ConvDimensionNumbers(last, (n + 1, 0, *range(1, n + 1)), last),
        precision=precision,
    )
    return y.reshape(*y.shape[:-1], *block)


def _rule(original):
    """JAX's rule for CPUs, but for what is rewritten."""

    def lower(ctx, x, kernel, **parameters):
        try:
            function = _function(ctx, parameters)
            if function is not None:
                return mlir.lower_fun(function, multiple_results=False)(ctx, x, kernel)
        except Exception as error:  # of a JAX that is no longer as this module knows it
            _tell_once(error)
        return original(ctx, x, kernel, **parameters)

    return lower


def _function(ctx, parameters):
    strange = set(parameters) - PARAMETERS
    if strange:
        raise TypeError(f"its convolutions have a parameter {', '.join(sorted(strange))}")
    (out,) = ctx.avals_out
    x, kernel = ctx.avals_in
    return rewritten(x, kernel, out, parameters)


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
