"""What a training step draws."""

from __future__ import annotations

from benchmarks.cases import SHAPE, Case


def draws(case: Case) -> list[tuple[str, tuple[int, ...]]]:
    """The random tensors of a step, in the zoo's order.

    Returns:
        Pairs ``(kind, shape)``, where kind is ``"normal"`` or ``"uniform"``, both standard.
    """
    return _DRAWS[case.model](case)


def _vae(case):
    return [("normal", (case.batch_size, case.settings["latent_dim"]))]


def _prior(case):
    return "normal", (case.batch_size, case.settings["prior"]["dimension"])


def _wgan_gp(case):
    share = ("uniform", (case.batch_size, 1, 1, 1))
    return [*case.repeats * [_prior(case), share], _prior(case)]


_DRAWS = {
    "vae": _vae,
    "dcgan": lambda case: 2 * [_prior(case)],  # for each player's move
    "vaegan": lambda case: 2 * _vae(case),  # for codes, and from the prior
    "wgan_gp": _wgan_gp,
    "flow_matching": lambda case: [  # for times, and the start of a path
        ("normal", (case.batch_size,)),
        ("normal", (case.batch_size, *SHAPE)),
    ],
}
