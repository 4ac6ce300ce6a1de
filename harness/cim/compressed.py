"""A payload that travels as `Compressed`: base64 of gzip, inflated within a bound; knows no noun and no envelope."""

from __future__ import annotations

import base64
import binascii
import zlib

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.tree import MAX_OCTETS, child, local, parse, path_of, text

_GZIP = 16 + zlib.MAX_WBITS  # what tells zlib to expect a gzip header


def payload_in(payload: etree._Element, *, inflates: bool) -> tuple[etree._Element | None, list[CimFinding]]:
    """The first element of a Payload, and what is wrong with its compression; None where there is nothing to read.

    With `inflates` a compressed document takes the place of `Compressed`, as if it had been sent so.
    """
    first = next(iter(payload), None)
    if first is None or (len(payload) == 1 and local(first) != "Compressed"):
        return first, []
    compressed = child(payload, "Compressed")
    if compressed is None:
        return first, []
    path = path_of(compressed)
    beside = [each for each in payload if each is not compressed and local(each) != "Format"]
    if beside:
        return beside[0], [CimFinding("compressed", f"Compressed beside {local(beside[0])}", path)]
    wanted = text(payload, "Format")
    if wanted and wanted.upper() != "XML":
        return None, [CimFinding("compressed", f"the Format is {wanted[:20]}, not XML", path)]
    if not inflates:
        return None, []  # a strongly typed payload must hold its noun's element: the schema says so
    try:
        document, findings = parse(inflated("".join(compressed.itertext())))
    except ValueError as fault:
        return None, [CimFinding("compressed", str(fault), path)]
    if document is None:
        return None, [CimFinding("compressed", f"what was compressed cannot be read: {findings[0].message}", path)]
    payload.replace(compressed, document)
    return document, findings


def inflated(written: str) -> bytes:
    """The octets behind the text of a `Compressed`, at most `MAX_OCTETS`. Raises ValueError saying what is wrong."""
    try:
        packed = base64.b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise ValueError(f"not base64: {fault}") from fault
    stream = zlib.decompressobj(_GZIP)
    try:
        octets = stream.decompress(packed, MAX_OCTETS + 1)
    except zlib.error as fault:
        raise ValueError(f"not gzip: {fault}") from fault
    if len(octets) > MAX_OCTETS:
        raise ValueError(f"inflates to more than {MAX_OCTETS} octets")
    if not stream.eof:
        raise ValueError("the gzip stream ends too early")
    if stream.unused_data:
        raise ValueError("something follows the gzip stream")
    return octets
