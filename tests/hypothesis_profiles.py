"""How many examples hypothesis draws for a property test, and which: said here and nowhere else.

``fixed`` (the default): the same examples in every run, at a desk and in CI alike, until the test itself changes. A
    suite that passed for one passes for all.
``quick``: a quarter of them, for ``make test``; ``make check`` draws all.
``search``: new examples in every run, and ``SEARCHED`` times as many of each test. ``make test-search`` runs it.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

import tiers

USUAL = 100
"""Examples of a test that does not say how many."""
QUICK = 4
"""In ``make test`` each test gets its examples divided by this."""
SEARCHED = 50
"""How many times its examples each test gets in a search."""

# No limit on time: a machine that is busy, or imports something first, is no finding. No memory of earlier runs either:
# a finding is drawn again by the seed of the run, or by the blob that is printed with it, on any machine.
_SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None, print_blob=True)


def register() -> None:
    """Let hypothesis know the profiles, and take the fixed one, or in ``make test`` the quick one.

    ``--hypothesis-profile=search`` takes the third.
    """
    settings.register_profile("fixed", _SHARED, derandomize=True, max_examples=USUAL)
    settings.register_profile("search", _SHARED, derandomize=False, max_examples=USUAL * SEARCHED)
    settings.register_profile("quick", _SHARED, derandomize=True, max_examples=USUAL // QUICK)
    settings.load_profile("quick" if tiers.QUICK else "fixed")


def examples(number: int) -> settings:
    """Decorate a test that is too slow for the usual number of examples, or needs more of them.

    A search multiplies this number as well, and ``make test`` divides it, which a plain ``@settings(max_examples=…)``
    would keep from them.
    """
    return settings(max_examples=max(1, number * settings().max_examples // USUAL))


def draw_the_same_everywhere() -> None:
    """Keep the fixed profile from constants in the code under test, if it is the one in use.

    Hypothesis mixes in constants of every module that is loaded and whose path does not contain "test": examples would
    depend on where the repository lies, on which tests ran before, and on every line of the code. A search wants them.
    """
    if settings().derandomize:
        providers.is_local_module_file = lambda path: False
