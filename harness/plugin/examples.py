"""How Hypothesis runs the examples of a case: reproducible, few, from the run's seed. Knows no bench, clause or verdict."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import UnsatisfiedAssumption

PROFILE = "reproducible"
EXAMPLES = 5  # a case's examples unless it or `--examples` says otherwise: each one plays a whole provisioning

SHRINKING = (Phase.explicit, Phase.generate, Phase.shrink)
APPLIED = "_hypothesis_internal_settings_applied"  # Hypothesis's own
OURS = "_settings_are_ours"  # set on a function to which we have given its number of examples
KILLING = (Phase.explicit, Phase.generate)  # a defect's proof asks only whether it is caught


def load_profile() -> None:
    """Make the reproducible profile the default: two runs draw the same examples, and no case fails for being slow."""
    hypothesis.settings.register_profile(
        PROFILE,
        derandomize=True, database=None, deadline=None, report_multiple_bugs=False, print_blob=False, phases=SHRINKING,
        # a case's fixtures are functions that make a fresh bench; every device runs the same function
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile(PROFILE)


def has_examples(function: Callable[..., Any]) -> bool:
    """Whether the function was given strategies."""
    return bool(getattr(function, "is_hypothesis_test", False))


def prepare(function: Callable[..., Any], examples: int, seed: int, phases: tuple[Phase, ...] = SHRINKING) -> None:
    """Let a case draw this many examples from this seed; its own `@settings` win over the number of examples."""
    if not has_examples(function):
        return
    if hasattr(function, OURS):
        delattr(function, APPLIED)  # else Hypothesis would not let them be set anew
    elif hasattr(function, APPLIED):
        hypothesis.seed(seed)(function)
        return
    hypothesis.settings(hypothesis.settings.get_profile(PROFILE), max_examples=examples, phases=phases)(function)
    setattr(function, OURS, True)
    hypothesis.seed(seed)(function)


@contextmanager
def watched(
    function: Callable[..., Any], around: Callable[[Mapping[str, Any]], Any], *, until_failed: bool = False,
) -> Iterator[None]:
    """While this lasts, every example of `function` runs inside what `around(drawn)` returns: a context manager.

    `until_failed` leaves the first failure for the end and runs no example after it, so that Hypothesis does not play it again to
    report it.
    """
    handle = getattr(function, "hypothesis", None)
    if handle is None:
        yield
        return
    inner, given_by_fixtures = handle.inner_test, inspect.signature(function).parameters
    failures: list[Exception] = []

    def example(*positional: Any, **named: Any) -> Any:
        if failures:
            return None
        try:
            with around({name: value for name, value in named.items() if name not in given_by_fixtures}):
                return inner(*positional, **named)
        except Exception as failure:
            if not until_failed or isinstance(failure, UnsatisfiedAssumption):  # the latter asks for another example
                raise
            failures.append(failure)

    # what Hypothesis reads of the function it calls: its name, its source, the digest that keeps parameters apart
    example.__dict__.update(inner.__dict__)
    example.__name__, example.__wrapped__ = inner.__name__, inner  # type: ignore[attr-defined]
    handle.inner_test = example
    try:
        yield
    finally:
        handle.inner_test = inner
    if failures:
        raise failures[0]
