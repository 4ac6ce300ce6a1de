"""The published services: every reference in them resolves, and zeep, which nobody of us wrote, reads them and calls by them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import zeep
from lxml import etree

from harness.backhaul.carrier import Parcel
from harness.backhaul.http_carrier import HttpCarrier
from harness.cim.check import check_message
from harness.cim.nouns import END_DEVICE_CONTROLS, NOUNS, envelope_namespace, message_namespace
from harness.cim.soap import action_of
from harness.cim.wsdl import documents
from harness.cim_profile import ENVELOPES, CimProfile
from harness.tests.http_peers import carrier
from harness.tests.inbox import WITHIN, Inbox

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = {"": "http://schemas.xmlsoap.org/soap/envelope/", "12": "http://www.w3.org/2003/05/soap-envelope"}
DURATION, START = 60.0, datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
PLACE = "ami head-end"


@contextmanager
def published(generation: str) -> Iterator[tuple[HttpCarrier, Inbox]]:
    """A carrier with the documents of one place, whose address nobody knows before it listens."""
    made: list[HttpCarrier] = []
    with carrier(PLACE, documents=lambda target: documents(PLACE, made[0].address_of(PLACE), generation).get(target)) as (served, inbox):
        made.append(served)
        yield served, inbox


@pytest.fixture(params=ENVELOPES)
def wire(request: pytest.FixtureRequest) -> Iterator[tuple[str, HttpCarrier, Inbox]]:
    with published(request.param) as (served, inbox):
        yield request.param, served, inbox


def client_of(served: HttpCarrier, noun: str) -> zeep.Client:
    return zeep.Client(served.address_of(PLACE) + (f"/{noun}" if noun else "") + "?wsdl")


def header(**changed: Any) -> dict[str, Any]:
    return {
        "Verb": "create", "Noun": END_DEVICE_CONTROLS, "Timestamp": START, "Source": "DR Application",
        "MessageID": "cd613e30-d8f1-4adf-91b7-584a2265b1f5", "CorrelationID": "1e2feb89-414c-443c-9027-c4d1c386bbc4", **changed,
    }


def order(**changed: Any) -> dict[str, Any]:
    """Step 1 as keyword arguments of zeep."""
    device = {"installCode": "83fed3407a939723a5c639b26916d505c3b5", "isPan": True, "electronicAddress": {"mac": "0013500500a1b2c3"}}
    meter = {"isPan": False, "Names": [{"name": "METER-0001", "NameType": {"name": "MeterNumber"}}]}
    control = {
        "mRID": "78e51061-7311-48a3-82ce-6f447ed4d57b", "EndDeviceControlType": {"ref": "19.10.73.298"}, "EndDevices": [device, meter],
        "primaryDeviceTiming": {"duration": DURATION, "interval": {"start": START, **changed}},
    }
    return {END_DEVICE_CONTROLS: {"EndDeviceControl": [control]}}


@contextmanager
def called(operation: Any, **content: Any) -> Iterator[Future[Any]]:
    """A call of zeep's in a thread of its own, since it waits for the answer."""
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(partial(operation, **content))


def answered(served: HttpCarrier, request: Parcel, version: str, child: str) -> None:
    """Answer a request with this as the Body's child."""
    status = 500 if "Fault>" in child else 200
    envelope = f'<s:Envelope xmlns:s="{SOAP[version]}"><s:Body>{child}</s:Body></s:Envelope>'
    content_type = "application/soap+xml" if version else "text/xml"
    served.send(Parcel(envelope.encode(), answers=request.exchange, about={"status": status, "headers": {"content-type": content_type}}))


def reply_of(noun: str, generation: str, element: str = "ResponseMessage") -> str:
    """A typed response, or with another element a fault's message, that says it went well or not."""
    went = "OK" if element == "ResponseMessage" else "FAILED"
    result = f"<g:ReplyCode>{went}</g:ReplyCode>" if generation == "2008" else f"<g:Result>{went}</g:Result>"
    ids = "".join(f"<g:{name}>{header()[name]}</g:{name}>" for name in ("MessageID", "CorrelationID"))
    time = "<g:Timestamp>2026-01-15T12:00:01Z</g:Timestamp>"
    head = f"<t:Header><g:Verb>reply</g:Verb><g:Noun>{noun}</g:Noun>{time}{ids}</t:Header>" if element == "ResponseMessage" else ""
    spaces = f'xmlns:t="{message_namespace(noun, generation)}" xmlns:g="{envelope_namespace(generation)}"'
    return f"<t:{noun}{element} {spaces}>{head}<t:Reply>{result}</t:Reply></t:{noun}{element}>"


@pytest.mark.parametrize("version", ["", "12"])
def test_zeep_orders_a_window_by_the_typed_service(wire: tuple[str, HttpCarrier, Inbox], version: str) -> None:
    generation, served, inbox = wire
    service = client_of(served, END_DEVICE_CONTROLS).bind("ExecuteEndDeviceControls", f"EndDeviceControls_Port{version}")
    with called(service.CreateEndDeviceControls, Header=header(), Payload=order()) as result:
        request = inbox.one()
        assert (request.place, request.flaw) == (PLACE, "")
        action = f"{message_namespace(END_DEVICE_CONTROLS, generation).removesuffix('Message')}/CreateEndDeviceControls"
        headers = request.about["headers"]
        assert f'"{action}"' in (headers["content-type"] if version else headers["soapaction"])
        assert check_message(request.octets, START, profile=CimProfile(envelope=generation)) == []
        answered(served, request, version, reply_of(END_DEVICE_CONTROLS, generation))
        reply = result.result(WITHIN)["Reply"]
    assert (reply["ReplyCode"] if generation == "2008" else reply["Result"]) == "OK"


def test_zeep_hears_of_a_fault(wire: tuple[str, HttpCarrier, Inbox]) -> None:
    generation, served, inbox = wire
    with called(client_of(served, END_DEVICE_CONTROLS).service.CreateEndDeviceControls, Header=header()) as result:
        detail = reply_of(END_DEVICE_CONTROLS, generation, "FaultMessage")
        fault = f"<s:Fault><faultcode>s:Client</faultcode><faultstring>no header</faultstring><detail>{detail}</detail></s:Fault>"
        answered(served, inbox.one(), "", fault)
        with pytest.raises(zeep.exceptions.Fault, match="no header") as raised:
            result.result(WITHIN)
    assert raised.value.detail[0].tag.endswith("}EndDeviceControlsFaultMessage")


def test_zeep_orders_a_window_by_the_generic_service(wire: tuple[str, HttpCarrier, Inbox]) -> None:
    generation, served, inbox = wire
    client = client_of(served, "")
    payload = client_of(served, END_DEVICE_CONTROLS).get_element("{http://iec.ch/TC57/2011/EndDeviceControls#}EndDeviceControls")
    content = zeep.xsd.AnyObject(payload, payload(**order()[END_DEVICE_CONTROLS]))
    wrapped = {"_value_1": [content]}
    with called(client.service.Request, Header=header(), Payload=wrapped) as result:
        request = inbox.one()
        assert request.about["headers"]["soapaction"].strip('"').endswith("/abstract/Request")
        assert check_message(request.octets, START, profile=CimProfile(envelope=generation)) == []
        served.drop(request.exchange)
        assert result.exception(WITHIN) is not None


def test_what_zeep_does_not_check_the_checker_does() -> None:
    with published("2011") as (served, inbox):
        service = client_of(served, END_DEVICE_CONTROLS).service
        naive = START.replace(tzinfo=None)
        with called(service.CreateEndDeviceControls, Header=header(Verb="Bogus"), Payload=order(start=naive)) as result:
            request = inbox.one()
            assert {finding.rule for finding in check_message(request.octets)} == {"verb"}
            served.drop(request.exchange)
            assert result.exception(WITHIN) is not None
        with called(service.CreateEndDeviceControls, Header=header(), Payload=order(start=naive)) as result:
            request = inbox.wait(2)[1]
            assert {finding.rule for finding in check_message(request.octets)} == {"time-zone"}
            served.drop(request.exchange)
            assert result.exception(WITHIN) is not None


@pytest.mark.parametrize("noun", NOUNS)
def test_zeep_reads_the_service_of_every_noun(wire: tuple[str, HttpCarrier, Inbox], noun: str) -> None:
    _, served, inbox = wire
    (service,) = client_of(served, noun).wsdl.services.values()
    assert service.name == f"Execute{noun}"
    operations = {name: set(port.binding.all()) for name, port in service.ports.items()}
    verbs = ("Create", "Change", "Cancel", "Close", "Delete", "Created", "Changed", "Canceled", "Closed", "Deleted", "Reply")
    assert operations == {port: {f"{verb}{noun}" for verb in verbs} for port in (f"{noun}_Port", f"{noun}_Port12")}
    assert inbox.parcels == []


@pytest.mark.parametrize("generation", ENVELOPES)
def test_every_reference_in_a_service_leads_somewhere(generation: str) -> None:
    table = documents(PLACE, "http://127.0.0.1:1/x?a=1&b=2", generation)
    services = {target: etree.fromstring(octets) for target, (_, octets) in table.items() if target.endswith("?wsdl")}
    assert set(services) == {"/ami head-end?wsdl", *(f"/ami head-end/{noun}?wsdl" for noun in NOUNS)}
    for root in services.values():
        named = {kind: {each.get("name") for each in root.iterfind(f"{WSDL}{kind}")} for kind in ("message", "portType", "binding")}
        used = {
            "message": {each.get("message") for each in root.iter() if each.get("message")},
            "portType": {each.get("type") for each in root.iterfind(f"{WSDL}binding")},
            "binding": {each.get("binding") for each in root.iter(f"{WSDL}port")},
        }
        assert {kind: {f"tns:{name}" for name in names} for kind, names in named.items()} == used
        (imported,) = root.iter("{http://www.w3.org/2001/XMLSchema}import")
        schema = etree.fromstring(table[imported.get("schemaLocation", "")][1])
        assert schema.get("targetNamespace") == imported.get("namespace") == root.nsmap["m"]
        elements = {f"m:{each.get('name')}" for each in schema.iterfind("{http://www.w3.org/2001/XMLSchema}element")}
        assert {part.get("element") for part in root.iter(f"{WSDL}part")} <= elements
        wired = {
            (each.get("name", ""), soap.get("soapAction", ""))
            for each in root.iterfind(f"{WSDL}binding/{WSDL}operation") for soap in each.iterfind("{*}operation")
        }
        actions = {
            (each.get("name", ""), action_of(etree.Element(f"{{{root.nsmap['m']}}}{put.get('message', '').removeprefix('tns:')}")))
            for each in root.iterfind(f"{WSDL}portType/{WSDL}operation") for put in each.iterfind(f"{WSDL}input")
        }
        assert wired == actions  # what our own side says in its SOAPAction
        assert {each.get("location") for each in root.iter("{*}address")} == {"http://127.0.0.1:1/x?a=1&b=2"}
