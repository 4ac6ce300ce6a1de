"""The IEC 61968-100 envelope in its three generations: header, request or reply, payload; built and read, in both of its forms.

Knows no payload and not who sends. A message is *strongly typed* (document element `CreateMasterDataLinkageConfig` and so on,
in the noun's Message namespace) or *generic* (`RequestMessage` and so on, in the envelope's own). Reading goes by local names,
so that a message in a wrong namespace can still be read; that the namespace is wrong is what the schemas say. What only the
2008 generation writes otherwise, verbs in any case and a ReplyCode for the result, is read into what the others say. SOAP
around a message is taken off first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from lxml import etree

from harness.cim.compressed import payload_in
from harness.cim.finding import CimFinding
from harness.cim.nouns import envelope_namespace, generation_of, message_namespace, payload_namespace
from harness.cim.reply_codes import ReplyCode, is_success
from harness.cim.soap import Soap, unwrap
from harness.cim.tree import children, local, parse, parts, space, text
from harness.cim_profile import DEFAULT, CimProfile

PARTICIPLES: Mapping[str, str] = MappingProxyType({
    "create": "created", "change": "changed", "cancel": "canceled", "close": "closed", "delete": "deleted",
    "execute": "executed",
})
REQUEST_VERBS = (*PARTICIPLES, "get")
EVENT_VERBS = tuple(PARTICIPLES.values())
REPLY = "reply"
NO_ERROR = "0.0"
PARTIAL_CODES = ("0.2", "0.1")  # of a 2008 reply; the first is written where a PARTIAL has neither
TRUE = ("true", "1")  # how an xs:boolean says yes


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


class Header(NamedTuple):
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
_HEADER_FIELDS = {element: name for name, element in _HEADER_ELEMENTS.items()}


class ReplyError(NamedTuple):
    """One Error of a Reply: the code, and in words why."""

    code: str
    reason: str = ""
    level: str | None = "FATAL"
    operation_id: str | None = None  # of an OperationSet, which operation it is about


class Reply(NamedTuple):
    """How a request went: OK, PARTIAL or FAILED, and the errors that explain it."""

    result: str | None
    errors: tuple[ReplyError, ...] = ()


OK = Reply("OK", (ReplyError(NO_ERROR, level=None),))
ACKNOWLEDGED = Reply("OK", (ReplyError(ReplyCode.ACKNOWLEDGEMENT, level=None),))  # taken; what comes of it, if anything, later


@dataclass(frozen=True)
class CimMessage:
    """One message as it was read. `payload` is the payload's document element, `root` the message's.

    `octets` are as they travelled; `root` is a document of its own also where SOAP is around it. `wrapper` is the verb and noun
    that a strongly typed document element names, None in the generic form. `generation` is what the namespaces tell: 2008, or
    2011, whose namespaces the revision of 2018 has as well. `soap` is how it was wrapped, None for a bare message.
    """

    octets: bytes = field(repr=False)
    root: etree._Element = field(repr=False, compare=False)
    form: Form
    kind: Kind | None
    header: Header | None
    reply: Reply | None = None
    payload: etree._Element | None = field(default=None, repr=False, compare=False)
    wrapper: tuple[str, str] | None = None
    generation: str = "2011"
    soap: Soap | None = None

    @property
    def verb(self) -> str | None:
        """The header's verb for comparing: in lower case where the generation leaves the case open (`header.verb` does not)."""
        return _comparable(self.header.verb if self.header else None, self.generation)

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

    @property
    def is_asynchronous(self) -> bool:
        """Whether it is a request that wants its result sent later, to an address that it names."""
        asked = self.header is not None and self.header.async_reply_flag in TRUE and bool(self.header.reply_address)
        return asked and self.kind is Kind.REQUEST

    @property
    def is_acknowledgement(self) -> bool:
        """Whether it is a response that says no more than that something was taken."""
        acknowledges = self.reply is not None and any(error.code == ReplyCode.ACKNOWLEDGEMENT for error in self.reply.errors)
        return self.kind is Kind.RESPONSE and acknowledges and self.reply is not None and self.reply.result == "OK"

    @property
    def wants_acknowledgement(self) -> bool:
        """Whether it is an event that its sender wants acknowledged."""
        return self.kind is Kind.EVENT and self.header is not None and self.header.ack_required in TRUE


def build(
    kind: Kind, header: Header, payload: etree._Element | None = None, reply: Reply | None = None, form: Form | None = None,
    profile: CimProfile = DEFAULT,
) -> etree._Element:
    """The tree of one message; `payload` becomes part of it. A fault has no header and takes only the noun from it.

    Generation and, where none is given, form are the profile's.
    """
    form = form or Form(profile.form)
    noun, inner = header.noun or "", envelope_namespace(profile.envelope)
    outer = inner if form is Form.GENERIC else message_namespace(noun, profile.envelope)
    spaces: dict[str | None, str] = {None: outer}
    if form is Form.TYPED:
        spaces["msg"] = inner
    if payload is not None:
        spaces["m"] = payload_namespace(noun)
    root = etree.Element(f"{{{outer}}}{_document_name(kind, header, form)}", nsmap=spaces)
    if kind is not Kind.FAULT:
        _build_header(etree.SubElement(root, f"{{{outer}}}Header"), inner, header, profile.envelope)
    if reply is not None:
        build_reply = _build_reply_2008 if profile.envelope == "2008" else _build_reply
        build_reply(etree.SubElement(root, f"{{{outer}}}Reply"), inner, reply)
    if payload is not None:
        etree.SubElement(root, f"{{{outer}}}Payload").append(payload)
    return root


def serialise(root: etree._Element) -> bytes:
    """The octets of a tree, indented, always the same for the same tree."""
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def read(octets: bytes) -> tuple[CimMessage | None, list[CimFinding]]:
    """The message in these octets as far as it can be read, and what is wrong with them as XML; None for no tree at all."""
    document, findings = parse(octets)
    if document is None:
        return None, findings
    root, soap, wrapping = unwrap(document)
    findings += wrapping
    if root is None:
        return None, findings
    form, kind, wrapper = _classify(local(root))
    told = parts(root)
    header, reply, around = told.get("Header"), told.get("Reply"), told.get("Payload")
    generation = _generation(root, header)
    read_header = None if header is None else _read_header(header)
    if kind is None and read_header is not None:
        kind = _kind_of(_comparable(read_header.verb, generation))
    if soap is not None and soap.is_fault:
        kind = Kind.FAULT
    payload, packing = (None, []) if around is None else payload_in(around, inflates=form is Form.GENERIC)
    read_reply = (_read_reply_2008 if generation == "2008" else _read_reply)(reply)
    return CimMessage(octets, root, form, kind, read_header, read_reply, payload, wrapper, generation, soap), findings + packing


def _read_header(element: etree._Element) -> Header:
    told: dict[str, str | None] = {"verb": None, "noun": None}
    for each in element[::-1]:  # so that the first of several is what stands in the end
        name = _HEADER_FIELDS.get(local(each))
        if name is not None:
            told[name] = (each.text or "").strip()
    return Header(**told)


def _document_name(kind: Kind, header: Header, form: Form) -> str:
    if form is Form.GENERIC:
        return f"{kind}Message"
    if kind in (Kind.RESPONSE, Kind.FAULT):
        return f"{header.noun}{kind}Message"
    return f"{(header.verb or '').capitalize()}{header.noun}"


def _build_header(parent: etree._Element, inner: str, header: Header, generation: str) -> None:
    for name, element in _HEADER_ELEMENTS.items():
        value = getattr(header, name)
        if name == "verb" and value and generation == "2008":
            value = value.capitalize()  # as the use case's own table writes it
        if value is not None:
            etree.SubElement(parent, f"{{{inner}}}{element}").text = value


def _build_reply(parent: etree._Element, inner: str, reply: Reply) -> None:
    etree.SubElement(parent, f"{{{inner}}}Result").text = reply.result
    for error in reply.errors:
        element = etree.SubElement(parent, f"{{{inner}}}Error")
        for name in ("code", "level", "reason"):
            if getattr(error, name):
                etree.SubElement(element, f"{{{inner}}}{name}").text = getattr(error, name)
        if error.operation_id:
            etree.SubElement(element, f"{{{inner}}}operationId").text = error.operation_id


def _build_reply_2008(parent: etree._Element, inner: str, reply: Reply) -> None:
    """One ReplyCode for the result and the first error that explains it; every error as a text."""
    codes = [error.code for error in reply.errors if is_success(error.code) == (reply.result != "FAILED")]
    if reply.result == "PARTIAL":
        codes = [code for code in codes if code in PARTIAL_CODES] or [PARTIAL_CODES[0]]
    code = NO_ERROR if not codes else codes[0]
    etree.SubElement(parent, f"{{{inner}}}ReplyCode").text = code
    for error in reply.errors:
        told = error.reason if error.code == code else f"{error.code} {error.reason}".rstrip()
        if told:
            etree.SubElement(parent, f"{{{inner}}}Error").text = told


def _read_reply(element: etree._Element | None) -> Reply | None:
    if element is None:
        return None
    return Reply(text(element, "Result"), tuple([_read_error(parts(error)) for error in children(element, "Error")]))


def _read_error(told: Mapping[str, etree._Element]) -> ReplyError:
    code, reason, level, operation_id = map(text, map(told.get, ("code", "reason", "level", "operationId")))
    return ReplyError(code or "", reason or "", level, operation_id)


def _read_reply_2008(element: etree._Element | None) -> Reply | None:
    """The reply of the 2008 generation as the others would say it: a result, and under the one ReplyCode each text an error."""
    if element is None:
        return None
    code = text(element, "ReplyCode")
    if code is None:
        return Reply(None)
    said = [(error.text or "").strip() for error in children(element, "Error")] or [""]
    result = "PARTIAL" if code in PARTIAL_CODES else "OK" if is_success(code) else "FAILED"
    return Reply(result, tuple(ReplyError(code, each, None) for each in said))


def _generation(root: etree._Element, header: etree._Element | None) -> str:
    """What the document element tells, or, where its namespace is none, what stands first in the header."""
    told = generation_of(space(root))
    return generation_of(space(header[0])) if told == "2011" and header is not None and len(header) else told


def _comparable(verb: str | None, generation: str) -> str | None:
    return verb.lower() if verb and generation == "2008" else verb


@lru_cache(maxsize=256)
def _classify(name: str) -> tuple[Form, Kind | None, tuple[str, str] | None]:
    """What the document element's name says: form, kind (None: the header's verb must tell), and verb and noun if typed."""
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
