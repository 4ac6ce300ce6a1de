"""The schemas, compiled once, and what they say about a message, by rule name; xmlschema as an independent second opinion.

Only the schemas in `fixtures/cim/xsd` are ever used, a folder a generation: hints inside a message are not followed. Until 2011
the envelope's wildcard skips payloads, so in the generic form the payload is validated in a second pass, against its own
profile. The wildcards of 2018 are strict, and one pass against the envelope and all payloads is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from itertools import islice
from pathlib import Path

import xmlschema
from lxml import etree

from harness.cim.envelope import CimMessage, Form
from harness.cim.finding import CimFinding
from harness.cim.nouns import NOUNS, envelope_namespace, message_namespace, payload_namespace
from harness.cim.tree import child, local, path_of, space

MAX_FINDINGS = 50  # of one layer: a message made to be wrong ten thousand times is not looked through to its end
XSD = Path(__file__).resolve().parents[2] / "fixtures" / "cim" / "xsd"

_EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)")
_MAYBE_KEY = re.compile(r"[0-9A-Fa-f]{16,}")
_VALUE_RULES = {
    "Verb": "verb", "Result": "result", "xpath": "error-xpath", "Timestamp": "date-time", "Created": "date-time",
    "createdDateTime": "date-time", "effectiveDateTime": "date-time", "dateTime": "date-time", "start": "date-time",
    "end": "date-time", "StartTime": "date-time", "EndTime": "date-time", "MessageID": "uuid", "CorrelationID": "uuid",
}
_OF_A_VALUE = ("SCHEMAV_CVC_DATATYPE_VALID_1_2_1", "SCHEMAV_CVC_ENUMERATION_VALID", "SCHEMAV_CVC_PATTERN_VALID")
_STRICT = "2018"  # the generation whose wildcards want a schema for whatever they let through, and whose header is fuller
_MANDATORY_2018 = frozenset({"Timestamp", "MessageID", "CorrelationID"})


def noun_of(message: CimMessage) -> str | None:
    """Whose schemas judge a message: the noun that its document element names, else its payload's; None for an unknown one."""
    named = message.wrapper[1] if message.wrapper else None if message.payload is None else local(message.payload)
    return named if named in NOUNS else None


def validate(message: CimMessage, generation: str | None = None) -> list[CimFinding]:
    """Every way in which envelope and payload are not valid in that generation (None: what the namespaces tell), each place
    once."""
    noun, generation = noun_of(message), generation or message.generation
    path = _file(message, noun, generation)
    schema = _first(path)
    found: dict[tuple[str, str], CimFinding] = {}
    for root in _parts(message, noun, generation):
        if not schema.validate(root):
            for finding in _violations(root, schema, path.parent):
                found.setdefault((finding.rule, finding.path), finding)
    return list(found.values())


def second_opinion(message: CimMessage, generation: str | None = None) -> list[str]:
    """What xmlschema has against the message, one sentence a fault; it parses with another XML parser, too."""
    noun, generation = noun_of(message), generation or message.generation
    schema = _second(_file(message, noun, generation))
    return [
        f"{fault.path}: {fault.reason}"
        for root in _parts(message, noun, generation)
        for fault in schema.iter_errors(xmlschema.XMLResource(etree.tostring(root, with_tail=False), defuse="always", allow="none"))
    ]


def declarations(message: CimMessage, generation: str | None = None) -> xmlschema.XMLSchema:
    """The schemas that judge a message in that generation (None: what the namespaces tell), as xmlschema reads them."""
    return _second(_file(message, noun_of(message), generation or message.generation))


def _parts(message: CimMessage, noun: str | None, generation: str) -> list[etree._Element]:
    if message.form is Form.TYPED or message.payload is None:
        return [message.root]
    if generation != _STRICT:
        return [message.root] if noun is None else [message.root, message.payload]
    foreign = space(message.payload) != envelope_namespace(generation)
    return [_with_empty_payload(message.root) if noun is None and foreign else message.root]


def _with_empty_payload(root: etree._Element) -> etree._Element:
    """The message around a payload of which nobody here can say whether it is valid."""
    root = deepcopy(root)
    payload = child(root, "Payload")
    for each in [] if payload is None else list(payload):
        each.getparent().remove(each)  # type: ignore[union-attr]
    return root


def _file(message: CimMessage, noun: str | None, generation: str) -> Path:
    """The schema of the whole message; for the generic form of 2018, the one that knows all payloads beside the envelope."""
    return _path(generation, "Generic" if generation == _STRICT and message.form is Form.GENERIC else noun or "")


@cache
def _path(generation: str, what: str) -> Path:
    return XSD / generation / f"{what}Message.xsd"


def compiled(message: CimMessage) -> etree.XMLSchema:
    """The schema that judges a message in the generation that its namespaces tell."""
    return _first(_file(message, noun_of(message), message.generation))


@cache
def _first(path: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(path))


@cache
def _second(path: Path) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(path)


@cache
def _declared(folder: Path) -> frozenset[str]:
    """Every element name that the schemas of a generation and the payloads declare: a stranger is none of them."""
    names = (etree.parse(each).getroot().iter("{*}element") for each in (*folder.glob("*.xsd"), *XSD.glob("*.xsd")))
    return frozenset(element.get("name", "") for elements in names for element in elements)


def _violations(root: etree._Element, schema: etree.XMLSchema, folder: Path) -> Iterator[CimFinding]:
    """What the schema, which has just judged this tree, has against it."""
    spaces = {prefix: uri for each in root.iter(etree.Element) for prefix, uri in each.nsmap.items() if prefix}
    for fault in islice(schema.error_log, MAX_FINDINGS):
        element = _at(root, fault.path or "", spaces)
        rule = _rule(element, fault.type_name, fault.message, folder)
        yield CimFinding(rule, _sentence(fault.message), path_of(element))


def _at(root: etree._Element, path: str, spaces: dict[str, str]) -> etree._Element:
    """The element at a validator's path, whose first step is `root` itself even when that is a payload inside a message."""
    steps = path.split("/")[2:]
    found = root.xpath("/".join(steps), namespaces=spaces) if steps else None
    first = found[0] if isinstance(found, list) and found else root
    return first if isinstance(first, etree._Element) else root


def _rule(element: etree._Element, kind: str, message: str, folder: Path) -> str:
    """The name of the rule that a validator's complaint about this element comes down to."""
    name, parent = local(element), element.getparent()
    in_payload = parent is not None and local(parent) == "Payload"
    if kind == "SCHEMAV_CVC_ELT_1":
        if parent is not None:
            return "payload-namespace" if in_payload else "extension"
        return "namespace" if _is_message(name) else "root"
    if kind != "SCHEMAV_ELEMENT_CONTENT":
        return _VALUE_RULES.get(name, "schema") if kind in _OF_A_VALUE else "schema"
    found = _EXPECTED.search(message)
    expected = {word.rstrip("*").rpartition("}")[2] for word in found[1].split(", ")} if found else set()
    if "Missing child" in message:
        return "reply-place" if expected == {"Reply"} else "missing"
    if name == "Reply" or expected == {"Reply"}:
        return "reply-place"
    if name in expected or (in_payload and name in NOUNS and space(element) != payload_namespace(name)):
        return "payload-namespace" if in_payload else "namespace"
    if in_payload:
        return "noun"
    beside = {local(each) for each in parent} if parent is not None else set()
    mandatory = expected if len(expected) == 1 else expected & _MANDATORY_2018 if folder.name == _STRICT else set()
    if mandatory and not mandatory & beside:
        return "missing"
    return "order" if name in _declared(folder) else "extension"


def _is_message(name: str) -> bool:
    """Whether a document element is called like a message, generic or typed, of a noun that is known."""
    return name.endswith("Message") or any(name.endswith(noun) for noun in NOUNS)


def _sentence(message: str) -> str:
    """A validator's complaint with the long namespaces as short words, and without anything that could be a key."""
    for generation in ("2008", "2011"):
        for noun in NOUNS:
            message = message.replace(f"{{{message_namespace(noun, generation)}}}", "")
        message = message.replace(f"{{{envelope_namespace(generation)}}}", "msg:")
    for noun in NOUNS:
        message = message.replace(f"{{{payload_namespace(noun)}}}", "m:")
    return _MAYBE_KEY.sub("(hex digits)", message)
