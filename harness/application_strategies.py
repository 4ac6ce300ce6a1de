"""Hypothesis strategies for what is asked, offered and got wrong above APS: attributes, commands, events, prices, messages.

Not what is done with the values. Every strategy gives its edges often and anything else in its range as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dissectors import zcl, zdp
from dissectors.clusters import all_clusters, basic, drlc, price
from dissectors.clusters.time import TimeStatus

_OCTETS = range(0x100)
_STANDARD_ATTRIBUTES = range(0x4000)  # a manufacturer's own begin here
_STANDARD_COMMANDS = range(0x20, 0x80)  # of later revisions there are some below
_STANDARD_CLUSTERS = range(0x0900, 0x0A00)  # assigned to nobody
_PREPAYMENT_OF_A_DRAFT = 0x0706
_ZDP_REQUESTS = range(0x0100, 0x7FFF)
_MANUFACTURERS = range(0x1000, 0xFFF0)
_CONVENIENT = 59  # octets of text with which Display Message fits one frame
_FRAGMENTED = (36, 41)  # attributes in a request of two blocks, 75 to 85 octets, whose answer has 111 to 126
_LESS = (26, 32)  # attributes in a request of up to 67 octets, whose answer has 81 to 99
_OVERLONG = (42, 62)  # attributes in a request of up to 127 octets, whose answer has 129 to 189
_HOUR = 3600


def endpoints() -> SearchStrategy[int]:
    """Endpoint numbers, the edges of every range of them first."""
    edges = (0, zdp.FIRST_ENDPOINT, zdp.LAST_ENDPOINT, zdp.LAST_ENDPOINT + 1, zdp.BROADCAST_ENDPOINT)
    return st.one_of(st.sampled_from(edges), st.sampled_from(_OCTETS))


def unknown_attributes() -> SearchStrategy[int]:
    """Attributes that Basic does not have."""
    return st.sampled_from(_STANDARD_ATTRIBUTES).filter(lambda attribute: attribute not in basic.CLUSTER.attributes)


@dataclass(frozen=True)
class UnknownCommand:
    """A command that Basic does not have: its number, of which kind it is, and what its header says."""

    command: int
    general: bool
    manufacturer_code: int | None
    silent: bool


def unknown_commands() -> SearchStrategy[UnknownCommand]:
    """General and cluster commands, standard ones and a manufacturer's, with and without the Default Response disabled."""
    numbers = st.sampled_from(_STANDARD_COMMANDS).filter(lambda number: number not in zcl.GENERAL_COMMANDS)
    codes = st.one_of(st.none(), st.sampled_from(_MANUFACTURERS))
    return st.builds(UnknownCommand, numbers, st.booleans(), codes, st.booleans())


def unknown_clusters() -> SearchStrategy[int]:
    """Clusters that no endpoint of the profile has, and the number that a draft gave to Prepayment."""
    known = {cluster.identifier for cluster in all_clusters()}
    assigned_to_nobody = st.sampled_from(_STANDARD_CLUSTERS).filter(lambda cluster: cluster not in known)
    return st.one_of(st.just(_PREPAYMENT_OF_A_DRAFT), assigned_to_nobody)


def unknown_zdp_requests() -> SearchStrategy[int]:
    """ZDP clusters that are no request anybody knows."""
    return st.sampled_from(_ZDP_REQUESTS).filter(lambda cluster: cluster not in zdp.CLUSTERS)


@dataclass(frozen=True)
class Malformation:
    """A way to spoil a message, and where."""

    kind: str
    length: int


CUT_LIST = Malformation("odd attribute list", 0)
"""A list of attributes that ends in the middle of its first: nobody can take that for a whole message."""


def malformations() -> SearchStrategy[Malformation]:
    """Messages cut short, with something left over, or of a kind that does not exist."""
    kinds = (
        "odd attribute list", "cut string", "wrong type", "unknown type", "cut header", "reserved frame type",
        "cut cluster command", "cut ZDP request", "short cluster list", "surplus",
    )
    return st.builds(Malformation, st.sampled_from(kinds), st.integers(0, 22))


def fragmented_requests() -> SearchStrategy[int]:
    """How many attributes make a request, and an answer, that need two blocks each."""
    return st.integers(*_FRAGMENTED)


def answers_of_less() -> SearchStrategy[int]:
    """How many attributes make an answer of two blocks that fits a partner of 100 octets; the request is one frame."""
    return st.integers(*_LESS)


def any_block() -> SearchStrategy[int]:
    """Which block of a message of two is meant, from 0."""
    return st.integers(0, 1)


def spoilt_blocks() -> SearchStrategy[str]:
    """What is wrong with the blocks of a message, as the provocations are called after their side."""
    return st.sampled_from(["clears-later-blocks", "turns-blocks-round"])


def overlong_answers() -> SearchStrategy[int]:
    """How many attributes make an answer that is longer than the 128 octets of table 5-8 (SE 1.0)."""
    return st.integers(*_OVERLONG)


@dataclass(frozen=True)
class UntrustedTime:
    """A time that nobody vouches for: the server's status, and how far off it is, seconds."""

    status: int
    off: int


def untrusted_times() -> SearchStrategy[UntrustedTime]:
    """Statuses with neither Master nor Synchronized, hours before or after the right time."""
    statuses = st.sampled_from([0, int(TimeStatus.MASTER_ZONE_DST)])
    hours = st.one_of(st.integers(2, 10_000), st.integers(-10_000, -2))
    return st.builds(UntrustedTime, statuses, hours.map(lambda number: number * _HOUR))


def questions_to_the_esi() -> SearchStrategy[str]:
    """Stimuli that ask the ESI for application data."""
    return st.sampled_from(["time", "events", "current-price", "last-message"])


@dataclass(frozen=True)
class Offered:
    """A load control event's duration (minutes) and criticality."""

    minutes: int
    criticality: int


def offered_events(*, legal: bool) -> SearchStrategy[Offered]:
    """Events inside the limits of annex D.3 (SE 1.0), or beyond one of them."""
    durations = st.one_of(st.sampled_from([1, drlc.MAXIMUM_DURATION]), st.integers(1, drlc.MAXIMUM_DURATION))
    criticalities = st.sampled_from([int(level) for level in drlc.Criticality])
    if legal:
        return st.builds(Offered, durations, criticalities)
    longer = st.one_of(st.sampled_from([drlc.MAXIMUM_DURATION + 1, 0xFFFF]), st.integers(drlc.MAXIMUM_DURATION + 1, 0xFFFF))
    reserved = st.sampled_from([level for level in _OCTETS if level not in tuple(drlc.Criticality)])
    return st.one_of(st.builds(Offered, longer, criticalities), st.builds(Offered, durations, reserved))


def starts() -> SearchStrategy[int]:
    """In how many seconds an event begins: now, or a few minutes from now."""
    return st.one_of(st.just(0), st.integers(60, 300))


def event_counts() -> SearchStrategy[int]:
    """How many events a device asks for; 0 asks for all."""
    return st.integers(0, 3)


def event_identifiers() -> SearchStrategy[int]:
    """Issuer event ids that no event of a run has: those are made of the time."""
    return st.integers(2, 0xFFFF)


def labels() -> SearchStrategy[bytes]:
    """Rate labels of 0 to 12 octets of UTF-8."""
    return _texts(price.MAXIMUM_LABEL)


def messages() -> SearchStrategy[bytes]:
    """Texts for a display, as long as one frame carries."""
    return _texts(_CONVENIENT).filter(bool)


def later_fields() -> SearchStrategy[bytes]:
    """What a revision that is not written yet might append."""
    return st.one_of(st.just(b""), st.binary(max_size=8))


def _texts(octets: int) -> SearchStrategy[bytes]:
    texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=octets)
    return texts.map(lambda text: text.encode()[:octets].decode(errors="ignore").encode())


