"""Octets of a stream taken apart into leg messages, by our framing and a codec's own, within bounds; no socket."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.backhaul.leg_bounds import Pace
from harness.backhaul.leg_framing import Splitter, framed
from harness.backhaul.named_codec import load_codec
from harness.tests.small_run import ROOT

sys.path.append(str(ROOT / "docs" / "examples"))
ACME = load_codec("acme_legs:AcmeLegCodec")


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=8), st.data())
def test_whatever_the_chunks_every_message_comes_whole(messages: list[bytes], data: st.DataObject) -> None:
    stream, splitter = b"".join(framed(each, None) for each in messages), Splitter(None, 30)
    came = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        came += list(splitter.feed(stream[:size]))
        stream = stream[size:]
    assert came == [(each, "") for each in messages]
    assert (splitter.pending, splitter.broken) == (0, False)


@given(st.binary(max_size=60), st.integers(1, 20))
def test_no_stream_makes_a_splitter_hold_more_than_it_may(noise: bytes, size: int) -> None:
    for length in (None, ACME.length):
        splitter, came = Splitter(length, 16), 0
        for start in range(0, len(noise), size):
            for piece in splitter.feed(noise[start: start + size]):
                came += len(piece.octets) + (4 if length is None and not splitter.broken else 0)
            assert splitter.pending <= 20 + size
        assert splitter.broken or came + splitter.pending == len(noise)


def test_a_second_holds_so_many_and_no_more() -> None:
    pace = Pace(3)
    assert [pace.after_one(at) for at in (5.1, 5.2, 5.4)] == [0.0, 0.0, pytest.approx(0.6)]
    assert [pace.after_one(at) for at in (6.0, 7.5, 7.6)] == [0.0, 0.0, 0.0]
