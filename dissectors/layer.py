"""The bridge between Scapy's declarations and the read-only records that everybody else sees.

A `Layer` is a Scapy packet that declares the fields of one wire structure in wire order. `parse` and `encode` turn octets
into a `Record` and back, strictly: a structure is read completely, or `Malformed` says why not. This module knows nothing of
any protocol; what follows a structure on the wire is the affair of the module that declares it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from scapy.fields import ConditionalField, Field
from scapy.packet import Packet


class Malformed(ValueError):
    """Octets that are not what their protocol says they should be; the message is the reason."""


class Record:
    """One decoded structure: its layer (the class that declares it) and its fields, by the specification's names.

    Fields read as attributes; an optional field that is absent reads as None, an unknown name is an AttributeError. Nested
    structures are Records, lists are tuples. Records are equal when layer and fields are, and never change.
    """

    __slots__ = ("_fields", "layer")

    layer: type[Layer]
    _fields: Mapping[str, Any]

    def __init__(self, layer: type[Layer], fields: Mapping[str, Any]) -> None:
        object.__setattr__(self, "layer", layer)
        object.__setattr__(self, "_fields", MappingProxyType(dict(fields)))

    def __getattr__(self, name: str) -> Any:
        try:
            return self._fields[name]
        except KeyError:
            raise AttributeError(f"{self.layer.__name__} has no field {name!r}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Record never changes; use replace()")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.layer is other.layer and dict(self._fields) == dict(other._fields)

    def __hash__(self) -> int:
        return hash((self.layer, tuple(self._fields.items())))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.plain().items())
        return f"{self.layer.__name__}({shown})"

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def __reduce__(self) -> tuple[Any, ...]:
        return (Record, (self.layer, dict(self._fields)))

    @property
    def name(self) -> str:
        """The structure's name, as its layer is called."""
        return self.layer.__name__

    def is_a(self, layer: type[Layer]) -> bool:
        """Whether this record was declared by `layer`."""
        return self.layer is layer

    def replace(self, **changes: Any) -> Record:
        """A copy with some fields changed; a name that the record does not have is a TypeError."""
        unknown = changes.keys() - self._fields.keys()
        if unknown:
            raise TypeError(f"{self.name} has no field {sorted(unknown)}")
        return Record(self.layer, {**self._fields, **changes})

    def joined(self, **parts: Any) -> Record:
        """A copy that also carries what follows it on the wire (`security`, `command`, `payload` ...)."""
        return Record(self.layer, {**self._fields, **parts})

    def plain(self) -> dict[str, Any]:
        """The fields as JSON can carry them: EUI-64 as 16 hex digits, octets as hex, key material left out."""
        declared = {field.name: field for field in _declared(self.layer)}
        return {
            name: _plain(value, declared.get(name))
            for name, value in self._fields.items()
            if not getattr(declared.get(name), "secret", False)
        }


class Layer(Packet):  # type: ignore[misc]  # Scapy's classes are untyped
    """A Scapy packet that declares one wire structure; above this package it is only a name and a maker of Records."""

    @classmethod
    def of(cls, **fields: Any) -> Record:
        """A Record of this layer; fields not named take their declared default, an unknown name is a TypeError."""
        values: dict[str, Any] = {}
        for field in cls.fields_desc:
            default = None if isinstance(field, ConditionalField) else _to_record(field.default)
            values[field.name] = fields.pop(field.name, default)
        if fields:
            raise TypeError(f"{cls.__name__} has no field {sorted(fields)}")
        return Record(cls, values)

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """Whatever is left belongs to the list or packet around this one (Scapy's hook for nested packets)."""
        return b"", s


def parse(layer: type[Layer], octets: bytes) -> tuple[Record, bytes]:
    """Read one structure from the front of `octets`; returns it and the octets after it. Raises Malformed."""
    packet = layer()
    try:
        rest = packet.do_dissect(octets)
    except Malformed:
        raise
    except (struct.error, IndexError, ValueError) as fault:
        raise Malformed(f"{layer.__name__} is cut short or unreadable ({len(octets)} octets): {fault}") from fault
    return _to_record(packet), rest


def parse_whole(layer: type[Layer], octets: bytes) -> Record:
    """Read one structure that must fill `octets`. Raises Malformed, also for octets left over."""
    record, rest = parse(layer, octets)
    if rest:
        raise Malformed(f"{layer.__name__} leaves {len(rest)} octets unread")
    return record


def encode(record: Record) -> bytes:
    """The octets of one structure, without what follows it. Raises Malformed for a value that does not fit its field."""
    try:
        return bytes(packet_of(record).self_build())
    except (struct.error, TypeError, ValueError, OverflowError) as fault:
        raise Malformed(f"{record!r} cannot be encoded: {fault}") from fault


def packet_of(record: Record) -> Layer:
    """The Scapy view of a record (for show(), summaries and pcap writers inside this package)."""
    values = {}
    for field in _declared(record.layer):
        value = _to_scapy(record._fields.get(field.name))
        if value is not None or getattr(field, "none_is_a_value", False):
            values[field.name] = value
    return record.layer(**values)


def _declared(layer: type[Layer]) -> Iterator[Field[Any, Any]]:
    for field in layer.fields_desc:
        yield field.fld if isinstance(field, ConditionalField) else field


def _to_record(value: Any) -> Any:
    if isinstance(value, Packet):
        absent = {
            field.name for field in value.fields_desc if isinstance(field, ConditionalField) and not field.cond(value)
        }
        names = (field.name for field in value.fields_desc)
        return Record(type(value), {
            name: None if name in absent else _to_record(value.fields.get(name)) for name in names
        })
    if isinstance(value, (list, tuple)):
        return tuple(_to_record(item) for item in value)
    return value


def _to_scapy(value: Any) -> Any:
    if isinstance(value, Record):
        return packet_of(value)
    if isinstance(value, tuple):
        return [_to_scapy(item) for item in value]
    return value


def _plain(value: Any, field: Field[Any, Any] | None) -> Any:
    if isinstance(value, Record):
        return value.plain()
    if isinstance(value, (tuple, list)):
        return [_plain(item, field) for item in value]
    if value is not None and hasattr(field, "plain"):
        return field.plain(value)
    return value.hex() if isinstance(value, (bytes, bytearray)) else value
