"""Hypothesis strategies for settings and moves, by the vocabulary; not what is done with them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from harness.crypto.install_code import CODE_LENGTHS
from harness.fuzzing.script import BEGINNINGS, OURS, Setting
from harness.fuzzing.vocabulary import MISTAKES, MOVES, QUESTIONS, Domain, Kind, Move, Value, Whole
from harness.strategies import eui64s
from harness.usecase import Actor
from harness.values import Eui64

SEEDS = 50
MILLISECOND = 0.001  # seconds
EDGE_ADDRESSES = (Eui64(1), Eui64(0xFFFF_FFFF_FFFF_FFFE))  # beside those of `eui64s`


def values(domain: Domain) -> SearchStrategy[Value]:
    """What a domain holds; of numbers often those that make a difference."""
    if isinstance(domain, Whole):
        numbers = st.integers(domain.least, domain.most)
        return st.one_of(st.sampled_from(domain.edges), numbers) if domain.edges else numbers
    return st.sampled_from(domain.words)


def moves(name: str) -> SearchStrategy[Move]:
    """Moves of one kind."""
    return st.tuples(*map(values, MOVES[name].takes.values())).map(lambda drawn: Move(name, drawn))


def moves_of(name: str, ours: Actor) -> SearchStrategy[Move]:
    """Moves of one kind that this side of ours can make."""
    known = {"ask": QUESTIONS[_other(ours)], "err": MISTAKES[ours]}.get(name)
    return moves(name) if known is None else moves(name).filter(lambda move: move.values[0] in known)


def is_possible(kind: Kind, ours: Actor | None) -> bool:
    """Whether a kind of move can be made at all with that side of ours."""
    return ours is not None or not kind.ours


@st.composite
def settings_of(draw: st.DrawFn, devices: int, sides: tuple[str, ...] = OURS, *, own: bool = False) -> Setting:
    """Settings for a bench with so many devices. `own` leaves the device as it is: address, key, and nobody beside it."""
    setting = Setting(
        device=draw(st.integers(0, devices - 1)), seed=draw(st.integers(1, SEEDS)), ours=draw(st.sampled_from(sides)),
        beginning=draw(st.sampled_from(BEGINNINGS[::-1])), **draw(_windows("start", "duration")),
    )
    if own:
        return setting
    company = draw(st.sampled_from((0, 0, 1, 2)))
    one, other = draw(st.lists(st.one_of(st.sampled_from(EDGE_ADDRESSES), eui64s()), min_size=2, max_size=2, unique=True))
    own_address, own_code = draw(st.booleans()), draw(st.booleans())
    code = "" if own_code else draw(_codes())
    right = draw(st.sampled_from((True, True, True, False)))
    second = {} if not company else {"second": str(other), **draw(_windows("second_start", "second_duration"))}
    return Setting(**{
        **vars(setting), "company": company, "eui64": "" if own_address else str(one), "code": code, "right": right, **second,
    })


def _windows(start: str, duration: str) -> SearchStrategy[dict[str, float]]:
    """A window that begins at once or soon, and is open for long enough to be let in, or not; to the millisecond."""
    lengths = st.one_of(st.sampled_from((300_000, 254_000, 255_000, 600_000)), st.integers(20_000, 600_000))
    return st.fixed_dictionaries({
        start: st.sampled_from((0.0, 0.0, 0.0, 7.5)), duration: lengths.map(lambda ms: ms * MILLISECOND),
    })


def _codes() -> SearchStrategy[str]:
    return st.sampled_from(CODE_LENGTHS).flatmap(lambda length: st.binary(min_size=length, max_size=length)).map(bytes.hex)


def _other(side: Actor) -> Actor:
    return Actor.HAN_DEVICE if side is Actor.ESI else Actor.ESI
