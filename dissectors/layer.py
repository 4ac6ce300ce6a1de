"""The bridge between Scapy's declarations and the read-only records that everybody else sees.

A `Layer` is a Scapy packet that declares the fields of one wire structure in wire order. `parse` and `encode` turn octets
into a `Record` and back, strictly: a structure is read completely, or `Malformed` says why not. This module knows nothing of
any protocol; what follows a structure on the wire is the affair of the module that declares it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, ClassVar

from scapy.fields import (
    BitField,
    BitFieldLenField,
    ConditionalField,
    Field,
    FieldLenField,
    FieldListField,
    PacketField,
    PacketLenField,
    PacketListField,
)
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
        object.__setattr__(self, "_fields", dict(fields))

    def __getattr__(self, name: str) -> Any:
        try:
            return self._fields[name]
        except KeyError:
            raise AttributeError(f"{self.layer.__name__} has no field {name!r}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Record never changes; use replace()")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.layer is other.layer and self._fields == other._fields

    def __hash__(self) -> int:
        return hash((self.layer, frozenset(self._fields.items())))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.plain().items())
        return f"{self.layer.__name__}({shown})"

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def __reduce__(self) -> tuple[Any, ...]:
        return (Record, (self.layer, self._fields))

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
        """A copy that also carries what follows it on the wire (`security`, `command`, `payload` ...).

        A part named like a field of the layer is a TypeError.
        """
        taken = parts.keys() & self._fields.keys()
        if taken and taken & {slot.name for slot in _layout(self.layer)}:
            raise TypeError(f"{self.name} has fields of its own among {sorted(parts)}")
        return Record(self.layer, {**self._fields, **parts})

    def plain(self) -> dict[str, Any]:
        """The fields as JSON can carry them: EUI-64 as 16 hex digits, octets as hex.

        Key material is left out, and so is a joined `payload`, which is decoded further and may carry a key in the clear.
        """
        declared = {slot.name: slot.field for slot in _layout(self.layer)}
        return {
            name: _plain(value, declared.get(name))
            for name, value in self._fields.items()
            if not (getattr(declared.get(name), "secret", False) or (name == "payload" and name not in declared))
        }


class Layer(Packet):
    """A Scapy packet that declares one wire structure; above this package it is only a name and a maker of Records."""

    fields_desc: ClassVar[list[Any]]

    @classmethod
    def of(cls, **fields: Any) -> Record:
        """A Record of this layer; fields not named take their declared default, an unknown name is a TypeError.

        An optional field whose condition does not hold is None; a length or count left at None is worked out by `encode`.
        """
        seen = SimpleNamespace()
        values: dict[str, Any] = {}
        for slot in _layout(cls):
            if slot.name in fields:
                value = _to_record(fields.pop(slot.name))
            else:
                value = slot.default if slot.condition is None or slot.condition(seen) else None
            values[slot.name] = value
            seen.__dict__[slot.name] = len(fields.get(slot.counts) or ()) if value is None and slot.counts else value
        if fields:
            raise TypeError(f"{cls.__name__} has no field {sorted(fields)}")
        return Record(cls, values)

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """Whatever is left belongs to the list or packet around this one (Scapy's hook for nested packets)."""
        return b"", s


@dataclass(frozen=True, slots=True)
class _Slot:
    """One declared field, taken apart once: its condition, its bits where it shares octets with its neighbours, and how it is
    packed where it is a plain number, for which Scapy need not be asked."""

    name: str
    field: Field[Any, Any]
    condition: Callable[[Any], bool] | None
    default: Any
    counts: str | None  # the list whose entries a count field counts
    bits: int  # width in bits of a bit field, else 0
    number: struct.Struct | None


_LAYOUTS: dict[type[Layer], tuple[_Slot, ...]] = {}  # taken apart on first use


def _layout(layer: type[Layer]) -> tuple[_Slot, ...]:
    known = _LAYOUTS.get(layer)
    if known is not None:
        return known
    slots = []
    for declared in layer.fields_desc:
        conditional = isinstance(declared, ConditionalField)
        field = declared.fld if conditional else declared
        counts = (field.count_of or field.length_of) if isinstance(field, (FieldLenField, BitFieldLenField)) else None
        bits = field.size if isinstance(field, BitField) else 0
        if bits and field.rev:
            raise TypeError(f"{layer.__name__}.{field.name}: declare the bits octet by octet, most significant first")
        condition = declared.cond if conditional else None
        slots.append(_Slot(field.name, field, condition, _to_record(field.default), counts, bits, _packing(field)))
    _LAYOUTS[layer] = tuple(slots)
    return _LAYOUTS[layer]


def _packing(field: Field[Any, Any]) -> struct.Struct | None:
    """How a field is packed that does nothing but that."""
    packed: struct.Struct = field.struct
    is_plain = all(getattr(type(field), verb) is getattr(Field, verb) for verb in ("getfield", "addfield", "i2m", "m2i"))
    return packed if is_plain and field.fmt[-1] in "BHIQ" else None


def parse(layer: type[Layer], octets: bytes) -> tuple[Record, bytes]:
    """Read one structure from the front of `octets`; returns it and the octets after it. Raises Malformed.

    The fields are those that Scapy knows, read without building a packet: conditions and lengths look at a namespace of what
    has been read so far. A list that ends before its count and a nested structure cut short are Malformed, not shortened.

    What was read is remembered: each radio that hears a frame reads it, and whoever judges it reads it again.
    """
    return _read(layer, octets)  # type: ignore[arg-type]  # mypy takes the hash of packets for that of the class


def forget() -> None:
    """Read everything anew from now on, for whoever measures how long that takes."""
    _read.cache_clear()


@lru_cache(maxsize=16_384)
def _read(layer: Any, octets: bytes) -> tuple[Record, bytes]:
    seen = SimpleNamespace()
    values = seen.__dict__
    rest = octets
    window = width = 0  # bits of the octet or octets that a run of bit fields shares, and how many of them are left
    name = ""
    try:
        for slot in _layout(layer):
            name = slot.name
            if slot.condition is not None and not slot.condition(seen):
                values[name] = None
            elif slot.bits:
                while width < slot.bits:
                    window, width, rest = window << 8 | rest[0], width + 8, rest[1:]
                width -= slot.bits
                values[name] = window >> width
                window &= (1 << width) - 1
            elif slot.number is not None:
                (values[name],), rest = slot.number.unpack_from(rest), rest[slot.number.size :]
            else:
                rest, values[name] = read_field(slot.field, seen, rest)
    except Malformed as fault:
        raise Malformed(f"{layer.__name__}: {fault}") from fault
    except (struct.error, IndexError, ValueError) as fault:
        raise Malformed(f"{layer.__name__} is cut short or unreadable at {name}, octet {len(octets) - len(rest)}") from fault
    return Record(layer, values), rest


def read_field(field: Field[Any, Any], seen: Any, octets: bytes) -> tuple[bytes, Any]:
    """Read one field as Scapy's `getfield` does, but strictly: what is left, and the value.

    `seen` holds the fields before it as attributes.
    """
    if isinstance(field, (FieldListField, PacketListField)):
        return _read_list(field, seen, octets)
    if isinstance(field, PacketField):
        if isinstance(field, PacketLenField):
            inside, rest = take(octets, field.length_from(seen), field.name)
            return rest, parse_whole(field.cls, inside)
        record, rest = parse(field.cls, octets)
        return rest, record
    rest, value = field.getfield(seen, octets)
    return rest, _to_record(value)


def _read_list(field: Field[Any, Any], seen: Any, octets: bytes) -> tuple[bytes, Any]:
    count = None if field.count_from is None else field.count_from(seen)
    length = len(octets) if field.length_from is None else field.length_from(seen)
    inside, rest = take(octets, length, field.name)
    entries: list[Any] = []
    while inside if count is None else len(entries) < count:
        if isinstance(field, FieldListField):
            inside, entry = read_field(field.field, seen, inside)
        else:
            entry, inside = parse(field.cls, inside)
        entries.append(entry)
    return inside + rest, tuple(entries)


def take(octets: bytes, count: int, what: str) -> tuple[bytes, bytes]:
    """Split off the first `count` octets. Raises Malformed when there are fewer."""
    if len(octets) < count:
        raise Malformed(f"{what} needs {count} octets, {len(octets)} are left")
    return octets[:count], octets[count:]


def parse_whole(layer: type[Layer], octets: bytes) -> Record:
    """Read one structure that must fill `octets`. Raises Malformed, also for octets left over."""
    record, rest = parse(layer, octets)
    if rest:
        raise Malformed(f"{layer.__name__} leaves {len(rest)} octets unread")
    return record


def encode(record: Record) -> bytes:
    """The octets of one structure, without what follows it. Raises Malformed for a value that does not fit its field."""
    seen = SimpleNamespace(**record._fields)
    octets = held = b""
    window = width = 0
    name = cut = ""
    value: Any = None
    try:
        for slot in _layout(record.layer):
            name = slot.name
            if slot.condition is not None and not slot.condition(seen):
                continue
            value = record._fields.get(name)
            if value is None and not getattr(slot.field, "none_is_a_value", False):
                value = _measured(record, slot, seen) if slot.counts else slot.default
                setattr(seen, name, value)
            if slot.bits:
                if value >> slot.bits:
                    raise ValueError(f"more than {slot.bits} bits")
                window, width = window << slot.bits | value, width + slot.bits
                if width % 8 == 0:
                    octets += window.to_bytes(width // 8, "big")
                    window = width = 0
            elif slot.number is not None and not (cut or held or value is None):
                octets += slot.number.pack(value)
            elif value is None and getattr(slot.field, "may_be_cut", False):
                if getattr(slot.field.field, "none_is_a_value", False):
                    held = write_field(slot.field.field, seen, held, None)  # written only if something follows
                else:
                    cut = cut or name
            elif cut:
                raise ValueError(f"{cut} is left out, but what follows it is not")
            else:
                octets, held = write_field(slot.field, seen, octets + held, value), b""
        if width:
            raise ValueError(f"the bits before it do not fill octets, {width} are over")
    except (struct.error, TypeError, ValueError, OverflowError, AttributeError) as fault:
        shown = f" = {value}" if isinstance(value, int) else ""  # octets may be a key
        raise Malformed(f"{record.name} cannot be encoded: {name}{shown}: {str(fault).splitlines()[0]}") from fault
    return octets


def write_field(field: Field[Any, Any], seen: Any, octets: bytes, value: Any) -> bytes:
    """Append one field to `octets` as Scapy's `addfield` does; nested structures are Records."""
    if isinstance(field, FieldListField):
        for entry in value:
            octets = write_field(field.field, seen, octets, entry)
        return octets
    if isinstance(field, PacketListField):
        return octets + b"".join(encode(entry) for entry in value)
    if isinstance(field, PacketField):
        return octets + (b"" if value is None else encode(value))
    return bytes(field.addfield(seen, octets, _to_scapy(value)))


def _measured(record: Record, slot: _Slot, seen: Any) -> int:
    """What a length or count field says where the record leaves it open."""
    counted = next(each for each in _layout(record.layer) if each.name == slot.counts)
    value = record._fields.get(counted.name) or ()
    size = len(write_field(counted.field, seen, b"", value)) if slot.field.length_of else len(value)
    return int(slot.field.adjust(seen, size))


def packet_of(record: Record) -> Layer:
    """The Scapy view of a record (for show(), summaries and pcap writers inside this package)."""
    values = {}
    for slot in _layout(record.layer):
        value = _to_scapy(record._fields.get(slot.name))
        if value is not None or getattr(slot.field, "none_is_a_value", False):
            values[slot.name] = value
    return record.layer(**values)


def _to_record(value: Any) -> Any:
    if isinstance(value, (int, bytes, Record)):
        return value
    if isinstance(value, Packet):
        return value.of(**value.fields)
    if isinstance(value, (list, tuple)):
        return tuple(_to_record(item) for item in value)
    return value


def _to_scapy(value: Any) -> Any:
    if isinstance(value, (int, bytes)):
        return value
    if isinstance(value, Record):
        return packet_of(value)
    if isinstance(value, tuple):
        return [_to_scapy(item) for item in value]
    return value


def _plain(value: Any, field: Field[Any, Any] | None) -> Any:
    if isinstance(value, Record):
        return value.plain()
    field = getattr(field, "field", field)  # what a list or an optional field is made of
    if isinstance(value, (tuple, list)):
        return [_plain(item, field) for item in value]
    show = getattr(field, "plain", None)
    if value is not None and show is not None:
        return show(value)
    return value.hex() if isinstance(value, (bytes, bytearray)) else value
