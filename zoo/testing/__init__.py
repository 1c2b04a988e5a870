"""Checks that every plugin has to pass, for its author's own tests and for ``zoo check``.

Each check is a small function with a name; which of them apply follows from what a plugin
is and can do. With pytest, each becomes a test of its own:

    import zoo.testing
    from my_package import MyModel

    @zoo.testing.parametrize_with_checks([MyModel(latent_dim=2)])
    def test_my_model(check):
        check()

Without pytest, ``zoo.testing.run_checks(MyModel())`` returns a list of results, and
``zoo check NAME`` prints them.
"""

from zoo.testing.checks.cases import Case
from zoo.testing.checks.listing import Check
from zoo.testing.checks.outcomes import CheckFailed, Result, Skipped
from zoo.testing.checks.standin import Small
from zoo.testing.suite import checks_of, parametrize_with_checks, run_checks

__all__ = [
    "Case",
    "Check",
    "CheckFailed",
    "Result",
    "Skipped",
    "Small",
    "checks_of",
    "parametrize_with_checks",
    "run_checks",
]
