"""What travels in gzip, as octets or in base64, opened for whoever changes something in it, and packed again. Knows no secret.

Another compressor may have packed it: what was changed has other octets, but the same content, whole where it was whole.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Callable

LARGEST = 1 << 18  # octets of content that are looked at in one message; what lies behind them is not kept where they were changed
_GZIP = 16 + zlib.MAX_WBITS  # what tells zlib to expect a gzip header
_MAGIC = b"\x1f\x8b\x08"
_CHECK = 4  # octets at the end of a stream without which it is not whole
_STEP = 256  # octets at a time, so that what stands before a fault is read
_FIRST = 1024  # octets within which a stream must begin to say something: a header is shorter
_BASE64 = re.compile(rb"H4sI[A-Za-z0-9+/\s]*={0,2}")  # how the magic begins there


def changed_inside(octets: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The octets with `change` made inside each gzip stream in them; the octets as they are where it changes nothing."""
    opened = _Opened(change)
    octets = _BASE64.sub(lambda found: opened.in_base64(found[0]), octets)
    at = octets.find(_MAGIC)
    while at >= 0 and opened.left > 0:
        octets = octets[:at] + changed if (changed := opened.stream(memoryview(octets)[at:])) is not None else octets
        at = octets.find(_MAGIC, at + len(_MAGIC))
    return octets


class _Opened:
    """The streams of one message; `left` is how many octets of content may still be looked at."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        self.left = LARGEST
        self._change = change

    def in_base64(self, written: bytes) -> bytes:
        """The text with the stream in it changed."""
        letters = b"".join(written.split()).rstrip(b"=")
        try:
            stream = base64.b64decode(letters[:len(letters) // 4 * 4])  # what was cut off in the middle of four shows no octet more
            stream += base64.b64decode(letters[len(stream) // 3 * 4:] + b"=" * (-len(letters) % 4))
        except binascii.Error:
            pass  # one letter alone is less than an octet
        changed = self.stream(memoryview(stream)) if self.left > 0 else None
        return written if changed is None else base64.b64encode(changed)

    def stream(self, octets: memoryview) -> bytes | None:
        """The stream at the beginning, packed anew, and what follows it; None where nothing is changed in it."""
        stream, content, at = zlib.decompressobj(_GZIP), b"", 0
        try:
            while at < len(octets) and not stream.eof and len(content) < self.left and (content or at < _FIRST):
                content += stream.decompress(octets[at:at + _STEP], self.left - len(content))
                at += _STEP
        except zlib.error:
            pass  # what was read up to there is looked at all the same
        self.left -= len(content)
        changed = self._change(content) if content else content
        if changed == content:
            return None
        packed = gzip.compress(changed, mtime=0)
        return packed + stream.unused_data + bytes(octets[at:]) if stream.eof else packed[:-_CHECK]
