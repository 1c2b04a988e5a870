"""Convolutions on JAX's CPU backend: the same numbers as XLA's own, and no slow loop."""

import math
import time
from dataclasses import dataclass

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("about JAX's own convolutions", allow_module_level=True)

import jax
import jax.numpy as jnp
from jax import lax
from jax.interpreters import mlir

from zoo.engine import accelerate
from zoo.engine.accelerate import jax_convolutions as convolutions


@pytest.fixture(autouse=True)
def on_the_cpu():
    convolutions.install()
    with jax.default_device(jax.devices("cpu")[0]):
        yield
    accelerate.undo()
    convolutions.undo()


@pytest.fixture
def told(monkeypatch):
    """What is told a person, from the first time on."""
    lines = []
    monkeypatch.setattr(convolutions, "_told", set())
    monkeypatch.setattr(convolutions, "say", lines.append)
    return lines


@dataclass(frozen=True)
class Case:
    """A convolution: sizes of one side, the same in all dimensions."""

    side: int
    kernel: int
    strides: int = 1
    padding: str = "SAME"
    dimensions: int = 2
    dilation: int = 1
    groups: int = 1
    transposed: bool = False
    features: int = 4
    filters: int = 6
    large: bool = False

    def __str__(self):
        kind = "transposed" if self.transposed else "ordinary"
        rest = [
            f"{name}{getattr(self, name)}"
            for name in ("dilation", "groups", "filters", "large")
            if getattr(self, name) != Case.__dataclass_fields__[name].default
        ]
        sizes = f"{self.dimensions}d-{self.side}-k{self.kernel}-s{self.strides}-{self.padding}"
        return "-".join([kind, sizes, *rest])

    def __call__(self, x, kernel):
        letters = "HWD"[: self.dimensions]
        numbers = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
        strides = (self.strides,) * self.dimensions
        dilation = (self.dilation,) * self.dimensions
        options = {"rhs_dilation": dilation, "dimension_numbers": numbers}
        if self.transposed:  # as Keras calls it
            return lax.conv_transpose(
                x, kernel.swapaxes(-1, -2), strides, self.padding, transpose_kernel=True, **options
            )
        return lax.conv_general_dilated(
            x, kernel, strides, self.padding, feature_group_count=self.groups, **options
        )

    def operands(self, dtype="float32"):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(3, *[self.side] * self.dimensions, self.features))
        per_group = self.features // self.groups
        kernel = rng.normal(size=(*[self.kernel] * self.dimensions, per_group, self.filters))
        return x.astype(dtype), kernel.astype(dtype) / math.sqrt(kernel[..., 0].size)


CASES = [
    Case(7, 4, 2, transposed=True),  # of every decoder
    Case(7, 4, 2, transposed=True, filters=1),
    Case(7, 4, 2, transposed=True, large=True),
    Case(6, 5, 2, transposed=True),  # the stride does not divide the kernel
    Case(6, 5, 2, transposed=True, filters=1),
    Case(6, 5, 2, transposed=True, large=True),
    Case(5, 2, 3, "VALID", transposed=True, filters=1),  # gaps between the blocks
    Case(5, 2, 3, "VALID", transposed=True, large=True),
    Case(5, 3, 1, "VALID", transposed=True),
    Case(1, 4, 1, "VALID", transposed=True),  # a vector becomes a map
    Case(6, 3, 1, transposed=True, dilation=2),
    Case(9, 4, 2, transposed=True, dimensions=1),
    Case(9, 5, 3, transposed=True, dimensions=1, filters=1),
    Case(3, 4, 2, transposed=True, dimensions=3),
    Case(2, 3, 2, "VALID", transposed=True, dimensions=3, large=True),
    Case(8, 4, 2),
    Case(9, 3, 2),  # the stride does not divide the side
    Case(8, 3, 2, "VALID"),
    Case(7, 3, 1, dilation=2),
    Case(2, 5, 1),  # the kernel is larger than the input
    Case(8, 3, 2, groups=2),
    Case(8, 3, 1, groups=4, filters=4),
    Case(9, 4, 3, dimensions=1),
    Case(4, 3, 2, dimensions=3),
]


def results(case, x, kernel):
    """The result, its gradients, and those of a penalty on a gradient, as WGAN-GP has."""

    def total(x, kernel):
        return jnp.sum(jnp.tanh(case(x, kernel)))

    def penalty(x, kernel):
        return jnp.sum(jax.grad(total)(x, kernel) ** 2)

    return {
        "forward": case(x, kernel),
        "gradients": jax.grad(total, argnums=(0, 1))(x, kernel),
        "second-order gradients": jax.grad(penalty, argnums=(0, 1))(x, kernel),
    }


def use(whose):
    """Have convolutions be the ``"zoo"``'s or ``"xla"``'s."""
    {"zoo": convolutions.install, "xla": convolutions.undo}[whose]()


def by(whose, function, *args):
    """What a function gives, compiled anew, with convolutions that are the zoo's or XLA's."""
    use(whose)
    return jax.jit(lambda *args: function(*args))(*args)


def assert_same(ours, xlas, tolerance=1e-4):
    """No number differs by more than this share of the largest."""
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(xlas), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        a, b = np.asarray(a, "float32"), np.asarray(b, "float32")
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(np.abs(b).max(), 1e-6))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_numbers_are_those_of_xla(case, monkeypatch, told):
    if case.large:
        monkeypatch.setattr(convolutions, "LARGE", 0)
    run = (lambda *args: results(case, *args), *case.operands())
    assert_same(by("zoo", *run), by("xla", *run))
    assert not told


@pytest.mark.parametrize(
    "case, dtype",
    [(CASES[0], "bfloat16"), (CASES[1], "float16"), (CASES[2], "bfloat16")],
    ids=str,
)
def test_low_precision_keeps_its_dtype(case, dtype, monkeypatch, told):
    if case.large:
        monkeypatch.setattr(convolutions, "LARGE", 0)
    operands = [jnp.asarray(a, dtype) for a in case.operands()]
    run = (lambda *args: results(case, *args), *operands)
    assert_same(by("zoo", *run), by("xla", *run), tolerance=4 * float(jnp.finfo(dtype).eps))
    assert not told


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
def test_vectorized_over_either_operand_or_both(axes, told):
    case = CASES[0]
    operands = [
        a if axis is None else np.stack([a, 2 * a, -a])
        for a, axis in zip(case.operands(), axes, strict=True)
    ]
    vectorized = jax.vmap(lambda *args: results(case, *args), in_axes=axes)
    assert_same(by("zoo", vectorized, *operands), by("xla", vectorized, *operands))
    assert not told


def test_integers_and_complex_numbers_are_left_alone(told):
    for dtype in ("int32", "complex64"):
        x, kernel = (jnp.round(8 * a).astype(dtype) for a in CASES[0].operands())
        np.testing.assert_allclose(
            by("zoo", CASES[0], x, kernel),
            by("xla", CASES[0], x, kernel),
            rtol=1e-4,
            atol=1e-4,
        )
    assert not told


# --- what it is for


def kernel_gradient(x, kernel):
    """Of a transposed convolution's result, squared and summed: that which XLA is slow at."""
    return jax.grad(lambda k: jnp.sum(jnp.square(CASES[0](x, k))))(kernel)


def compiled(whose, function=kernel_gradient):
    use(whose)
    return jax.jit(lambda *args: function(*args)).lower(*CASES[0].operands()).compile().as_text()


NAIVE_LOOP = "rhs_reversal"  # what XLA's CPU backend has no fast convolution for


def test_the_kernel_gradient_of_a_transposed_convolution_is_no_naive_loop():
    assert NAIVE_LOOP not in compiled("zoo")


def test_xla_still_needs_the_repair_of_kernel_gradients():
    """Fails when a later JAX makes it superfluous: then measure, and take ``swapped`` out."""
    assert NAIVE_LOOP in compiled("xla")


def test_xla_still_needs_the_repair_in_three_dimensions():
    """Fails when a later JAX makes it superfluous: 5 times for what was 100 when measured."""
    case = Case(4, 4, 2, dimensions=3, transposed=True, features=16, filters=16)
    operands = case.operands()
    seconds = {}
    for whose in ("zoo", "xla"):
        use(whose)
        run = jax.jit(lambda *args: case(*args))
        run(*operands).block_until_ready()
        times = []
        for _ in range(3):
            began = time.perf_counter()
            run(*operands).block_until_ready()
            times.append(time.perf_counter() - began)
        seconds[whose] = min(times)
    assert seconds["xla"] > 5 * seconds["zoo"]


def in_a_loop(x, kernel):
    """Steps down the gradient of a kernel, in one program."""

    def step(i, kernel):
        return kernel - jax.grad(lambda k: jnp.sum(jnp.square(ORDINARY(x, k))))(kernel)

    return lax.fori_loop(0, 3, step, kernel)


ORDINARY = Case(8, 3, 2)
OUT_OF_ORDER = "dim_labels=f01b"  # as the gradient of a kernel has its axes


def test_convolutions_within_a_loop_have_their_axes_in_order():
    use("zoo")
    text = jax.jit(in_a_loop).lower(*ORDINARY.operands()).compile().as_text()
    assert "convolution(" in text
    assert OUT_OF_ORDER not in text


def test_xla_still_needs_the_repair_within_a_loop():
    """Fails when a later JAX makes it superfluous: then measure, and take ``in_order`` out."""
    use("xla")
    text = jax.jit(lambda *args: in_a_loop(*args)).lower(*ORDINARY.operands()).compile().as_text()
    assert OUT_OF_ORDER in text


def test_layers_of_keras_have_it_without_asking():
    layer = keras.layers.Conv2DTranspose(6, 4, strides=2, padding="same")
    layer.build((None, 7, 7, 4))
    variables = [v.value for v in layer.trainable_variables]

    def loss(values, x):
        return jnp.sum(jnp.square(layer.stateless_call(values, [], x)[0]))

    gradient = jax.jit(jax.grad(loss)).lower(variables, np.ones((3, 7, 7, 4), "float32"))
    assert NAIVE_LOOP not in gradient.compile().as_text()


# --- where it keeps out of the way


def lowered(platform):
    traced = jax.jit(lambda *args: results(CASES[0], *args)).trace(*CASES[0].operands())
    return traced.lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_other_platforms_are_untouched(platform):
    ours, ours_on_cpu = lowered(platform), lowered("cpu")
    use("xla")
    assert lowered(platform) == ours
    assert lowered("cpu") != ours_on_cpu


# Mocks from here on: no JAX is at hand that has changed so.


def test_what_is_undone_is_the_rule_of_jax(told):
    rules = mlir._platform_specific_lowerings["cpu"]
    ours = rules[lax.conv_general_dilated_p]
    convolutions.undo()
    stock = rules[lax.conv_general_dilated_p]
    assert stock is not ours
    for _ in range(2):  # installed twice, it is undone at once
        convolutions.install()
    convolutions.undo()
    assert rules[lax.conv_general_dilated_p] is stock


def test_a_jax_with_other_convolutions_is_told_once_and_computes(monkeypatch, told):
    xlas = by("xla", kernel_gradient, *CASES[0].operands())
    monkeypatch.setattr(convolutions, "PARAMETERS", convolutions.PARAMETERS - {"padding"})
    for _ in range(2):
        ours = by("zoo", kernel_gradient, *CASES[0].operands())
        np.testing.assert_array_equal(ours, xlas)
    assert len(told) == 1
    assert "padding" in told[0]


def test_a_jax_that_lowers_no_functions_is_told_once_and_computes(monkeypatch, told):
    xlas = by("xla", kernel_gradient, *CASES[0].operands())
    monkeypatch.delattr(mlir, "lower_fun")
    ours = by("zoo", kernel_gradient, *CASES[0].operands())
    np.testing.assert_array_equal(ours, xlas)
    assert len(told) == 1
