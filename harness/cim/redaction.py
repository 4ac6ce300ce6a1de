"""Key material out of a message before anybody keeps it; works on octets, so that no message is too broken for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

PLACEHOLDER = b"(key)"

_KEY_ELEMENT = re.compile(
    rb"((?:<|&lt;)(?:[\w.-]+:)?(?:installCode|password)(?:\s[^<>]*?)?(?<!/)(?:>|&gt;))(.*?)(?=</|&lt;/|\Z)", re.DOTALL,
)


def redacted(octets: bytes, secrets: Iterable[bytes] = ()) -> bytes:
    """The message with the content of its key elements replaced, and every `secret` (key octets) wherever it stands as hex."""
    wide = octets[:2] in (b"\xff\xfe", b"\xfe\xff")
    plain = octets.decode("utf-16", errors="replace").encode() if wide else octets
    plain = _KEY_ELEMENT.sub(rb"\g<1>" + PLACEHOLDER, plain)
    for secret in secrets:
        pairs = rb"[\s:-]?".join(b"%02x" % octet for octet in secret)
        plain = re.sub(pairs, PLACEHOLDER, plain, flags=re.IGNORECASE) if secret else plain
    return plain.decode().encode("utf-16") if wide else plain
