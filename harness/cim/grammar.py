"""What our schemas say about a place in a message: what may stand there, how often, in which order, with what kind of value.

Read from the schemas as xmlschema compiles them, so that a new element is known by itself; knows no rule beyond the schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree
from xmlschema.validators import XsdAnyElement, XsdAtomicRestriction, XsdComplexType, XsdElement, XsdGroup, XsdSimpleType, XsdType

from harness.cim.envelope import CimMessage
from harness.cim.schema import declarations
from harness.cim.tree import local

WORD, STRING, SHAPED = "word", "string", "shaped"
_KINDS = ("boolean", "dateTime", "integer", "decimal", "float", "QName")  # by the names that XML Schema gives them


@dataclass(frozen=True)
class Value:
    """The kind of a simple value: `boolean`, `dateTime`, `integer`, `decimal`, `float`, `QName`, `string`, or `word` for one of
    `words`, or `shaped` for a string that fits all `shapes`."""

    kind: str
    words: tuple[str, ...] = ()
    shapes: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True)
class Place:
    """A place among the children of an element: `name` in Clark's notation, empty for a wildcard.

    `most` is None for any number. `ordered` says that it stands in the one sequence of its parent, and not inside a choice.
    """

    name: str
    least: int
    most: int | None
    ordered: bool
    declared: XsdElement | None = field(default=None, repr=False, compare=False)

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.name.rpartition("}")[2]


@dataclass(frozen=True)
class Content:
    """What an element may hold: a value, or children in their order; and its attributes.

    `wildcards` are the namespaces (`##other`, `##any`) from which anything may stand there; `strict` says that it must be declared.
    """

    value: Value | None
    places: tuple[Place, ...] = ()
    attributes: Mapping[str, Value] = field(default_factory=dict, hash=False)
    wildcards: frozenset[str] = frozenset()
    strict: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Place]:
        """The places that have a name."""
        return {place.name: place for place in self.places if place.name}


class Grammar:
    """What the schemas of a generation (None: the one that the namespaces tell) say about the elements of one message."""

    def __init__(self, message: CimMessage, generation: str | None = None) -> None:
        self._root = message.root
        self._schema = declarations(message, generation)

    def place(self, element: etree._Element) -> Place | None:
        """Where an element stands by the schema of its parent; None for the message itself, and for what a wildcard let in."""
        parent = element.getparent()
        content = None if element is self._root or parent is None else self.content(parent)
        return None if content is None else content.by_name.get(str(element.tag))

    def content(self, element: etree._Element) -> Content | None:
        """What an element may hold; None where nothing is said about it."""
        declared = self._declared(element)
        return None if declared is None else content_of(declared)

    def _declared(self, element: etree._Element) -> XsdElement | None:
        place = self.place(element)
        if place is not None:
            return place.declared
        parent = element.getparent()
        if element is self._root or (parent is not None and parent is not self._root and local(parent) == "Payload"):
            return self._schema.maps.elements.get(str(element.tag))
        return None


def content_of(declared: XsdElement) -> Content:
    """What a declared element may hold."""
    kind = declared.type
    attributes = {
        str(name): _value(each.type) for name, each in declared.attributes.items() if name is not None and each.type is not None
    }
    if kind.simple_type is not None:
        return Content(_value(kind.simple_type), attributes=attributes)
    group = kind.content if isinstance(kind, XsdComplexType) else None
    places = tuple(_places(group)) if isinstance(group, XsdGroup) else ()
    particles = group.iter_elements() if isinstance(group, XsdGroup) else ()
    wild = [each for each in particles if isinstance(each, XsdAnyElement)]
    spaces = frozenset(space for each in wild for space in each.namespace)
    return Content(None, places, attributes, spaces, any(each.process_contents == "strict" for each in wild))


def _places(group: XsdGroup, least: int = 1, most: int | None = 1, ordered: bool = True) -> Iterator[Place]:
    ordered = ordered and group.model == "sequence" and group.max_occurs == 1
    least = least * group.min_occurs if group.model == "sequence" else 0
    most = None if most is None or group.max_occurs is None else most * group.max_occurs
    for each in group:
        if isinstance(each, XsdGroup):
            yield from _places(each, least, most, False)
            continue
        number = None if most is None or each.max_occurs is None else most * each.max_occurs
        known = each if isinstance(each, XsdElement) else None
        yield Place(str(each.name) if known is not None else "", least * each.min_occurs, number, ordered, known)


def _value(simple: XsdSimpleType) -> Value:
    if isinstance(simple, XsdAtomicRestriction) and simple.enumeration:
        return Value(WORD, tuple(map(str, simple.enumeration)))
    ancestry = list(_ancestry(simple))
    kind = next((name for name in _KINDS if name in ancestry), STRING)
    shapes = tuple(simple.patterns.patterns) if simple.patterns is not None and kind == STRING else ()
    return Value(SHAPED if shapes else kind, shapes=shapes)


def _ancestry(kind: XsdType | None) -> Iterator[str | None]:
    """The local names of a type and of everything that it was made of."""
    while kind is not None:
        yield kind.local_name
        kind = kind.base_type
