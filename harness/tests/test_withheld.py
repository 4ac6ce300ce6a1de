"""Key material covered in evidence however it is written, and put back where it was; octets in, octets out."""

from __future__ import annotations

import base64
import gzip

import pytest

from harness.evidence.packed import LARGEST, changed_inside
from harness.evidence.withheld import Withheld

CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505C3B5")
LINK_KEY = bytes.fromhex("66b6900981e1ee3ca4206b6b861c02bb")


@pytest.mark.parametrize("written", [
    CODE.hex().encode(), CODE.hex().upper().encode(), b"83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5",
    b"83:fe:d3:40:7a:93:97:23:a5:c6:39:b2:69:16:d5:05:c3:b5", b"g/7TQHqTlyOlxjmyaRbVBcO1", CODE, LINK_KEY,
    LINK_KEY.hex().encode(),
])
def test_what_is_withheld_is_covered_however_it_is_written(written: bytes) -> None:
    withheld = Withheld((CODE, LINK_KEY))
    octets = b"<key>" + written + b"</key>"
    covered = withheld.cover(octets)
    assert written not in covered
    assert b"withh" in covered
    assert len(covered) == len(octets)
    assert withheld.uncover(covered) == octets


@pytest.mark.parametrize("written", [
    CODE[:-2] + b"\x00\x00", CODE[:-2], LINK_KEY[1:], LINK_KEY[:9] + b"\xff" + LINK_KEY[10:], CODE[5:] + b"\x01\x02",
])
@pytest.mark.parametrize("form", ["raw", "upper", "lower", "spaced", "utf-16-le", "utf-16-be"])
def test_a_part_of_what_is_withheld_is_covered_too(written: bytes, form: str) -> None:
    """A case orders an install code with another CRC, or a key that was cut short: what is left of it gives away the rest."""
    text = written.hex(" ", 2) if form == "spaced" else written.hex().upper() if form == "upper" else written.hex()
    octets = written if form == "raw" else text.encode(form if form.startswith("utf") else "ascii")
    withheld = Withheld((CODE, LINK_KEY))
    covered = withheld.cover(b"<key>" + octets + b"</key>")
    shown = covered.replace(b"\0", b"").replace(b" ", b"").lower()
    for secret in (CODE, LINK_KEY):
        for at in range(len(secret) - 8):
            part = secret[at:at + 9]
            assert part not in covered
            assert part.hex().encode() not in shown
    assert len(covered) == len(octets) + 11
    assert withheld.uncover(covered) == b"<key>" + octets + b"</key>"


@pytest.mark.parametrize("cut", [0, 2, 9])
@pytest.mark.parametrize("text", [CODE.hex(), CODE.hex(" ", 2).upper(), LINK_KEY.hex()])
def test_what_is_withheld_is_covered_where_it_was_compressed(text: str, cut: int) -> None:
    content = b"".join(f"<m:installCode n='{number}'>{text}</m:installCode>".encode() for number in range(60))
    stream = gzip.compress(content, mtime=7)[:-cut or None]
    withheld = Withheld((CODE, LINK_KEY))
    for octets in (stream, b"before" + stream, b"<Compressed>" + base64.encodebytes(stream) + b"</Compressed>"):
        (covered,) = inflated(withheld.cover(octets))
        assert text.encode() not in covered
        assert b"withh" in covered
        (again,) = inflated(withheld.uncover(withheld.cover(octets)))
        assert again == content[:len(again)]
        assert len(again) > len(content) - 200
        assert (again == content) >= (cut == 0)


def test_what_is_compressed_and_tells_nothing_stays_as_it_is() -> None:
    withheld = Withheld((CODE, LINK_KEY))
    bombs = gzip.compress(bytes(3 * LARGEST)) * 3
    for octets in (gzip.compress(b"nothing") + b"H4sI nothing", b"\x1f\x8b\x08" * 9_000, b"H4sI" * 99_000, bombs):
        assert withheld.cover(octets) == octets


def inflated(octets: bytes) -> list[bytes]:
    """What stands in the gzip streams of some octets, as far as they go."""
    found: list[bytes] = []

    def look(content: bytes) -> bytes:
        found.extend([content] if content else [])
        return content

    changed_inside(octets, look)
    return found


def test_what_looks_like_a_mark_and_is_none_stays() -> None:
    withheld = Withheld((CODE,))
    for octets in (b"*00000i*withheld", b"*zzzzzz*", b"*0000ii*" + b"x" * 30, b"*00000i*"):
        assert withheld.uncover(octets) == octets
    assert Withheld(()).uncover(withheld.cover(CODE)) == withheld.cover(CODE) != CODE
