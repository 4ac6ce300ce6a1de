"""Hypothesis strategies for settings and moves, by the vocabulary; not what is done with them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from harness.crypto.install_code import CODE_LENGTHS
from harness.fuzzing.script import BEGINNINGS, OURS, Setting
from harness.fuzzing.vocabulary import MISTAKES, MOVES, QUESTIONS, Domain, Move, Value, Whole, Words
from harness.strategies import eui64s
from harness.usecase import Actor
from harness.values import Eui64

SEEDS = 50
OFTEN = {"ask": 4, "provision": 2, "power-cycle": 2, "switch-on": 2, "air": 3, "say": 2}  # times as often as the others
MILLISECOND = 0.001  # seconds
EDGE_ADDRESSES = (Eui64(1), Eui64(0xFFFF_FFFF_FFFF_FFFE))  # beside those of `eui64s`


def values(domain: Domain) -> SearchStrategy[Value]:
    """What a domain holds; of numbers often those that make a difference."""
    if isinstance(domain, Whole):
        numbers = st.integers(domain.least, domain.most)
        return st.one_of(st.sampled_from(domain.edges), numbers) if domain.edges else numbers
    return st.sampled_from(domain.words)


def moves(name: str, ours: Actor | None = None, company: int = 2) -> SearchStrategy[Move]:
    """Moves of one kind that can be made with that side of ours, and so many devices beside the first."""
    known = {("ask", "what"): QUESTIONS, ("err", "how"): MISTAKES}

    def possible(what: str, domain: Domain) -> Domain:
        if isinstance(domain, Words) and what in ("device", "of", "for"):
            return Words(tuple(word for word in domain.words if not word.isdigit() or int(word) <= 1 + company))
        if ours is not None and (name, what) in known:
            return Words(known[name, what][ours if name == "err" else _other(ours)])
        return domain

    drawn = (values(possible(what, domain)) for what, domain in MOVES[name].takes.items())
    return st.tuples(*drawn).map(lambda chosen: Move(name, chosen))


def any_move(ours: Actor | None, company: int, *, radio: bool = False) -> SearchStrategy[Move]:
    """Moves of all kinds that can be made; those from which much follows more often."""
    names = [
        name for name, kind in MOVES.items() if (ours is not None or not kind.ours) and (kind.radio or not radio)
        for _ in range(OFTEN.get(name, 1))
    ]
    return st.sampled_from(names).flatmap(lambda name: moves(name, ours, company))


@st.composite
def settings_of(draw: st.DrawFn, devices: int, sides: tuple[str, ...] = OURS, *, own: bool = False) -> Setting:
    """Settings for a bench with so many devices. `own` leaves the device as it is: address, key, and nobody beside it."""
    setting = Setting(
        device=draw(st.integers(0, devices - 1)), seed=draw(st.integers(1, SEEDS)), ours=draw(st.sampled_from(sides)),
        beginning=draw(st.sampled_from((BEGINNINGS[-1], *BEGINNINGS[::-1]))), **draw(_windows("start", "duration")),
    )
    if own:
        return setting
    company = draw(st.sampled_from((0, 0, 1, 2)))
    one, other = draw(st.lists(st.one_of(st.sampled_from(EDGE_ADDRESSES), eui64s()), min_size=2, max_size=2, unique=True))
    own_address, own_code = draw(st.booleans()), draw(st.booleans())
    code = "" if own_code else draw(_codes())
    right = draw(st.sampled_from((True, True, True, False)))
    second: dict[str, Any] = {} if not company else {"second": str(other), **draw(_windows("second_start", "second_duration"))}
    return Setting(**{
        **vars(setting), "company": company, "eui64": "" if own_address else str(one), "code": code, "right": right, **second,
    })


def _windows(start: str, duration: str) -> SearchStrategy[dict[str, Any]]:
    """A window that begins at once or soon, and is open for long enough to be let in, or not; to the millisecond."""
    lengths = st.one_of(st.sampled_from((300_000, 254_000, 255_000, 600_000)), st.integers(20_000, 600_000))
    return st.fixed_dictionaries({
        start: st.sampled_from((0.0, 0.0, 0.0, 7.5)), duration: lengths.map(lambda ms: ms * MILLISECOND),
    })


def _codes() -> SearchStrategy[str]:
    return st.sampled_from(CODE_LENGTHS).flatmap(lambda length: st.binary(min_size=length, max_size=length)).map(bytes.hex)


def _other(side: Actor) -> Actor:
    return Actor.HAN_DEVICE if side is Actor.ESI else Actor.ESI
