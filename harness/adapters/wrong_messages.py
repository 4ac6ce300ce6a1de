"""Wrong CIM messages made of right ones: changes to one place of a message's tree, by local names.

For defects and provocations; knows no actor and no clause. A change is given a tree that is its own, and returns it.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any
from uuid import UUID

from lxml import etree

from harness.cim.nouns import ENVELOPE
from harness.cim.tree import SCHEMA_INSTANCE, child

Change = Callable[[etree._Element], etree._Element]

NOWHERE = "METER-9999"  # a meter that nobody registered
STRANGER = "acde480000000001"  # a device that nobody imported
NO_PREMISE = "000000000"
LONG_AGO, FAR_AHEAD = "2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"
AN_IDENTIFIER = "00000000-0000-4000-8000-000000000000"


def place(root: etree._Element, *names: str) -> etree._Element | None:
    """The first element of the first name, and from there down the others; None where there is none."""
    return child(next(root.iter(f"{{*}}{names[0]}"), None), *names[1:])


def says(text: str, *names: str) -> Change:
    """The element there says something else."""
    return changed(lambda _: text, *names)


def changed(how: Callable[[str], str], *names: str) -> Change:
    """What the element there says is made into something else."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        if element is not None:
            element.text = how(element.text or "")
        return root

    return change


def without(*names: str) -> Change:
    """The element there is missing."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        parent = None if element is None else element.getparent()
        if element is not None and parent is not None:
            parent.remove(element)
        return root

    return change


def empty(*names: str) -> Change:
    """The element there has nothing in it."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        for inner in [] if element is None else list(element):
            inner.getparent().remove(inner)  # type: ignore[union-attr]
        return root

    return change


def with_attribute(name: str, how: Callable[[str], str], *names: str) -> Change:
    """An attribute of the element there is made into something else."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        if element is not None:
            element.set(name, how(element.get(name, "")))
        return root

    return change


def first_beside(*names: str) -> Change:
    """The element there stands before all others of its parent."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        parent = None if element is None else element.getparent()
        if element is not None and parent is not None:
            parent.insert(0, element)
        return root

    return change


def twice(*names: str, differing: Change = lambda copy: copy) -> Change:
    """The element there is there once more, changed."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        if element is not None:
            element.addnext(differing(deepcopy(element)))
        return root

    return change


def adding(name: str, text: str, after: str, *names: str) -> Change:
    """A further element, in the namespace of the one there that it comes after."""

    def change(root: etree._Element) -> etree._Element:
        before = place(root, *names, after)
        if before is not None:
            added = etree.Element(f"{{{etree.QName(before).namespace}}}{name}")
            added.text = text
            before.addnext(added)
        return root

    return change


def payload_elsewhere(how: Callable[[str], str]) -> Change:
    """The payload stands in another namespace."""

    def change(root: etree._Element) -> etree._Element:
        payload = place(root, "Payload")
        for element in [] if payload is None else payload.iterdescendants():
            qualified = etree.QName(element)
            element.tag = f"{{{how(qualified.namespace or '')}}}{qualified.localname}"
        return root

    return change


def of_a_schema_of_its_own(root: etree._Element) -> etree._Element:
    """The payload is of a namespace of the sender's, with a hint where to find a schema that would have it so."""
    own = "http://vendor.example/own"
    root.set(f"{{{SCHEMA_INSTANCE}}}schemaLocation", f"{own} http://127.0.0.1:9/own.xsd")
    return payload_elsewhere(lambda _: own)(root)


def in_space(how: Callable[[str], str], *names: str) -> Change:
    """The element there alone stands in another namespace; without a name, every element, each in its own way."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names) if names else None
        for each in [element] if element is not None else list(root.iter(etree.Element)):
            qualified = etree.QName(each)
            each.tag = f"{{{how(qualified.namespace or '')}}}{qualified.localname}"
        return root

    return change


def with_child(name: str, content: str | Mapping[str, str], *names: str, at: int | None = None) -> Change:
    """A further child of the element there (no name: of the document element), in the namespace that its children have.

    `content` is a text, or elements of the envelope with one each; `at` is its place, None the last.
    """

    def change(root: etree._Element) -> etree._Element:
        parent = place(root, *names) if names else root
        if parent is None or not len(parent):
            return root
        made = etree.Element(f"{{{etree.QName(parent[0]).namespace}}}{name}")
        parent.insert(len(parent) if at is None else at, made)
        for inner, text in ({} if isinstance(content, str) else content).items():
            etree.SubElement(made, f"{{{ENVELOPE}}}{inner}").text = text
        made.text = content if isinstance(content, str) else None
        return root

    return change


def as_generic(root: etree._Element) -> etree._Element:
    """A strongly typed request in the generic form, whatever its payload says."""
    made = etree.Element(f"{{{ENVELOPE}}}RequestMessage")
    for part in list(root):
        part.tag = f"{{{ENVELOPE}}}{etree.QName(part).localname}"
        made.append(part)
    return made


def as_fault(root: etree._Element) -> etree._Element:
    """The reply of a response in a fault."""
    made = etree.Element(f"{{{ENVELOPE}}}FaultMessage")
    reply = child(root, "Reply")
    if reply is not None:
        reply.tag = f"{{{ENVELOPE}}}Reply"
        made.append(reply)
    return made


def payload_as_text(root: etree._Element) -> etree._Element:
    """The payload is markup written as text."""
    payload = place(root, "Payload")
    if payload is not None and len(payload):
        written = etree.tostring(payload[0], encoding="unicode")
        payload.remove(payload[0])
        payload.text = written
    return root


def all_of(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def change(root: etree._Element) -> etree._Element:
        for each in changes:
            root = each(root)
        return root

    return change


def renumbered(root: etree._Element, number: int, *names: str) -> etree._Element:
    """The message with a MessageID and a CorrelationID of its own, or with those of them that are named."""
    for name in names or ("MessageID", "CorrelationID"):
        element = place(root, "Header", name)
        if element is not None:
            element.text = str(UUID(int=UUID(element.text or AN_IDENTIFIER).int ^ number))
    return root


def in_every_way(ways: Mapping[str, Change]) -> Callable[[etree._Element], Any]:
    """In place of a request, the same spoilt in each of these ways, each a message of its own."""

    def rewrite(root: etree._Element) -> tuple[etree._Element, ...]:
        return tuple(change(renumbered(deepcopy(root), number)) for number, change in enumerate(ways.values(), start=1))

    return rewrite


def and_once_more(root: etree._Element) -> tuple[etree._Element, ...]:
    """A request, and the same with other identifiers."""
    return root, renumbered(deepcopy(root), 1)


def said_a_hundred_times(root: etree._Element) -> tuple[etree._Element, ...]:
    """A message, and the same a hundred times over, each with a MessageID of its own."""
    return tuple(renumbered(deepcopy(root), number, "MessageID") for number in range(101))


def said_twice(root: etree._Element) -> tuple[etree._Element, ...]:
    """A message, and the same with another MessageID."""
    return root, renumbered(deepcopy(root), 1, "MessageID")


def with_nonce(root: etree._Element, nonce: str = "b25jZQ==") -> etree._Element:
    """The message says a number that is used once, made when the message was."""
    before = place(root, "Header", "Revision")
    before = place(root, "Header", "Noun") if before is None else before
    made = place(root, "Header", "Timestamp")
    if before is not None:
        namespace = etree.QName(before).namespace
        said = etree.Element(f"{{{namespace}}}ReplayDetection")
        etree.SubElement(said, f"{{{namespace}}}Nonce").text = nonce
        etree.SubElement(said, f"{{{namespace}}}Created").text = LONG_AGO if made is None else made.text
        before.addnext(said)
    return root


def under_one_nonce(root: etree._Element) -> tuple[etree._Element, ...]:
    """A request, and the same with other identifiers, both with one nonce."""
    return tuple(with_nonce(each) for each in and_once_more(root))


def compressed_beside(root: etree._Element) -> etree._Element:
    """The payload stands there, and once more compressed."""
    payload = place(root, "Payload")
    if payload is not None and len(payload):
        packed = base64.b64encode(gzip.compress(etree.tostring(payload[0]), mtime=0)).decode()
        etree.SubElement(payload, f"{{{etree.QName(payload).namespace}}}Compressed").text = packed
    return root


def and_under_its_id(change: Change) -> Callable[[etree._Element], Any]:
    """A request, and another one with the same MessageID."""

    def rewrite(root: etree._Element) -> tuple[etree._Element, etree._Element]:
        other = renumbered(deepcopy(root), 1)
        message_id = place(root, "Header", "MessageID")
        return root, says(message_id.text or "" if message_id is not None else "", "Header", "MessageID")(change(other))

    return rewrite


_SWAPPED = {"19": "16", "16": "19"}


def of_another_type(code: str) -> str:
    """The code for the other of the two device types."""
    kind, _, rest = code.partition(".")
    return f"{_SWAPPED.get(kind, kind)}.{rest}"


def _of_kind(kind: int) -> Callable[[str], str]:
    return lambda code: f"{kind}.{code.partition('.')[2]}"


A_METER = _of_kind(3)
