"""A leg codec by its name, `module:Class`: loaded, and kept apart from our own faults. Knows no wire and no bench.

What a codec refuses in octets is the peer's fault; whatever else its code raises is the laboratory's, never a device's.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from harness.backhaul.codec import LegCodec
from harness.backhaul.message import LegMessage
from harness.errors import BenchError, InputError, LocalProtocolError, RemoteProtocolError


class NamedCodec:
    """A codec of anybody's. `length` is its own framing on a stream, None where it has none."""

    def __init__(self, name: str, codec: LegCodec) -> None:
        self.name = name
        self._codec = codec
        own: Callable[[bytes], int | None] | None = getattr(codec, "length", None)
        self.length = None if own is None else lambda octets: self._asked("length", own, octets, int | None)

    def encode(self, message: LegMessage) -> bytes:
        """As `LegCodec`. Raises BenchError where the codec breaks down."""
        octets: bytes = self._asked("encode", self._codec.encode, message, bytes)
        return octets

    def decode(self, octets: bytes) -> LegMessage:
        """As `LegCodec`. Raises BenchError where the codec breaks down."""
        message: LegMessage = self._asked("decode", self._codec.decode, octets, LegMessage)
        return message

    def _asked(self, verb: str, own: Callable[[Any], Any], given: Any, kind: Any) -> Any:
        try:
            answer = own(given)
        except (RemoteProtocolError, LocalProtocolError):
            raise
        except Exception as fault:  # somebody else's code; its text may show a key, so only the type is told
            raise BenchError(f"leg codec {self.name}: {verb} raised {type(fault).__name__}") from fault
        if not isinstance(answer, kind):
            raise BenchError(f"leg codec {self.name}: {verb} gave a {type(answer).__name__}")
        return answer


def load_codec(name: str) -> NamedCodec:
    """The codec of that name; its class is called without arguments. Raises InputError saying what is missing."""
    module, _, attribute = name.partition(":")
    try:
        codec = getattr(importlib.import_module(module), attribute)()
    except Exception as fault:  # a module of somebody else's may fail in any way
        told = " ".join(str(fault).split()) or type(fault).__name__
        raise InputError(f"leg codec {name}: {told}; right would be a module:Class that can be imported") from fault
    missing = [verb for verb in ("encode", "decode") if not callable(getattr(codec, verb, None))]
    if missing:
        raise InputError(f"leg codec {name}: has no {', '.join(missing)}; right would be a class with encode and decode")
    return NamedCodec(name, codec)
