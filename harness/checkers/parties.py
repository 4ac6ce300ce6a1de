"""Checkers that ask the same of several actors: each is told which one it judges. Knows no protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from harness.trace import Trace
from harness.usecase import Actor, Check
from harness.verdict import Finding

PartyCheck = Callable[[Trace, Actor], Iterator[Finding]]
"""A checker that is told which actor it judges."""


def for_each(judged: tuple[Actor, ...], check: PartyCheck) -> Mapping[Actor, tuple[Check, ...]]:
    """The checker for each of these actors, as a clause takes it."""
    return {actor: (_for(check, actor),) for actor in judged}


def _for(check: PartyCheck, judged: Actor) -> Check:
    def check_actor(trace: Trace) -> Iterator[Finding]:
        return check(trace, judged)

    check_actor.__name__ = f"{check.__name__} of the {judged}"
    return check_actor
