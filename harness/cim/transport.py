"""What a message and its transport say about each other: the rules of the SOAP binding; knows one exchange's words, no sockets.

`transport` is as in `harness.backhaul.carrier.Parcel.about`: what is asked or told has a method, what answers it a status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.message import Message as MediaType
from typing import Any

from harness.cim.envelope import CimMessage, Kind
from harness.cim.finding import CimFinding, note
from harness.cim.soap import MEDIA_TYPES, SOAP11, SOAP12, XML, action_of

_BARE = ("application/xml", "text/xml")  # either is plain XML's (RFC 7303, 9)
_DECLARED = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")


def check_transport(message: CimMessage, transport: Mapping[str, Any], binding: str | None = None) -> Iterator[CimFinding]:
    """Everything that a message and what HTTP said beside it get wrong together; nothing about another transport.

    `binding` is the one that the message should have travelled on (xml, soap11, soap12), None where any will do.
    """
    used = message.soap.version if message.soap is not None else XML
    if binding is not None and used != binding:
        yield CimFinding("binding", f"{_IN_WORDS[used]}, not {_IN_WORDS[binding]}")
    if transport.get("name") != "http" or "headers" not in transport:
        return  # what was cut off before its headers were there is no question of the binding
    headers = {str(name).lower(): str(value) for name, value in transport["headers"].items()}
    media = MediaType()
    media["content-type"] = " ".join(headers.get("content-type", "").split())
    yield from _check_content(message, used, headers, media)
    status = transport.get("status")
    if status is None:
        yield from _check_request(message, used, transport, headers, media)
    elif isinstance(status, int):
        yield from _check_status(message, status)


_IN_WORDS = {XML: "a bare message", SOAP11: "SOAP 1.1", SOAP12: "SOAP 1.2"}


def _check_content(message: CimMessage, used: str, headers: Mapping[str, str], media: MediaType) -> Iterator[CimFinding]:
    wanted = _BARE if used == XML else (MEDIA_TYPES[used],)
    if not headers.get("content-type"):
        yield CimFinding("content-type", f"{_IN_WORDS[used]} without a content type")
    elif media.get_content_type() not in wanted:
        yield CimFinding("content-type", f"{_IN_WORDS[used]} as {media.get_content_type()}, not {wanted[0]}")
    charset = str(media.get_param("charset") or "").lower()
    declared = _DECLARED.match(message.octets)
    if charset not in ("", "utf-8", "utf8") and not (charset == "us-ascii" and message.octets.isascii()):
        beside = f", and the XML declaration {declared[1].decode()}" if declared else ""
        yield CimFinding("charset", f"HTTP says {charset}{beside}")


def _check_request(
    message: CimMessage, used: str, transport: Mapping[str, Any], headers: Mapping[str, str], media: MediaType,
) -> Iterator[CimFinding]:
    method = transport.get("method")
    if method is not None and method != "POST":
        yield CimFinding("http-method", f"{method}, not POST")
    wanted = action_of(message.root)
    if used == SOAP11:
        said = headers.get("soapaction")
        if said is None:
            yield CimFinding("soap-action", f"no SOAPAction; {wanted} it would be")
        elif said.strip('"') != wanted:
            yield CimFinding("soap-action", f"SOAPAction {said}, not {wanted}")
        elif said != f'"{wanted}"':
            yield note("soap-action", "the SOAPAction stands without quotes")
    elif used == SOAP12:
        action = media.get_param("action")
        if action is None:
            yield note("soap-action", f"no action parameter; {wanted} it would be")
        elif action != wanted:
            yield CimFinding("soap-action", f"action {action}, not {wanted}")


def _check_status(message: CimMessage, status: int) -> Iterator[CimFinding]:
    failing = status >= 400
    is_fault = message.soap.is_fault if message.soap is not None else message.kind is Kind.FAULT
    if is_fault and not failing and message.soap is not None:
        yield CimFinding("http-status", f"a SOAP Fault with the status {status}")
    elif failing and not is_fault:
        yield CimFinding("http-status", f"no SOAP Fault, and yet the status {status}" if message.soap else f"an answer with {status}")
    elif message.soap is not None and not is_fault and message.kind is Kind.FAULT:
        yield CimFinding("soap-body", "a FaultMessage that is in no SOAP Fault")
