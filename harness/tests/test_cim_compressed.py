"""A payload that travels compressed: read where it is one, refused within a bound on memory where it is a bomb."""

from __future__ import annotations

import base64
import gzip
import tracemalloc
import zlib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cim.check import check_message
from harness.cim.compressed import inflated
from harness.cim.envelope import read
from harness.cim.tree import MAX_OCTETS, local

GENERIC = Path(__file__).parents[2] / "fixtures" / "cim" / "messages" / "good" / "linkage-step-13-generic.xml"


def packed(octets: bytes) -> str:
    """What a sender would write into Compressed."""
    return base64.b64encode(gzip.compress(octets, mtime=0)).decode()  # without a time, tests are called alike in every worker


def carrying(text: str, more: str = "") -> bytes:
    """A generic message with this in its Compressed."""
    head, _, rest = GENERIC.read_text().partition("<Payload>")
    return f"{head}<Payload><Compressed>{text}</Compressed>{more}</Payload>{rest.partition('</Payload>')[2]}".encode()


def payload() -> bytes:
    """The payload of the generic linkage as a document of its own."""
    _, _, rest = GENERIC.read_text().partition("<Payload>")
    inner = rest.partition("</Payload>")[0].strip()
    return inner.replace(
        "LinkageConfig>", 'LinkageConfig xmlns:m="http://iec.ch/TC57/2011/MasterDataLinkageConfig#">', 1,
    ).encode()


@cache
def bomb(layers: int = 1) -> bytes:
    """64 MiB of blanks in 64 KiB; with more layers, that packed again."""
    packer = zlib.compressobj(9, wbits=31)
    made = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(64)) + packer.flush()
    return made if layers == 1 else gzip.compress(made)


def said(octets: bytes) -> list[str]:
    """What the rule about compression says."""
    return [each.message for each in check_message(octets) if each.rule == "compressed"]


@given(st.binary(max_size=4096), st.integers(1, 76))
def test_what_was_compressed_comes_out(octets: bytes, width: int) -> None:
    text = packed(octets)
    assert inflated("\n".join(text[at:at + width] for at in range(0, len(text), width))) == octets


@given(st.text(max_size=200).filter(lambda text: text.strip() != ""))
def test_what_is_nothing_compressed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not base64|not gzip|too early"):
        inflated(text)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 400))
def test_a_stream_that_is_cut_or_goes_on_is_refused(more: bytes, cut: int) -> None:
    whole = gzip.compress(payload())
    for spoilt in (whole[:min(cut, len(whole) - 1)], whole + more):
        with pytest.raises(ValueError, match="gzip"):
            inflated(base64.b64encode(spoilt).decode())


@pytest.mark.parametrize("form", ["", "<Format>XML</Format>", "<Format>xml</Format>"])
def test_a_compressed_payload_is_judged_as_if_it_stood_there(form: str) -> None:
    octets = carrying(packed(payload()), form)
    assert check_message(octets) == []
    message, _ = read(octets)
    assert message is not None
    assert message.payload is not None
    assert local(message.payload) == "MasterDataLinkageConfig"
    wrong = carrying(packed(payload().replace(b">Joined<", b">joined<")), form)
    assert [each.rule for each in check_message(wrong)] == ["status"]


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    octets = carrying(base64.b64encode(bomb()).decode())
    assert len(octets) < MAX_OCTETS
    tracemalloc.start()
    try:
        assert said(octets) == [f"inflates to more than {MAX_OCTETS} octets"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MAX_OCTETS


def test_a_bomb_inside_a_bomb_is_opened_once() -> None:
    (refusal,) = said(carrying(base64.b64encode(bomb(2)).decode()))
    assert "cannot be read" in refusal


@pytest.mark.parametrize(("text", "more", "why"), [
    ("no base64!", "", "not base64"), ("aGVsbG8=", "", "not gzip"), ("", "", "too early"),
    (packed(b"no XML"), "", "not well-formed"), (packed(b"<!DOCTYPE a []><a/>"), "", "document type"),
    (packed(b"\xff\xfe"), "", "UTF-8"), (packed(b"<a>" * 100 + b"</a>" * 100), "", "deep"),
    (packed(payload()), "<Format>RDF</Format>", "the Format is RDF"),
    (packed(payload()), '<m:x xmlns:m="urn:x"/>', "beside"), (packed(payload()), "<Compressed/>", "beside"),
])
def test_what_is_wrong_with_a_compressed_payload_is_said(text: str, more: str, why: str) -> None:
    (refusal,) = said(carrying(text, more))
    assert why in refusal
