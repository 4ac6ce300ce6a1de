"""Every strategy reaches its edges and never leaves its range."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis.strategies import SearchStrategy

from dissectors.clusters.key_establishment import EphemeralData
from dissectors.security import WELL_KNOWN_LINK_KEY
from harness import strategies
from harness.cim import hostile
from harness.crypto.cbke import check_ephemeral
from harness.crypto.install_code import CODE_LENGTHS, Flaw, InstallCode, InstallCodeError
from harness.strategies import LONGEST_PERMIT_JOIN, Arrival, MalformedInstallCode, When, Window
from harness.values import Eui64

quick = settings(max_examples=60, deadline=None, database=None)
EXAMPLES = 500  # enough for each edge to come up, the same ones in every run


@cache
def sample(make: Callable[[], SearchStrategy[Any]]) -> tuple[Any, ...]:
    """What a strategy gives."""
    given_values = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(make())
    def collect(value: Any) -> None:
        given_values.append(value)

    collect()
    return tuple(given_values)


@quick
@given(strategies.eui64s())
def test_addresses_are_those_of_a_device(address: Eui64) -> None:
    assert isinstance(address, Eui64)
    assert 0 < address < (1 << 64) - 1


@pytest.mark.parametrize("edge", strategies.EUI64_EDGES, ids=str)
def test_addresses_reach_their_edges(edge: Eui64) -> None:
    assert edge in sample(strategies.eui64s)


@quick
@given(strategies.eui64s(no_device=True))
def test_addresses_that_no_device_has(address: Eui64) -> None:
    assert address in (0, (1 << 64) - 1)


@quick
@given(strategies.short_addresses())
def test_short_addresses_are_those_of_a_device(address: int) -> None:
    assert 0x0001 <= address <= 0xFFF7


@pytest.mark.parametrize("edge", strategies.SHORT_ADDRESS_EDGES)
def test_short_addresses_reach_their_edges(edge: int) -> None:
    assert edge in sample(strategies.short_addresses)


@quick
@given(strategies.link_keys())
def test_link_keys_are_secret(key: bytes) -> None:
    assert len(key) == 16
    assert key not in (bytes(16), WELL_KNOWN_LINK_KEY)


@pytest.mark.parametrize("edge", strategies.KEY_EDGES)
def test_link_keys_reach_their_edges(edge: bytes) -> None:
    assert edge in sample(strategies.link_keys)


@quick
@given(strategies.misderived_keys())
def test_misderived_keys_are_wrong(made: tuple[InstallCode, bytes]) -> None:
    code, key = made
    assert len(key) == 16
    assert key != code.link_key


@given(strategies.install_codes())
def test_install_codes_are_right(code: InstallCode) -> None:
    assert InstallCode.parse(code.octets) == code


@pytest.mark.parametrize("length", CODE_LENGTHS)
@pytest.mark.parametrize("edge", [
    lambda code: not any(code.octets[:-2]),
    lambda code: set(code.octets[:-2]) == {0xFF},
    lambda code: code.octets[-2] == 0,
    lambda code: code.octets[-1] == 0,
    lambda code: code.octets[-1] == code.octets[-2],
], ids=["zeros", "ones", "CRC 00xx", "CRC xx00", "CRC palindrome"])
def test_install_codes_reach_their_edges(length: int, edge: Callable[[InstallCode], bool]) -> None:
    assert any(edge(code) for code in sample(strategies.install_codes) if len(code.octets) == length + 2)
    assert all(len(code.octets) == length + 2 for code in strategies.install_code_edges(length))


@pytest.mark.parametrize("lengths", [(), (7,), (6, 18), (0,)])
def test_install_codes_of_impossible_lengths(lengths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="6, 8, 12, 16 octets"):
        strategies.install_codes(lengths)


@pytest.mark.parametrize("flaw", Flaw)
def test_malformed_install_codes_are_refused_for_their_flaw(flaw: Flaw) -> None:
    @quick
    @given(strategies.malformed_install_codes([flaw]))
    def refused(malformed: MalformedInstallCode) -> None:
        with pytest.raises(InstallCodeError) as refusal:
            InstallCode.parse(malformed.printed)
        assert refusal.value.flaw is malformed.flaw is flaw
        assert malformed.printed.isprintable()

    refused()
    assert any(malformed.flaw is flaw for malformed in sample(strategies.malformed_install_codes))


@pytest.mark.parametrize("octets", [0, 6, 12, 16, 20])
def test_malformed_install_codes_reach_their_lengths(octets: int) -> None:
    assert 2 * octets in {len(malformed.printed) for malformed in sample(strategies.malformed_install_codes)}


def test_a_malformed_install_code_without_a_flaw_is_impossible() -> None:
    with pytest.raises(ValueError, match="has a flaw"):
        strategies.malformed_install_codes([])


@quick
@given(strategies.windows())
def test_windows_are_possible(window: Window) -> None:
    assert window.start >= 0
    assert window.duration >= 1
    assert window.latency >= 0
    assert 0 <= window.left <= window.duration


@pytest.mark.parametrize("expired", [True, False])
@pytest.mark.parametrize(("longest", "latest_start"), [(600, 60), (1, 0), (1.5, 0.5)])
def test_windows_are_as_asked(longest: float, latest_start: float, expired: bool) -> None:
    @quick
    @given(strategies.windows(longest=longest, latest_start=latest_start, expired=expired))
    def as_asked(window: Window) -> None:
        assert (window.left == 0) is expired
        assert 1 <= window.duration <= longest
        assert 0 <= window.start <= latest_start
        assert window.latency >= 0

    as_asked()


@pytest.mark.parametrize("edge", [
    lambda window: window.start == 0,
    lambda window: window.start == strategies.LATEST_START,
    *(lambda window, duration=duration: window.duration == duration for duration in (1, 2, 3599, 10_799, 10_800)),
    *(lambda window, off=off: window.duration - LONGEST_PERMIT_JOIN == off for off in (-1, 0, 1)),
    *(lambda window, off=off: window.latency - window.start == off and window.start > 1 for off in (-1, 0, 1)),
    *(lambda window, off=off: window.latency - window.end == off for off in (-1, 0, 1)),
    *(
        lambda window, off=off, times=times: window.left - times * LONGEST_PERMIT_JOIN == off and window.latency > window.start
        for times in (1, 2)
        for off in (-1, 0, 1)
    ),
])
def test_windows_reach_their_edges(edge: Callable[[Window], bool]) -> None:
    assert any(map(edge, sample(strategies.windows)))


def test_what_follows_from_a_window() -> None:
    assert Window(60, 300, 10) == Window(start=60, duration=300, latency=10)
    assert (Window(60, 300, 10).opens, Window(60, 300, 10).end, Window(60, 300, 10).left) == (60, 360, 300)
    assert (Window(60, 300, 100).opens, Window(60, 300, 100).left) == (100, 260)
    assert (Window(60, 300, 360).left, Window(60, 300, 400).left) == (0, 0)


@pytest.mark.parametrize(("when", "where"), [
    (When.BEFORE, lambda window, comes: comes < window.start),
    (When.INSIDE, lambda window, comes: window.start <= comes < min(window.start + LONGEST_PERMIT_JOIN, window.end)),
    (When.LATE, lambda window, comes: window.start + LONGEST_PERMIT_JOIN <= comes < window.end),
    (When.AT_THE_END, lambda window, comes: window.end - 5 <= comes <= window.end),
    (When.AFTER, lambda window, comes: comes >= window.end),
])
def test_devices_come_when_they_are_told_to(when: When, where: Callable[[Window, float], bool]) -> None:
    @quick
    @given(strategies.arrivals(when))
    def comes_there(arrival: Arrival) -> None:
        assert where(arrival.window, arrival.comes)
        assert arrival.window.start + arrival.longer > max(arrival.window.end, arrival.comes)

    comes_there()


@pytest.mark.parametrize("arguments", [{"longest": 0}, {"longest": -5}, {"latest_start": -1}])
def test_impossible_windows(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="lasts 1 s or more"):
        strategies.windows(**arguments)  # type: ignore[arg-type]


def test_what_is_wrong_in_key_establishment_is_wrong_as_its_name_says() -> None:
    sizes = strategies.MESSAGE_SIZES
    assert all(-sizes[message] <= by < 0 for message, by in sample(strategies.shortened_messages))
    assert all(0 < by <= strategies.LONGEST_SURPLUS for _, by in sample(strategies.lengthened_messages))
    assert all(right is not wrong for right, wrong in sample(strategies.misplaced_messages))
    assert all(octet < sizes[message] and 0 < bits <= 0xFF for message, octet, bits in sample(strategies.altered_keys))
    assert all(right is not wrong for right, wrong in sample(lambda: strategies.misplaced_messages(first=True)))
    assert 0 in (suites := sample(strategies.unknown_suites))
    assert not any(suite & 0b11 for suite in suites)
    assert {0x00, 0xFF} <= set(sample(strategies.sequence_numbers)) <= set(range(0x100))
    assert {strategies.SHORTEST_WAIT, 0xFE} <= set(sample(strategies.wait_times)) <= set(range(0xFF))


@quick
@given(strategies.no_points())
def test_what_is_no_ephemeral_key_has_the_length_of_one(octets: bytes) -> None:
    assert len(octets) == strategies.MESSAGE_SIZES[EphemeralData]
    with pytest.raises(ValueError, match="the ephemeral public key is none"):
        check_ephemeral(octets)


def test_key_establishment_without_its_first_message() -> None:
    assert set(sample(lambda: strategies.messages(first=False))) == set(strategies.MESSAGES[1:])


def test_hostile_documents_come_in_every_kind_and_size() -> None:
    drawn = {(each.kind, each.size) for each in sample(strategies.hostile_documents)}
    assert drawn == {(kind, size) for kind in hostile.KINDS for size in hostile.sizes(kind)}


def test_a_hostile_document_is_of_a_kind() -> None:
    with pytest.raises(ValueError, match="is of a kind"):
        strategies.hostile_documents([])


@quick
@given(strategies.latenesses(), strategies.overdue(), strategies.losses())
def test_what_is_overdue_was_asked_for_again_and_the_third_of_a_message_comes_through(late: float, due: float, lost: int) -> None:
    assert 0.0 <= late <= strategies.LONGEST_REPETITION < strategies.LONGEST_RETRY < due <= 2 * strategies.LONGEST_RETRY
    assert 1 <= lost <= 2


@quick
@given(strategies.repetitions())
def test_a_repetition_comes_at_once_or_later(after: float) -> None:
    assert 0.0 <= after <= strategies.LONGEST_REPETITION
