"""Hypothesis strategies for CIM messages that are right but for one thing, or written as nobody writes them; not who gets them.

A mutation knows what must come of it (`harness.cim.mutation.Claim`). Which there are follows from the schemas and one right
message of each kind; every way of mutating is drawn as often as every other, however many places there are for it.
What cases name is worked out when the first of it is drawn: most processes that import cases draw none.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from harness.cim.envelope import CimMessage, read
from harness.cim.mutation import Claim, Mutation
from harness.cim.mutations import free_texts, mutations
from harness.cim.schema import XSD

MESSAGES = XSD.parent / "messages" / "good"
ORDER, LINKAGE, REGISTRATION = "window-ordered-typed", "linkage-step-13-typed", "linkage-step-14"  # of steps 1, 13 and 14
LONGEST_TEXT = 200  # characters; very long ones are among the edges

_CHARACTERS = st.characters(  # what XML 1.0 lets stand in a document
    exclude_categories=["Cs"], exclude_characters=[chr(code) for code in (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)],
)


def spoilt(of: str) -> SearchStrategy[Mutation]:
    """Mutations that must be refused, or after which a right message of this kind says something else that may be refused."""
    return st.deferred(lambda: mutated(of, Claim.REFUSED, Claim.VALID))


def unusual(of: str, *ways: str) -> SearchStrategy[Mutation]:
    """Mutations after which a right message of this kind is written as nobody writes it, and says what it said before."""
    return st.deferred(lambda: mutated(of, Claim.LEGAL, ways=ways))


def mutated(of: str, *claims: Claim, ways: Collection[str] = ()) -> SearchStrategy[Mutation]:
    """Mutations of a right message (a file's name below fixtures/cim/messages/good), of which one of these claims is made.

    What stands in a folder there is of the generation that the folder is named after. All claims when none is named; `ways` are
    keys of `harness.cim.mutation.CHANGES` (default: all). Raises ValueError for a message of which no such mutation is known.
    """
    wanted = claims or tuple(Claim)
    strategies = [
        st.sampled_from(mutations) for (what, claim), mutations in _ways(of).items()
        if claim in wanted and (not ways or what in ways)
    ]
    places = free_texts(_message(of), _generation(of))
    if Claim.VALID in wanted and places and (not ways or "say" in ways):
        text = st.text(_CHARACTERS, max_size=LONGEST_TEXT)
        strategies.append(st.builds(Mutation, st.just("say"), st.sampled_from(places), text))
    if not strategies:
        raise ValueError(f"there is no mutation of {of} of which that could be claimed")
    return st.one_of(strategies)


def _generation(of: str) -> str | None:
    return of.rpartition("/")[0] or None


@cache
def _message(of: str) -> CimMessage:
    message, _ = read(Path(MESSAGES / f"{of}.xml").read_bytes())
    if message is None:
        raise ValueError(f"{of} is no message that could be mutated")
    return message


@cache
def _ways(of: str) -> dict[tuple[str, Claim], list[Mutation]]:
    """All mutations, by what they do and what is claimed of them."""
    ways: dict[tuple[str, Claim], list[Mutation]] = {}
    for each in mutations(_message(of), _generation(of)):
        ways.setdefault((each.what, each.claim), []).append(each)
    return ways
