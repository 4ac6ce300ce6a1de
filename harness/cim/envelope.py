"""The IEC 61968-100 envelope of the 2011 namespace: header, request or reply, payload; built and read, in both of its forms.

Knows no payload and not who sends. A message is *strongly typed* (document element `CreateMasterDataLinkageConfig` and so on,
in the noun's Message namespace) or *generic* (`RequestMessage` and so on, in the envelope's own). Reading goes by local names,
so that a message in a wrong namespace can still be read; that the namespace is wrong is what the schemas say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.nouns import ENVELOPE, message_namespace, payload_namespace
from harness.cim.tree import child, children, local, parse, text

PARTICIPLES: Mapping[str, str] = MappingProxyType({
    "create": "created", "change": "changed", "cancel": "canceled", "close": "closed", "delete": "deleted",
    "execute": "executed",
})
REQUEST_VERBS = (*PARTICIPLES, "get")
EVENT_VERBS = tuple(PARTICIPLES.values())
REPLY = "reply"


class Kind(StrEnum):
    """What a message is for."""

    REQUEST = "Request"
    RESPONSE = "Response"
    EVENT = "Event"
    FAULT = "Fault"


class Form(StrEnum):
    """The two ways of the standard's web services to wrap one and the same content."""

    TYPED = "typed"
    GENERIC = "generic"


@dataclass(frozen=True)
class Header:
    """The header's elements as text, in the order they have on the wire; None for an element that is not there."""

    verb: str | None
    noun: str | None
    revision: str | None = None
    context: str | None = None
    timestamp: str | None = None
    source: str | None = None
    async_reply_flag: str | None = None
    reply_address: str | None = None
    ack_required: str | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    comment: str | None = None


_HEADER_ELEMENTS = {
    "verb": "Verb", "noun": "Noun", "revision": "Revision", "context": "Context", "timestamp": "Timestamp",
    "source": "Source", "async_reply_flag": "AsyncReplyFlag", "reply_address": "ReplyAddress",
    "ack_required": "AckRequired", "message_id": "MessageID", "correlation_id": "CorrelationID", "comment": "Comment",
}


@dataclass(frozen=True)
class ReplyError:
    """One Error of a Reply: the code, and in words why."""

    code: str
    reason: str = ""
    level: str | None = "FATAL"


@dataclass(frozen=True)
class Reply:
    """How a request went: OK, PARTIAL or FAILED, and the errors that explain it."""

    result: str | None
    errors: tuple[ReplyError, ...] = ()


OK = Reply("OK", (ReplyError("0.0", level=None),))


@dataclass(frozen=True)
class CimMessage:
    """One message as it was read. `payload` is the payload's document element, `root` the message's.

    `wrapper` is the verb and noun that a strongly typed document element names, None in the generic form.
    """

    octets: bytes = field(repr=False)
    root: etree._Element = field(repr=False, compare=False)
    form: Form
    kind: Kind | None
    header: Header | None
    reply: Reply | None = None
    payload: etree._Element | None = field(default=None, repr=False, compare=False)
    wrapper: tuple[str, str] | None = None

    @property
    def verb(self) -> str | None:
        """The header's verb."""
        return self.header.verb if self.header else None

    @property
    def noun(self) -> str | None:
        """The header's noun."""
        return self.header.noun if self.header else None

    @property
    def message_id(self) -> str | None:
        """The header's MessageID."""
        return self.header.message_id if self.header else None

    @property
    def correlation_id(self) -> str | None:
        """The header's CorrelationID."""
        return self.header.correlation_id if self.header else None


def build(
    kind: Kind, header: Header, payload: etree._Element | None = None, reply: Reply | None = None, form: Form = Form.TYPED,
) -> etree._Element:
    """The tree of one message; `payload` becomes part of it. A fault has no header and takes only the noun from it."""
    noun = header.noun or ""
    outer = ENVELOPE if form is Form.GENERIC else message_namespace(noun)
    spaces: dict[str | None, str] = {None: outer}
    if form is Form.TYPED:
        spaces["msg"] = ENVELOPE
    if payload is not None:
        spaces["m"] = payload_namespace(noun)
    root = etree.Element(f"{{{outer}}}{_document_name(kind, header, form)}", nsmap=spaces)
    if kind is not Kind.FAULT:
        _build_header(root, outer, header)
    if reply is not None:
        _build_reply(etree.SubElement(root, f"{{{outer}}}Reply"), reply)
    if payload is not None:
        etree.SubElement(root, f"{{{outer}}}Payload").append(payload)
    return root


def serialise(root: etree._Element) -> bytes:
    """The octets of a tree, indented, always the same for the same tree."""
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def read(octets: bytes) -> tuple[CimMessage | None, list[CimFinding]]:
    """The message in these octets as far as it can be read, and what is wrong with them as XML; None for no tree at all."""
    root, findings = parse(octets)
    if root is None:
        return None, findings
    form, kind, wrapper = _classify(root)
    header = child(root, "Header")
    read_header = None if header is None else Header(
        **{name: text(header, element) for name, element in _HEADER_ELEMENTS.items()},
    )
    if kind is None and read_header is not None:
        kind = _kind_of(read_header.verb)
    payload = child(root, "Payload")
    first = None if payload is None else next(iter(payload), None)
    return CimMessage(octets, root, form, kind, read_header, _read_reply(child(root, "Reply")), first, wrapper), findings


def _document_name(kind: Kind, header: Header, form: Form) -> str:
    if form is Form.GENERIC:
        return f"{kind}Message"
    if kind in (Kind.RESPONSE, Kind.FAULT):
        return f"{header.noun}{kind}Message"
    return f"{(header.verb or '').capitalize()}{header.noun}"


def _build_header(root: etree._Element, outer: str, header: Header) -> None:
    parent = etree.SubElement(root, f"{{{outer}}}Header")
    for name, element in _HEADER_ELEMENTS.items():
        value = getattr(header, name)
        if value is not None:
            etree.SubElement(parent, f"{{{ENVELOPE}}}{element}").text = value


def _build_reply(parent: etree._Element, reply: Reply) -> None:
    etree.SubElement(parent, f"{{{ENVELOPE}}}Result").text = reply.result
    for error in reply.errors:
        element = etree.SubElement(parent, f"{{{ENVELOPE}}}Error")
        for name in ("code", "level", "reason"):
            if getattr(error, name):
                etree.SubElement(element, f"{{{ENVELOPE}}}{name}").text = getattr(error, name)


def _read_reply(element: etree._Element | None) -> Reply | None:
    if element is None:
        return None
    return Reply(text(element, "Result"), tuple(
        ReplyError(text(error, "code") or "", text(error, "reason") or "", text(error, "level"))
        for error in children(element, "Error")
    ))


def _classify(root: etree._Element) -> tuple[Form, Kind | None, tuple[str, str] | None]:
    """What the document element's name says: form, kind (None: the header's verb must tell), and verb and noun if typed."""
    name = local(root)
    if name == "Message":
        return Form.GENERIC, None, None
    for kind in Kind:
        if name == f"{kind}Message":
            return Form.GENERIC, kind, None
    for kind in (Kind.RESPONSE, Kind.FAULT):
        if name.endswith(f"{kind}Message"):
            return Form.TYPED, kind, (REPLY, name.removesuffix(f"{kind}Message"))
    for verb in (*EVENT_VERBS, *REQUEST_VERBS):  # "Created..." before "Create...", which it begins with
        if name.startswith(verb.capitalize()):
            return Form.TYPED, _kind_of(verb), (verb, name[len(verb):])
    return Form.TYPED, None, None


def _kind_of(verb: str | None) -> Kind | None:
    if verb in REQUEST_VERBS:
        return Kind.REQUEST
    if verb in EVENT_VERBS:
        return Kind.EVENT
    return Kind.RESPONSE if verb == REPLY else None
