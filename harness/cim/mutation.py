"""One change to one place of a CIM message, as a value: what is done, where, to what, and what a receiver must make of it.

A mutation can be made before the message that it is done to exists: it names its place by local names below the message, and a
message without that place stays as it is. What wraps the message (SOAP, for one) is not touched. Knows no noun and no schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from harness.cim.soap import NAMESPACES
from harness.cim.tree import SCHEMA_INSTANCE, UTF8_BOM, child, children, local, path_of, space

ELSEWHERE = "urn:example:elsewhere"  # a namespace that no schema of ours has
MESSAGE = "."  # the place of the message itself
_REFERRED = 0xF0000  # characters that are to be written as references stand this far up until the octets are made
_AS_REFERENCES = re.compile(f"[{chr(_REFERRED)}-{chr(_REFERRED + 0xFFFF)}]")
_SHOWN = 40  # characters of a long value in a mutation's name
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, strip_cdata=False)


class Claim(StrEnum):
    """What must come of it."""

    REFUSED = "must be refused"
    VALID = "stays valid; what it means is for the rules to say"
    LEGAL = "must be taken as ever"


@dataclass(frozen=True, repr=False)
class Mutation:
    """`what` is a key of CHANGES, `to` what it needs. A message that must be refused breaks at least one of `rules`."""

    what: str
    where: str
    to: str | None = None
    claim: Claim = Claim.VALID
    rules: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The mutation in words."""
        to = "" if self.to is None else f" {self.to[:_SHOWN]!a}"
        more = f"... ({len(self.to)} characters)" if self.to and len(self.to) > _SHOWN else ""
        why = f" for {' or '.join(self.rules)}" if self.rules else ""
        return f"{self.what} {self.where}{to}{more}: {self.claim}{why}"

    def made_of(self, octets: bytes) -> bytes:
        """The message, mutated; as it was where it has no such place, or is no XML."""
        try:
            root = etree.fromstring(octets, _PARSER)
        except (etree.XMLSyntaxError, ValueError):
            return octets
        if self.what in _OF_OCTETS:
            return _OF_OCTETS[self.what](octets)
        message = message_in(root)
        if message is not None and (self.what, self.to) == ("move to the namespace", ""):
            bare = message is root  # what is in no namespace must not be put into the default one by its place
            message = _reprefix(message, "n")
            root = message if bare else root
        place = None if message is None else _at(message, self.where)
        if place is None:
            return octets
        replaced = CHANGES[self.what](place, self.to or "")
        whole = root.getroottree() if replaced is None or place is not root else replaced
        made: bytes = etree.tostring(whole, xml_declaration=True, encoding="UTF-8")
        return _referring(made) if self.what == "refer to" else made


def message_in(root: etree._Element) -> etree._Element | None:
    """The CIM message of a document: its document element, or what a SOAP body holds; None for an empty body."""
    if space(root) not in NAMESPACES.values():
        return root
    body = child(root, "Body")
    first = None if body is None else next(body.iterchildren(etree.Element), None)
    return first if (inner := child(first, "message")) is None else inner  # of an operation of the generic service


def place_of(element: etree._Element) -> str:
    """The place of an element of a bare message, by local names, numbered where siblings share its name."""
    return path_of(element).partition("/")[2].partition("/")[2] or MESSAGE


def _at(message: etree._Element, where: str) -> etree._Element | None:
    found = message
    for step in () if where == MESSAGE else where.split("/"):
        name, _, number = step.removesuffix("]").partition("[")
        twins = children(found, name)
        if len(twins) < int(number or 1):
            return None
        found = twins[int(number or 1) - 1]
    return found


# -- what can be done to an element; `to` is the second argument; what comes back stands in its place from now on


def _drop(element: etree._Element, _: str) -> None:
    _parent(element).remove(element)


def _double(element: etree._Element, _: str) -> None:
    element.addnext(deepcopy(element))


def _swap(element: etree._Element, _: str) -> None:
    following = element.getnext()
    while following is not None and not isinstance(following.tag, str):
        following = following.getnext()
    if following is not None:
        following.addnext(element)


def _rename(element: etree._Element, to: str) -> None:
    element.tag = f"{{{space(element)}}}{to}" if space(element) else to


def _move(element: etree._Element, to: str) -> None:
    element.tag = f"{{{to}}}{local(element)}" if to else local(element)


def _insert(element: etree._Element, to: str) -> None:
    """`to` is at which place among the children, and the markup of what is new there."""
    number, _, markup = to.partition(" ")
    element.insert(int(number), etree.fromstring(markup))


def _say(element: etree._Element, to: str) -> None:
    element.text = to


def _set_attribute(element: etree._Element, to: str) -> None:
    name, _, value = to.partition("=")
    element.set(name, value)


def _remove_attribute(element: etree._Element, to: str) -> None:
    element.attrib.pop(to, None)


def _copy_from(element: etree._Element, to: str) -> None:
    """The text of the sibling of that name."""
    other = next(_parent(element).iterchildren(f"{{*}}{to}"), None)
    element.text = element.text if other is None else other.text


def _comment_in(element: etree._Element, to: str) -> None:
    """A comment as the first child, in the middle of the text where there is any."""
    text = element.text or ""
    half = len(text) // 2
    comment = etree.Comment(to)
    element.text, comment.tail = text[:half], text[half:]
    element.insert(0, comment)


def _instruct_in(element: etree._Element, to: str) -> None:
    element.insert(0, etree.ProcessingInstruction("vendor", to))


def _quote(element: etree._Element, _: str) -> None:
    """The same text as CDATA."""
    element.text = etree.CDATA(element.text or "")


def _refer_to(element: etree._Element, _: str) -> None:
    """The same text, each character written as a reference."""
    element.text = "".join(chr(ord(each) + _REFERRED) if ord(each) < 0xFFFE else each for each in element.text or "")


def _referring(octets: bytes) -> bytes:
    return _AS_REFERENCES.sub(lambda found: f"&#x{ord(found[0]) - _REFERRED:x};", octets.decode()).encode()


def _reprefix(element: etree._Element, to: str) -> etree._Element:
    """Every namespace under another prefix: `to` and a number, or (empty) each as the default where it is used."""
    spaces = sorted({space(each) for each in element.iter(etree.Element)} - {""})
    prefixes: dict[str | None, str] = {f"{to}{number}": each for number, each in enumerate(spaces)} if to else {}
    made = _spelt(element, prefixes, None)
    parent = element.getparent()
    if parent is not None:
        parent.replace(element, made)
    return made


def _spelt(
    element: etree._Element, prefixes: Mapping[str | None, str], parent: etree._Element | None,
) -> etree._Element:
    own = prefixes or {None: space(element)}
    made = etree.Element(str(element.tag), dict(element.attrib), own) if parent is None else etree.SubElement(
        parent, str(element.tag), dict(element.attrib), own,
    )
    made.text, made.tail = element.text, element.tail
    for each in element:
        if isinstance(each.tag, str):
            _spelt(each, prefixes, made)
        else:
            made.append(deepcopy(each))
    return made


def _space_out(element: etree._Element, to: str) -> None:
    """`to` between all elements; nothing for nothing."""
    for each in element.iter(etree.Element):
        if len(each):
            each.text = to
            for inner in each:
                inner.tail = to


def _hint(element: etree._Element, to: str) -> None:
    element.set(f"{{{SCHEMA_INSTANCE}}}schemaLocation", to)


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    if parent is None:
        raise ValueError("the document element has nothing around it")
    return parent


CHANGES: Mapping[str, Callable[[etree._Element, str], etree._Element | None]] = {
    "drop": _drop, "double": _double, "swap with the next": _swap, "rename": _rename, "move to the namespace": _move,
    "insert into": _insert, "say": _say, "set attribute of": _set_attribute, "remove attribute of": _remove_attribute,
    "copy the text of a sibling into": _copy_from, "comment in": _comment_in, "instruct in": _instruct_in, "quote": _quote,
    "refer to": _refer_to, "prefix anew": _reprefix, "space out": _space_out, "hint at": _hint,
}

_DECLARATION = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml[^>]*\?>\s*")
_OF_OCTETS: Mapping[str, Callable[[bytes], bytes]] = {
    "leave out the declaration of": lambda octets: _DECLARATION.sub(b"", octets),
    "declare in single quotes": lambda octets: b"<?xml version='1.0' encoding='utf-8' standalone='yes'?>" + _DECLARATION.sub(b"", octets),
    "mark the byte order of": lambda octets: UTF8_BOM + octets.removeprefix(UTF8_BOM),
    "end lines in two characters": lambda octets: octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "comment after": lambda octets: octets + b"<!-- the end -->\n",
}
OF_OCTETS = tuple(_OF_OCTETS)
