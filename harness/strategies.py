"""Hypothesis strategies for what a provisioning varies: addresses, install codes, keys, windows; not what is done with them.

Every strategy gives its edges often and anything else in its range as well; impossible arguments are a ValueError at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import ceil

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dissectors.clusters.key_establishment import (
    CERTIFICATE_SIZES,
    CODE_SIZE,
    EPHEMERAL_KEY_SIZES,
    MAXIMUM_SECONDS,
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    Suite,
)
from dissectors.layer import Layer, encode
from dissectors.nwk import MAX_UNICAST
from dissectors.security import KEY_LENGTH, WELL_KNOWN_LINK_KEY
from harness.cim import hostile
from harness.cim.hostile import Hostile
from harness.crypto.install_code import CODE_LENGTHS, CRC_LENGTH, Flaw, InstallCode, crc, known_mistakes
from harness.values import Eui64

WRONG_CHARACTERS = "gGxXoOIlSZ_.,+/&<\"'\u00e9\u2013\uff18"  # in no install code; look-alikes, markup, a full-width 8
NO_DEVICE = (Eui64(0), Eui64(0xFFFF_FFFF_FFFF_FFFF))  # unset and broadcast: no device has these
EUI64_EDGES = tuple(map(Eui64, (
    0x0000_0000_0000_0001,  # reads as 1 without its leading zeros
    0xFFFF_FFFF_FFFF_FFFE,
    0x0102_0304_0506_0708,  # every octet another: shows the wrong octet order
    0x0102_0304_0403_0201,  # the same in both octet orders: hides it
    0x0000_0000_0000_1E10,  # reads as a number with an exponent
    0x1234_5678_9012_3456,  # reads as a decimal number
    0x0020_0000_0000_0001,  # 2^53 + 1, no double
    0x8000_0000_0000_0000,  # negative as a signed integer
    0x0012_4B00_0000_0000, 0x0012_4BFF_FFFF_FFFF,  # first and last of one manufacturer
    0x000D_6FFF_FE00_0001,  # made from a 48-bit address
    0x0200_0000_0000_0001,  # locally administered
)))
KEY_EDGES = (bytes([0xFF]) * KEY_LENGTH, bytes(15) + b"\x01", b"\x01" + bytes(15), bytes(range(KEY_LENGTH)))
SHORT_ADDRESS_EDGES = (0x0001, 0x00FF, 0x0100, 0x0101, 0xFF00, MAX_UNICAST)

LONGEST_PERMIT_JOIN = 254  # seconds that one Mgmt_Permit_Joining_req can ask for (05-3474, 2.4.3.3.7)
LONGEST_WINDOW = 10_800.0
LATEST_START = 600.0
LONGEST_RETRY = 60.0  # seconds; docs/cim-profile.md: an unanswered request comes again within a minute
LONGEST_REPETITION = 40.0  # seconds; somebody who asks three times 10 s apart has given up by then
_DURATION_EDGES = tuple(
    float(edge + offset)
    for edge in (
        1,
        LONGEST_PERMIT_JOIN, 2 * LONGEST_PERMIT_JOIN,
        3600, 10_800,
        0xFFFF,  # a 16-bit number of seconds
        86_400,
    )
    for offset in (-1, 0, 1)
)


def eui64s(*, no_device: bool = False) -> SearchStrategy[Eui64]:
    """Addresses that a device can have; with `no_device`, only the two that none has (all zeros, all ones)."""
    if no_device:
        return st.sampled_from(NO_DEVICE)
    return st.one_of(st.sampled_from(EUI64_EDGES), st.integers(NO_DEVICE[0] + 1, NO_DEVICE[1] - 1).map(Eui64))


def short_addresses() -> SearchStrategy[int]:
    """NWK addresses that a coordinator can give: 0001 to fff7."""
    return st.one_of(st.sampled_from(SHORT_ADDRESS_EDGES), st.integers(1, MAX_UNICAST))


def link_keys() -> SearchStrategy[bytes]:
    """Link keys of 16 octets as somebody can order them: neither all zeros nor the key that everybody knows."""
    octets = st.binary(min_size=KEY_LENGTH, max_size=KEY_LENGTH)
    return st.one_of(st.sampled_from(KEY_EDGES), octets.filter(lambda key: key not in (bytes(KEY_LENGTH), WELL_KNOWN_LINK_KEY)))


def install_codes(lengths: Iterable[int] = CODE_LENGTHS) -> SearchStrategy[InstallCode]:
    """Install codes of these lengths (octets, without the CRC); the edges have CRCs whose order or zeros matter."""
    chosen = tuple(lengths)
    if not chosen or not set(chosen) <= set(CODE_LENGTHS):
        raise ValueError(f"an install code has {', '.join(map(str, CODE_LENGTHS))} octets without its CRC, not {chosen}")
    edges = tuple(edge for length in chosen for edge in install_code_edges(length))
    return st.one_of(
        st.sampled_from(edges),
        st.sampled_from(chosen).flatmap(lambda length: st.binary(min_size=length, max_size=length)).map(InstallCode.of),
    )


def misderived_keys() -> SearchStrategy[tuple[InstallCode, bytes]]:
    """An install code with a link key that a known mistake makes of it: the CRC left out, its octets exchanged, and the like."""
    return install_codes().flatmap(lambda code: st.tuples(st.just(code), st.sampled_from(sorted(known_mistakes(code).values()))))


@lru_cache
def install_code_edges(length: int) -> tuple[InstallCode, ...]:
    """Codes of all zeros and all ones, and with a CRC that begins with 00, ends with 00, or has two equal octets."""
    counted = [number.to_bytes(length, "big") for number in range(1 << 12)]
    return (
        InstallCode.of(bytes(length)),
        InstallCode.of(bytes([0xFF]) * length),
        InstallCode.of(next(code for code in counted if crc(code) & 0xFF == 0)),
        InstallCode.of(next(code for code in counted if crc(code) >> 8 == 0)),
        InstallCode.of(next(code for code in counted if crc(code) & 0xFF == crc(code) >> 8)),
    )


@dataclass(frozen=True)
class MalformedInstallCode:
    """A printed install code that must be refused, and for what."""

    printed: str
    flaw: Flaw


def malformed_install_codes(flaws: Iterable[Flaw] = Flaw) -> SearchStrategy[MalformedInstallCode]:
    """Install codes with exactly one of these flaws, in characters that any message can carry."""
    chosen = tuple(flaws)
    if not chosen:
        raise ValueError("a malformed install code has a flaw")
    return st.one_of(*(st.builds(MalformedInstallCode, _WITH_FLAW[flaw](), st.just(flaw)) for flaw in chosen))


def malformed_key_material() -> SearchStrategy[bytes]:
    """Install codes of a wrong length or with a wrong CRC, as octets on a leg."""
    return malformed_install_codes((Flaw.LENGTH, Flaw.CRC, Flaw.CRC_ORDER)).map(lambda code: bytes.fromhex(code.printed))


def _digits() -> SearchStrategy[str]:
    return install_codes().map(lambda code: code.octets.hex())


def _with_wrong_character() -> SearchStrategy[str]:
    def replaced(digits: str, position: int, character: str) -> str:
        position %= len(digits)
        return digits[:position] + character + digits[position + 1 :]

    return st.builds(replaced, _digits(), st.integers(0, 99), st.sampled_from(WRONG_CHARACTERS))


def _with_odd_digits() -> SearchStrategy[str]:
    return st.one_of(_digits().map(lambda digits: digits[:-1]), _digits().map(lambda digits: digits + "0"))


def _with_wrong_length() -> SearchStrategy[str]:
    legal = {length + CRC_LENGTH for length in CODE_LENGTHS}
    any_length = st.binary(max_size=40).map(lambda code: code + crc(code).to_bytes(CRC_LENGTH, "little"))
    without_crc = install_codes().map(lambda code: code.octets[:-CRC_LENGTH])
    crc_twice = install_codes().map(lambda code: code.octets + code.octets[-CRC_LENGTH:])
    octets = st.one_of(any_length, without_crc, crc_twice, st.just(b""))
    return octets.filter(lambda octets: len(octets) not in legal).map(bytes.hex)


def _with_wrong_crc() -> SearchStrategy[str]:
    def altered(code: InstallCode, error: int) -> bytes:
        wrong = int.from_bytes(code.octets[-CRC_LENGTH:], "big") ^ error
        return code.octets[:-CRC_LENGTH] + wrong.to_bytes(CRC_LENGTH, "big")

    one_bit = st.integers(0, 15).map(lambda bit: 1 << bit)
    octets = st.builds(altered, install_codes(), st.one_of(one_bit, st.integers(1, 0xFFFF)))
    return octets.filter(lambda octets: int.from_bytes(octets[-CRC_LENGTH:], "big") != crc(octets[:-CRC_LENGTH])).map(bytes.hex)


def _with_crc_in_wrong_order() -> SearchStrategy[str]:
    codes = install_codes().filter(lambda code: code.octets[-1] != code.octets[-2])
    return codes.map(lambda code: (code.octets[:-CRC_LENGTH] + code.octets[-CRC_LENGTH:][::-1]).hex())


_WITH_FLAW = {
    Flaw.CHARACTERS: _with_wrong_character,
    Flaw.ODD_DIGITS: _with_odd_digits,
    Flaw.LENGTH: _with_wrong_length,
    Flaw.CRC: _with_wrong_crc,
    Flaw.CRC_ORDER: _with_crc_in_wrong_order,
}


@dataclass(frozen=True)
class Window:
    """A joining window as ordered at time 0, in seconds: `latency` is how long the order takes to reach the ESI."""

    start: float
    duration: float
    latency: float

    @property
    def end(self) -> float:
        """When it closes."""
        return self.start + self.duration

    @property
    def opens(self) -> float:
        """When the ESI can open it: at its start, or when the order arrives."""
        return max(self.start, self.latency)

    @property
    def left(self) -> float:
        """For how long it is then open; 0 when the order arrives at its end or later: such a window is never opened."""
        return max(0.0, self.end - self.opens)


def windows(
    *, longest: float = LONGEST_WINDOW, latest_start: float = LATEST_START, expired: bool | None = None
) -> SearchStrategy[Window]:
    """Windows around every edge: of the start (at once or later), the duration, and the order's arrival.

    The order arrives around the start, around the end, or when a whole number of longest permit-joins is left. `expired` says
    whether it arrives too late (None: both). Seconds; `longest` at least 1, `latest_start` at least 0.
    """
    if longest < 1 or latest_start < 0:
        raise ValueError(f"a window lasts 1 s or more and starts at 0 or later, not {longest} s and {latest_start}")
    starts = st.one_of(st.sampled_from([0.0, latest_start]), _whole(0, latest_start))
    durations = st.one_of(
        st.sampled_from([longest, *(edge for edge in _DURATION_EDGES if 1 <= edge <= longest)]), _whole(1, longest)
    )
    return _windows(starts, durations, expired)


def _whole(least: float, most: float) -> SearchStrategy[float]:
    return st.integers(ceil(least), int(most)).map(float)


@st.composite
def _windows(
    draw: st.DrawFn, starts: SearchStrategy[float], durations: SearchStrategy[float], expired: bool | None
) -> Window:
    start, duration = draw(starts), draw(durations)
    end = start + duration
    marks = (0.0, start, end, end - LONGEST_PERMIT_JOIN, end - 2 * LONGEST_PERMIT_JOIN)
    edges = (mark + offset for mark in marks for offset in (-1.0, 0.0, 1.0))
    within = (end if expired else 0.0, end - 1 if expired is False else end + LATEST_START)
    legal = [edge for edge in edges if within[0] <= edge <= within[1]]
    latency = draw(st.sampled_from(legal)) if draw(st.booleans()) else draw(_whole(*within))
    return Window(start, duration, latency)


MESSAGES: tuple[type[Layer], ...] = (InitiateKeyEstablishment, EphemeralData, ConfirmKeyData)  # of key establishment, in order
SUITE = Suite.CBKE_ECMQV_K163
MESSAGE_SIZES = {  # octets, for this suite
    InitiateKeyEstablishment: len(encode(InitiateKeyEstablishment.of())), EphemeralData: EPHEMERAL_KEY_SIZES[SUITE],
    ConfirmKeyData: CODE_SIZE,
}
LONGEST_SURPLUS = 6  # octets: with more, the longest message would need fragments
SHORTEST_WAIT = 20  # seconds: more than a device needs to begin again by itself


def messages(*, first: bool = True) -> SearchStrategy[type[Layer]]:
    """The three messages that either party of key establishment sends, with or without the first."""
    return st.sampled_from(MESSAGES if first else MESSAGES[1:])


def misplaced_messages(*, first: bool = False) -> SearchStrategy[tuple[type[Layer], type[Layer]]]:
    """A place in key establishment, by the message that belongs there, and another that is sent instead; with `first`, also the
    first message once more, which from an initiator would be a new beginning."""
    wrong = MESSAGES if first else MESSAGES[1:]
    return st.sampled_from([(right, other) for right in MESSAGES for other in wrong if right is not other])


def no_points() -> SearchStrategy[bytes]:
    """What is no ephemeral public key, in the length of one: nothing computed, no compressed point, a coordinate out of the field."""
    size = EPHEMERAL_KEY_SIZES[SUITE]
    return st.sampled_from([bytes(size), bytes([0xFF]) * size, b"\x02" + bytes([0xFF]) * (size - 1)])


def lengthened_messages() -> SearchStrategy[tuple[type[Layer], int]]:
    """A message of key establishment, and by how many octets it is longer than it must be."""
    return st.tuples(messages(), st.integers(1, LONGEST_SURPLUS))


def shortened_messages() -> SearchStrategy[tuple[type[Layer], int]]:
    """A message of key establishment, and by how many octets (negative) it is shorter than it must be; 1 and all as edges."""
    return messages().flatmap(lambda message: st.tuples(
        st.just(message), st.one_of(st.sampled_from([-1, -MESSAGE_SIZES[message]]), st.integers(-MESSAGE_SIZES[message], -1))
    ))


def altered_keys() -> SearchStrategy[tuple[type[Layer], int, int]]:
    """A message that carries a public key, the octet of certificate or key that is altered, and the bits that change in it."""
    sizes = {InitiateKeyEstablishment: CERTIFICATE_SIZES[SUITE], EphemeralData: EPHEMERAL_KEY_SIZES[SUITE]}
    return st.sampled_from(sorted(sizes, key=str)).flatmap(
        lambda message: st.tuples(st.just(message), st.integers(0, sizes[message] - 1), st.integers(1, 0xFF))
    )


def sequence_numbers() -> SearchStrategy[int]:
    """ZCL transaction sequence numbers, the first and the last often."""
    return st.one_of(st.sampled_from([0x00, 0xFF]), st.integers(0x00, 0xFF))


def unknown_suites() -> SearchStrategy[int]:
    """Crypto suites that nobody has defined: no bit, one or several, and none of the known ones."""
    reserved = [1 << bit for bit in range(16) if not 1 << bit & sum(Suite)]
    return st.one_of(
        st.sampled_from([0, *reserved]), st.sets(st.sampled_from(reserved), min_size=1).map(sum)
    )


def wait_times() -> SearchStrategy[int]:
    """Wait times of a Terminate in seconds that make a difference to a device; the longest often."""
    return st.one_of(st.sampled_from([SHORTEST_WAIT, MAXIMUM_SECONDS]), st.integers(SHORTEST_WAIT, MAXIMUM_SECONDS))


class When(StrEnum):
    """Where in its window a device is switched on."""

    BEFORE = "before"
    INSIDE = "inside"  # while the first permit-join lasts
    LATE = "late"  # when the first permit-join has run out and the window has not
    AT_THE_END = "at the end"
    AFTER = "after"


@dataclass(frozen=True)
class Arrival:
    """A window ordered at time 0 and the instant, in seconds, at which its device is switched on."""

    window: Window
    comes: float

    @property
    def longer(self) -> float:
        """The duration of a window that starts with it and is still open when the device has come and tried."""
        return max(self.window.duration, self.comes - self.window.start) + 3 * SCANNING_TIME


SCANNING_TIME = 10  # seconds that lie between being switched on and being let in, at most
LONGEST_PLAYED = 600  # seconds: a window that is played to its end
_LATENCIES = (0.0, 0.4, 4.0)


@st.composite
def arrivals(draw: st.DrawFn, *when: When) -> Arrival:
    """Devices that come before, in, at the very end of, and after a window of half a minute to ten (all of them by default)."""
    chosen = draw(st.sampled_from(when or tuple(When)))
    shortest = LONGEST_PERMIT_JOIN + 3 * SCANNING_TIME if chosen is When.LATE else 3 * SCANNING_TIME
    edges = [edge for edge in (*_DURATION_EDGES, float(LONGEST_PLAYED)) if shortest <= edge <= LONGEST_PLAYED]
    duration = draw(st.one_of(st.sampled_from(edges), _whole(shortest, LONGEST_PLAYED)))
    window = Window(draw(_whole(SCANNING_TIME, 60)), duration, draw(st.sampled_from(_LATENCIES)))
    opened = window.start + window.latency  # the head-end sends an order on when its window starts
    first, last = {
        When.BEFORE: (0.0, window.start - 5),
        When.INSIDE: (opened, min(opened + LONGEST_PERMIT_JOIN, window.end) - SCANNING_TIME),
        When.LATE: (opened + LONGEST_PERMIT_JOIN, window.end - SCANNING_TIME),
        When.AT_THE_END: (window.end - SCANNING_TIME / 2, window.end),
        When.AFTER: (window.end, window.end + SCANNING_TIME),
    }[chosen]
    return Arrival(window, draw(st.one_of(st.sampled_from([first, last]), st.floats(first, last))))


def hostile_documents(kinds: Iterable[str] = hostile.KINDS) -> SearchStrategy[Hostile]:
    """Documents that are a danger to whoever reads them as XML, each kind in the sizes that are too much for somebody."""
    every = [Hostile(kind, size) for kind in kinds for size in hostile.sizes(kind)]
    if not every:
        raise ValueError(f"a hostile document is of a kind: {', '.join(hostile.KINDS)}")
    return st.sampled_from(every)


def repetitions() -> SearchStrategy[float]:
    """After how many seconds a message comes once more: at once, before and after an answer, a try or three later."""
    return st.one_of(st.sampled_from([0.0, 0.001, 1.0, 10.0, LONGEST_REPETITION]), st.floats(0.0, LONGEST_REPETITION))


def latenesses() -> SearchStrategy[float]:
    """By how many seconds a message is late: hardly, just before and after somebody asks again, later than anybody asks."""
    return st.one_of(st.sampled_from([0.001, 1.0, 9.0, 11.0, LONGEST_REPETITION]), st.floats(0.0, LONGEST_REPETITION))


def overdue() -> SearchStrategy[float]:
    """By how many seconds a message is so late that it was sent again before, by whoever does so within a minute."""
    return st.one_of(st.sampled_from([LONGEST_RETRY + 1.0, 2 * LONGEST_RETRY]), st.floats(LONGEST_RETRY + 1.0, 2 * LONGEST_RETRY))


def losses() -> SearchStrategy[int]:
    """How many messages in a row get lost where the third is still to come through."""
    return st.sampled_from([1, 2])
