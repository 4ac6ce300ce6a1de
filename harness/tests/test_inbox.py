"""What waits to be looked at is bounded: by number, by octets, and for good where it is to last."""

from __future__ import annotations

import pytest

from harness.backhaul.carrier import Parcel
from harness.backhaul.inbox import Inbox, Room


class Dropped(list[str]):
    """A carrier that keeps what it is told to drop."""

    drop = list.append
    send = close = address_of = None


def filled(room: Room, *bodies: bytes) -> tuple[Inbox, Dropped]:
    inbox, carrier = Inbox(room), Dropped()
    for number, body in enumerate(bodies):
        inbox.put("cim", Parcel(body, exchange=f"x{number}"), carrier)  # type: ignore[arg-type]
    return inbox, carrier


def taken(inbox: Inbox) -> list[Parcel]:
    return [parcel for _, parcel in iter(inbox.take, None)]


@pytest.mark.parametrize("room", [Room(parcels=2), Room(octets=2), Room(parcels=2, lasting=True)])
def test_what_finds_no_room_is_counted_and_told_once(room: Room) -> None:
    inbox, carrier = filled(room, b"1", b"2", b"3", b"4")
    assert carrier == ["x2", "x3"]
    first, second, told = taken(inbox)
    assert (first.octets, second.octets) == (b"1", b"2")
    assert told.flaw == "a flood: 2 more came than there was room for, and were not looked at"


def test_what_was_taken_makes_room_but_for_one_that_lasts() -> None:
    for lasting, octets in ((False, [b"2"]), (True, [])):
        inbox, _ = filled(Room(parcels=1, lasting=lasting), b"1", b"lost")
        assert len(taken(inbox)) == 2
        inbox.put("cim", Parcel(b"2"))
        assert [parcel.octets for parcel in taken(inbox)] == octets


def test_nothing_is_nothing_after_the_wait() -> None:
    assert Inbox(Room()).take(0.01) is None
