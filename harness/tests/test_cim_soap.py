"""SOAP around a message and off again, what HTTP says beside it, and what is wrong where the two do not fit."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from harness.cim.check import check_message
from harness.cim.envelope import OK, CimMessage, Form, Header, Kind, Reply, ReplyError, build, read, serialise
from harness.cim.nouns import ENVELOPE, NOUNS
from harness.cim.soap import NAMESPACES, SOAP11, SOAP12, XML, Soap, action_of, transport_of, wrap
from harness.cim.transport import check_transport
from harness.cim_profile import BINDINGS

GOOD = Path(__file__).parents[2] / "fixtures" / "cim" / "messages" / "good"
TYPED, GENERIC = GOOD / "linkage-step-13-typed.xml", GOOD / "linkage-step-13-generic.xml"
FAMILY = "http://iec.ch/TC57/2011/"
ACTION = f"{FAMILY}MasterDataLinkageConfig/CreateMasterDataLinkageConfig"
words = st.text(string.ascii_letters + string.digits + " &<>'\"äß€", min_size=1)


def as_read(octets: bytes) -> CimMessage:
    """The message in these octets."""
    message, findings = read(octets)
    assert message is not None, findings
    return message


def on(binding: str, path: Path = TYPED) -> CimMessage:
    """The message of a file as it travels on a binding."""
    return as_read(serialise(wrap(as_read(path.read_bytes()).root, binding)))


def in_soap(inner: str, version: str = SOAP11) -> bytes:
    """A SOAP document with this in its Envelope."""
    return f'<s:Envelope xmlns:s="{NAMESPACES[version]}">{inner}</s:Envelope>'.encode()


def broken(message: CimMessage, transport: Mapping[str, Any], binding: str | None = None) -> list[str]:
    """The rules that message and transport break together."""
    return [each.rule for each in check_transport(message, transport, binding) if each.failed]


# -- there and back


@given(
    kind=st.sampled_from(Kind), form=st.sampled_from(Form), noun=st.sampled_from(NOUNS), binding=st.sampled_from(BINDINGS),
    said=st.lists(words, min_size=4, max_size=4), errors=st.lists(st.tuples(words, words), max_size=3),
)
def test_a_message_comes_out_of_soap_as_it_went_in(
    kind: Kind, form: Form, noun: str, binding: str, said: list[str], errors: list[tuple[str, str]],
) -> None:
    header = Header("create" if kind is Kind.REQUEST else "created", noun, "2.0", *said)
    reply = Reply("FAILED", tuple(ReplyError(*error) for error in errors))
    replies = reply if kind in (Kind.RESPONSE, Kind.FAULT) else None
    payload = etree.Element("{urn:payload}anything")
    made = build(kind, header, None if replies else payload, replies, form)
    bare = as_read(serialise(made))
    wrapped = as_read(serialise(wrap(made, binding)))
    assert replace(wrapped, octets=b"", soap=None) == replace(bare, octets=b"")
    assert (wrapped.soap is None) == (binding == XML)
    assert wrapped.soap is None or (wrapped.soap.version, wrapped.soap.is_fault) == (binding, kind is Kind.FAULT)
    assert etree.tostring(wrapped.root, method="c14n2", strip_text=True) == etree.tostring(bare.root, method="c14n2", strip_text=True)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("path", sorted(GOOD.glob("*.xml")), ids=lambda path: path.stem)
def test_a_good_message_is_good_on_every_binding(path: Path, binding: str) -> None:
    message = as_read(path.read_bytes())
    octets = serialise(wrap(message.root, binding if message.soap is None else XML))
    assert [each for each in check_message(octets) if each.failed] == []
    again = as_read(octets)
    for answers in (True, False):
        assert broken(again, transport_of(again.root, binding, answers=answers), None) == [] or message.soap is not None


def test_prefixes_of_the_soap_envelope_are_known_in_the_message() -> None:
    message = on(SOAP11, GOOD / "window-refused.xml")
    octets = message.octets.replace(b"<soap:Envelope ", b'<soap:Envelope xmlns:far="urn:far" ')
    octets = octets.replace(b"</msg:reason>", b"</msg:reason><msg:xpath>far:meter</msg:xpath>")
    assert b"xpath" in octets
    assert [each for each in check_message(octets) if each.failed] == []


ZEEP = f"""<soap-env:Envelope xmlns:soap-env="{NAMESPACES[SOAP11]}"><soap-env:Header><sec:Token xmlns:sec="urn:sec"
 soap-env:mustUnderstand="0">x</sec:Token></soap-env:Header><soap-env:Body><ns0:CreateMasterDataLinkageConfig
 xmlns:ns0="{FAMILY}MasterDataLinkageConfigMessage"><ns0:Header><ns1:Verb xmlns:ns1="{ENVELOPE}">create</ns1:Verb>
<ns2:Noun xmlns:ns2="{ENVELOPE}">MasterDataLinkageConfig</ns2:Noun><ns3:Timestamp xmlns:ns3="{ENVELOPE}"
>2026-01-15T12:00:41+00:00</ns3:Timestamp><ns4:Source xmlns:ns4="{ENVELOPE}">AMI Head-End</ns4:Source>
<ns5:MessageID xmlns:ns5="{ENVELOPE}">3099fdf5-ab99-454a-a901-e35cd47d380d</ns5:MessageID><ns6:CorrelationID xmlns:ns6="{ENVELOPE}"
>e4b06ce6-0741-47a8-bce4-2c8218072e8c</ns6:CorrelationID></ns0:Header><ns0:Payload><ns7:MasterDataLinkageConfig
 xmlns:ns7="{FAMILY}MasterDataLinkageConfig#"><ns7:Meter><ns7:Names><ns7:name>METER-0001</ns7:name>
<ns7:NameType><ns7:name>MeterNumber</ns7:name></ns7:NameType></ns7:Names></ns7:Meter>
<ns7:UsagePoint><ns7:Names><ns7:name>UP-1</ns7:name></ns7:Names></ns7:UsagePoint></ns7:MasterDataLinkageConfig></ns0:Payload>
</ns0:CreateMasterDataLinkageConfig></soap-env:Body></soap-env:Envelope>"""


def test_what_a_client_made_from_a_wsdl_sends_is_read() -> None:
    message = as_read(ZEEP.encode())
    assert (message.form, message.kind, message.verb, message.wrapper) == (
        Form.TYPED, Kind.REQUEST, "create", ("create", "MasterDataLinkageConfig"),
    )
    assert message.soap == Soap(SOAP11)
    assert [each.rule for each in check_message(ZEEP.encode()) if each.failed] == []
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{ACTION}"'}
    assert broken(message, {"name": "http", "method": "POST", "headers": headers}, SOAP11) == []


@pytest.mark.parametrize(("operation", "inside", "kind"), [
    ("Request", "RequestMessage", Kind.REQUEST), ("Response", "ResponseMessage", Kind.RESPONSE),
    ("PublishEvent", "EventMessage", Kind.EVENT),
])
def test_a_message_inside_an_operation_of_the_generic_service_is_read(operation: str, inside: str, kind: Kind) -> None:
    header = f'<m:message><Header xmlns="{ENVELOPE}"><Verb>get</Verb><Noun>MeterConfig</Noun></Header></m:message>'
    octets = in_soap(f'<s:Body><m:{operation} xmlns:m="{FAMILY}abstract">{header}</m:{operation}></s:Body>')
    message = as_read(octets)
    assert (message.form, message.kind, message.noun) == (Form.GENERIC, kind, "MeterConfig")
    assert message.root.tag == f"{{{ENVELOPE}}}{inside}"
    assert action_of(message.root) == f"{FAMILY}abstract/{operation}"


# -- what is not one message in one Body


@pytest.mark.parametrize("version", NAMESPACES)
@pytest.mark.parametrize("inner", ["", "<s:Header/>", "<s:Body/>", "<s:Body> </s:Body>"])
def test_no_message_is_no_message(inner: str, version: str) -> None:
    message, findings = read(in_soap(inner, version))
    assert message is None
    assert [each.rule for each in findings] == ["soap-body"]


def test_of_several_messages_the_first_is_read_and_all_are_refused() -> None:
    bare = TYPED.read_bytes().partition(b"?>")[2].decode()
    message, findings = read(in_soap(f"<s:Body>{bare}<other/></s:Body>"))
    assert message is not None
    assert message.noun == "MasterDataLinkageConfig"
    assert [(each.rule, "other" in each.message) for each in findings] == [("soap-body", True)]


def test_an_envelope_of_nobodys_soap_is_a_bare_document() -> None:
    octets = b'<Envelope xmlns="urn:other"><Body/></Envelope>'
    message = as_read(octets)
    assert message.soap is None
    assert [each.rule for each in check_message(octets)] == ["root"]


@pytest.mark.parametrize(("version", "fault"), [
    (SOAP11, "<s:Fault><faultcode>s:Server</faultcode><faultstring>down</faultstring></s:Fault>"),
    (SOAP12, "<s:Fault><s:Code><s:Value>s:Server</s:Value></s:Code><s:Reason><s:Text>down</s:Text></s:Reason></s:Fault>"),
])
def test_a_fault_without_a_message_is_a_fault(version: str, fault: str) -> None:
    message = as_read(in_soap(f"<s:Body>{fault}</s:Body>", version))
    assert (message.kind, message.header, message.reply) == (Kind.FAULT, None, None)
    assert message.soap == Soap(version, "s:Server", "down")


@pytest.mark.parametrize("version", NAMESPACES)
def test_a_fault_message_is_found_in_the_detail(version: str) -> None:
    message = on(version, GOOD / "fault-generic.xml")
    assert message.kind is Kind.FAULT
    assert message.reply == as_read((GOOD / "fault-generic.xml").read_bytes()).reply
    assert message.soap is not None
    assert message.soap.is_fault


# -- what HTTP says


@pytest.mark.parametrize(("name", "action"), [
    ("linkage-step-13-typed.xml", ACTION), ("linkage-step-13-generic.xml", f"{FAMILY}abstract/Request"),
    ("event-paired.xml", f"{FAMILY}EndDeviceEvents/CreatedEndDeviceEvents"),
    ("event-pairing-failed-generic.xml", f"{FAMILY}abstract/PublishEvent"),
    ("linkage-accepted.xml", f"{FAMILY}MasterDataLinkageConfig/ReplyMasterDataLinkageConfig"),
    ("window-refused-generic.xml", f"{FAMILY}abstract/Response"),
])
def test_the_action_is_that_of_the_operation(name: str, action: str) -> None:
    message = as_read((GOOD / name).read_bytes())
    assert action_of(message.root) == action
    assert transport_of(message.root, SOAP11, answers=False)["headers"]["soapaction"] == f'"{action}"'
    assert f'action="{action}"' in transport_of(message.root, SOAP12, answers=False)["headers"]["content-type"]
    assert "soapaction" not in transport_of(message.root, SOAP11, answers=True)["headers"]


@pytest.mark.parametrize(("binding", "status"), [(XML, 400), (SOAP11, 500), (SOAP12, 400)])
def test_a_fault_comes_with_a_status_of_failure(binding: str, status: int) -> None:
    assert transport_of(build(Kind.FAULT, Header(None, None), reply=OK), binding, answers=True)["status"] == status
    assert transport_of(build(Kind.RESPONSE, Header("reply", NOUNS[0]), reply=OK), binding, answers=True)["status"] == 200


def asking(content_type: str = "text/xml; charset=utf-8", action: str | None = f'"{ACTION}"', **changes: Any) -> dict[str, Any]:
    """What HTTP says beside the linkage of step 13 on SOAP 1.1."""
    headers = {"content-type": content_type, **({} if action is None else {"soapaction": action})}
    return {"name": "http", "method": "POST", "headers": headers, **changes}


@pytest.mark.parametrize(("transport", "rules"), [
    (asking(), []),
    (asking(action=ACTION), []),  # without quotes: noted
    (asking(content_type='text/xml;charset="UTF-8"'), []),
    (asking(content_type="text/xml"), []),
    (asking(content_type="text/xml; charset=us-ascii"), []),  # as long as there is nothing else in it
    (asking(action=None), ["soap-action"]), (asking(action='""'), ["soap-action"]),
    (asking(action='"urn:other"'), ["soap-action"]),
    (asking(content_type="application/soap+xml; charset=utf-8"), ["content-type"]),
    (asking(content_type="text/plain"), ["content-type"]), (asking(content_type=""), ["content-type"]),
    (asking(content_type="text/xml; charset=iso-8859-1"), ["charset"]),
    (asking(content_type="text/xml;\r\n charset=utf-16"), ["charset"]),
    (asking(method="GET"), ["http-method"]),
    ({"name": "http", "headers": {}}, ["content-type", "soap-action"]),
    ({"name": "http"}, []), ({"name": "amqp", "properties": {}}, []), ({}, []),
])
def test_a_request_over_soap_11(transport: dict[str, Any], rules: list[str]) -> None:
    assert broken(on(SOAP11), transport) == rules


@pytest.mark.parametrize(("content_type", "rules"), [
    (f'application/soap+xml; charset=utf-8; action="{ACTION}"', []), ("application/soap+xml", []),
    ('application/soap+xml; action="urn:other"', ["soap-action"]), ("text/xml", ["content-type"]),
])
def test_a_request_over_soap_12(content_type: str, rules: list[str]) -> None:
    assert broken(on(SOAP12), asking(content_type, action=None)) == rules


@pytest.mark.parametrize(("content_type", "rules"), [
    ("application/xml", []), ("text/xml", []), ("application/soap+xml", ["content-type"]),
])
def test_a_bare_request(content_type: str, rules: list[str]) -> None:
    assert broken(on(XML), asking(content_type, action=None)) == rules


@pytest.mark.parametrize(("name", "status", "rules"), [
    ("linkage-accepted.xml", 200, []), ("window-refused.xml", 200, []), ("linkage-accepted.xml", 202, []),
    ("linkage-accepted.xml", 500, ["http-status"]), ("linkage-accepted.xml", 400, ["http-status"]),
    ("fault-generic.xml", 500, []), ("fault-generic.xml", 400, []), ("fault-generic.xml", 200, ["http-status"]),
    ("fault-typed.xml", 202, ["http-status"]),
])
def test_status_and_answer_go_together(name: str, status: int, rules: list[str]) -> None:
    message = on(SOAP11, GOOD / name)
    transport = {"name": "http", "status": status, "headers": {"content-type": "text/xml; charset=utf-8"}}
    assert broken(message, transport) == rules


def test_a_fault_message_belongs_into_a_fault() -> None:
    bare = (GOOD / "fault-generic.xml").read_bytes().partition(b"?>")[2].decode()
    message = as_read(in_soap(f"<s:Body>{bare}</s:Body>"))
    assert broken(message, {"name": "http", "status": 200, "headers": {"content-type": "text/xml"}}) == ["soap-body"]


@pytest.mark.parametrize("wanted", BINDINGS)
@pytest.mark.parametrize("used", BINDINGS)
def test_a_binding_is_kept_or_not(used: str, wanted: str) -> None:
    message = on(used)
    assert broken(message, transport_of(message.root, used, answers=False), wanted) == ([] if used == wanted else ["binding"])
