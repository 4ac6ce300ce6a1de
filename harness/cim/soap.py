"""SOAP 1.1 and 1.2 around a message, and what HTTP says beside it; knows a message by its document element alone, no sockets.

A message is the one child of the Body; a FaultMessage travels in the detail of a SOAP Fault. What a message is about is for
others to read: they get its tree as a document of its own, so that paths, schemas and rules are the same on every binding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.tree import child, local, path_of, space, text

XML, SOAP11, SOAP12 = "xml", "soap11", "soap12"
NAMESPACES = {SOAP11: "http://schemas.xmlsoap.org/soap/envelope/", SOAP12: "http://www.w3.org/2003/05/soap-envelope"}
MEDIA_TYPES = {XML: "application/xml", SOAP11: "text/xml", SOAP12: "application/soap+xml"}
CHARSET = "utf-8"

_ENVELOPES = {f"{{{namespace}}}Envelope": version for version, namespace in NAMESPACES.items()}
_FAULT_CODES = {SOAP11: "Client", SOAP12: "Sender"}  # a message without a readable header is its sender's fault
_FAULT_STATUS = {XML: 400, SOAP11: 500, SOAP12: 400}  # SOAP 1.2 part 2, 7.5.2.2: a Sender fault is a bad request
_OPERATIONS = {"Request": "Request", "Response": "Response", "PublishEvent": "Event"}
"""The operations of the generic web service, and the kind of message that each carries."""


@dataclass(frozen=True)
class Soap:
    """How a message was wrapped: `version` is soap11 or soap12; `fault_code` and `fault_reason` are of a SOAP Fault."""

    version: str
    fault_code: str | None = None
    fault_reason: str | None = None

    @property
    def is_fault(self) -> bool:
        """Whether the Body held a SOAP Fault."""
        return self.fault_code is not None


def wrap(message: etree._Element, binding: str) -> etree._Element:
    """The tree that travels on a binding (xml, soap11, soap12); `message` becomes part of it."""
    if binding == XML:
        return message
    namespace = NAMESPACES[binding]
    envelope = etree.Element(f"{{{namespace}}}Envelope", nsmap={"soap": namespace})
    body = etree.SubElement(envelope, f"{{{namespace}}}Body")
    if not _is_fault(message):
        body.append(message)
        return envelope
    fault = etree.SubElement(body, f"{{{namespace}}}Fault")
    reason, code = text(message, "Reply", "Error", "reason") or "refused", f"soap:{_FAULT_CODES[binding]}"
    if binding == SOAP11:
        etree.SubElement(fault, "faultcode").text = code
        etree.SubElement(fault, "faultstring").text = reason
        etree.SubElement(fault, "detail").append(message)
    else:
        etree.SubElement(etree.SubElement(fault, f"{{{namespace}}}Code"), f"{{{namespace}}}Value").text = code
        words = etree.SubElement(etree.SubElement(fault, f"{{{namespace}}}Reason"), f"{{{namespace}}}Text")
        words.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        words.text = reason
        etree.SubElement(fault, f"{{{namespace}}}Detail").append(message)
    return envelope


def unwrap(root: etree._Element) -> tuple[etree._Element | None, Soap | None, list[CimFinding]]:
    """The message in a document, how it was wrapped (None: not at all), and what the wrapping gets wrong.

    No message (None) where the Body is missing or empty; of several the first; the Fault itself where no message is in it.
    """
    version = _ENVELOPES.get(str(root.tag))
    if version is None:
        return root, None, []
    body = child(root, "Body")
    if body is None:
        return None, Soap(version), [CimFinding("soap-body", "there is no Body", path_of(root))]
    if not len(body):
        return None, Soap(version), [CimFinding("soap-body", "the Body is empty", path_of(body))]
    findings = []
    if len(body) > 1:
        names = ", ".join(local(each) for each in body[:5])
        findings.append(CimFinding("soap-body", f"the Body has {len(body)} children: {names}", path_of(body)))
    first = body[0]
    if local(first) == "Fault" and space(first) == NAMESPACES[version]:
        said = _fault_of(first, version)  # before the message is taken out of it
        return _in_fault(first), said, findings
    return _in_operation(first), Soap(version), findings


def action_of(message: etree._Element) -> str:
    """The action of the operation that carries a message: `.../<Noun>/<Verb><Noun>`, or the generic service's operation."""
    name, namespace = local(message), space(message)
    generic = next((each for each, kind in _OPERATIONS.items() if name == f"{kind}Message"), None)
    if generic is not None:
        return f"{namespace.removesuffix('schema/message')}abstract/{generic}"
    of_noun = namespace.removesuffix("Message")
    return f"{of_noun}/Reply{of_noun.rpartition('/')[2]}" if name.endswith("ResponseMessage") else f"{of_noun}/{name}"


def transport_of(message: etree._Element, binding: str, *, answers: bool) -> dict[str, Any]:
    """What HTTP says beside a message: the status where it answers an exchange, else method and action (`Parcel.about`)."""
    content_type = f"{MEDIA_TYPES[binding]}; charset={CHARSET}"
    if answers:
        status = _FAULT_STATUS[binding] if _is_fault(message) else 200
        return {"name": "http", "status": status, "headers": {"content-type": content_type}}
    headers = {"content-type": content_type}
    if binding == SOAP11:
        headers["soapaction"] = f'"{action_of(message)}"'
    elif binding == SOAP12:
        headers["content-type"] += f'; action="{action_of(message)}"'
    return {"name": "http", "method": "POST", "headers": headers}


def _is_fault(message: etree._Element) -> bool:
    return local(message).endswith("FaultMessage")


def _fault_of(fault: etree._Element, version: str) -> Soap:
    if version == SOAP11:
        code, reason = text(fault, "faultcode"), text(fault, "faultstring")
    else:
        code, reason = text(fault, "Code", "Value"), text(fault, "Reason", "Text")
    return Soap(version, code or "", reason or "")


def _in_fault(fault: etree._Element) -> etree._Element:
    """The FaultMessage of a SOAP Fault, or the Fault where its detail has none."""
    detail = next((each for each in fault if local(each).lower() == "detail"), None)
    message = next((each for each in detail if _is_fault(each)), None) if detail is not None else None
    return _as_document(fault if message is None else message)


def _in_operation(first: etree._Element) -> etree._Element:
    """The message of a Body; what stands as `message` inside an operation of the generic service is named after its kind."""
    inner = child(first, "message")
    if local(first) not in _OPERATIONS or inner is None or not len(inner):
        return _as_document(first)
    return _as_document(inner, f"{{{space(inner[0])}}}{_OPERATIONS[local(first)]}Message")


def _as_document(element: etree._Element, tag: str | None = None) -> etree._Element:
    """The element as the document element of a tree of its own, with every prefix that is in scope: values may use them."""
    document = etree.Element(tag or element.tag, dict(element.attrib), nsmap=element.nsmap)
    document.text = element.text
    document.extend(list(element))
    return document
