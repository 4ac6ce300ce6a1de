"""Hypothesis strategies for CIM messages that are right but for one thing, or written as nobody writes them; not who gets them.

A mutation knows what must come of it (`harness.cim.mutation.Claim`). Which there are follows from the schemas and one right
message of each kind; every way of mutating is drawn as often as every other, however many places there are for it.
"""

from __future__ import annotations

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


def mutated(of: str, *claims: Claim) -> SearchStrategy[Mutation]:
    """Mutations of a right message (a file's name below fixtures/cim/messages/good), of which one of these claims is made.

    What stands in a folder there is of the generation that the folder is named after. All claims when none is named. Raises
    ValueError for a message of which no such mutation is known.
    """
    wanted = claims or tuple(Claim)
    ways = [tuple(each for each in way if each.claim in wanted) for way in _ways(of)]
    strategies = [st.sampled_from(way) for way in ways if way]
    if not strategies:
        raise ValueError(f"there is no mutation of {of} of which {' or '.join(wanted)} could be said")
    places = free_texts(_message(of), _generation(of))
    if Claim.VALID in wanted and places:
        text = st.text(_CHARACTERS, max_size=LONGEST_TEXT)
        strategies.append(st.builds(Mutation, st.just("say"), st.sampled_from(places), text))
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
def _ways(of: str) -> tuple[tuple[Mutation, ...], ...]:
    """All mutations, by what they do and what is claimed of them."""
    ways: dict[tuple[str, Claim], list[Mutation]] = {}
    for each in mutations(_message(of), _generation(of)):
        ways.setdefault((each.what, each.claim), []).append(each)
    return tuple(map(tuple, ways.values()))
