"""Building and reading CIM messages: both forms, every payload there and back, codes, ids, redaction."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from lxml import etree

from harness.cim import (
    codes,
    end_device_config,
    end_device_controls,
    end_device_events,
    master_data_linkage_config,
    meter_config,
)
from harness.cim.check import check_message
from harness.cim.codes import Code
from harness.cim.end_device_config import DeviceRecord
from harness.cim.end_device_controls import WindowCommand
from harness.cim.end_device_events import DeviceEvent
from harness.cim.envelope import OK, Form, Header, Kind, Reply, ReplyError, build, read, serialise
from harness.cim.finding import CimFinding
from harness.cim.instant import instant_of, lacks_zone, written
from harness.cim.master_data_linkage_config import Linkage
from harness.cim.originator import Originator
from harness.cim.redaction import redacted, stands_elsewhere
from harness.cim.refusal import fitting_code, refusal
from harness.cim.reply_codes import MEANINGS, ReplyCode, is_known
from harness.cim.tree import child
from harness.cim_profile import DEFAULT, ENVELOPES, CimProfile
from harness.values import DeviceType, Eui64

EPOCH = datetime(2026, 1, 15, 12, tzinfo=UTC)
DEVICE = Eui64(0x0013500500A1B2C3)
KEY = bytes.fromhex("83fed3407a939723a5c639b26916d505c3b5")
OF_2008 = replace(DEFAULT, envelope="2008")
OPENING = WindowCommand(True, DEVICE, DeviceType.PCT, "METER-0001", KEY, EPOCH, 3600.0)
CLOSING = WindowCommand(False, DEVICE, DeviceType.LOAD_CONTROL, "METER-0001")
LINKAGE = Linkage(DEVICE, "METER-0001", EPOCH, EPOCH)
PAIRED = DeviceEvent(codes.device_code(DeviceType.PCT, codes.PAIRED), DEVICE, "METER-0001", EPOCH)


def originator(seed: int = 1) -> Originator:
    return Originator("DR Application", EPOCH, random.Random(seed))


def payload_of(octets: bytes) -> etree._Element:
    message, _ = read(octets)
    assert message is not None
    assert message.payload is not None
    return message.payload


def message(
    noun: str, payload: etree._Element, form: Form = Form.TYPED, verb: str = "create", profile: CimProfile = DEFAULT,
) -> bytes:
    kind = Kind.EVENT if verb == "created" else Kind.REQUEST
    return serialise(build(kind, originator().header(verb, noun, 1.0), payload, form=form, profile=profile))


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("command", [
    OPENING, CLOSING, replace(OPENING, device_type=None), replace(OPENING, key_material=bytes(range(16)), duration=100.5),
])
def test_a_window_command_there_and_back(command: WindowCommand, form: Form) -> None:
    octets = message(end_device_controls.NOUN, end_device_controls.payload(command, originator().identifier()), form)
    assert not [found for found in check_message(octets) if found.failed]
    assert end_device_controls.read(payload_of(octets)) == command


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("linkage", [LINKAGE, replace(LINKAGE, premise="123456789", agreement="DR-1")])
def test_a_linkage_there_and_back(linkage: Linkage, form: Form) -> None:
    noun = master_data_linkage_config.NOUN
    octets = message(noun, master_data_linkage_config.payload(linkage, originator().identifier()), form)
    assert check_message(octets) == []
    assert master_data_linkage_config.read(payload_of(octets)) == linkage


@pytest.mark.parametrize("event", [
    PAIRED, replace(PAIRED, code=codes.WINDOW_OPENED), replace(PAIRED, meter=None, reason="never_seen"),
    replace(PAIRED, code=codes.WINDOW_CLOSED, device=None),
])
def test_an_event_there_and_back(event: DeviceEvent) -> None:
    octets = message(
        end_device_events.NOUN, end_device_events.payload(event, originator().identifier()), verb="created",
    )
    assert check_message(octets) == []
    assert end_device_events.read(payload_of(octets)) == [event]


def test_a_meter_there_and_back() -> None:
    octets = message(meter_config.NOUN, meter_config.payload("METER-0001"))
    assert check_message(octets) == []
    assert meter_config.read(payload_of(octets)) == ["METER-0001"]


@pytest.mark.parametrize("record", [
    DeviceRecord(DEVICE), DeviceRecord(DEVICE, DeviceType.PCT, KEY, "Joined"),
    DeviceRecord(DEVICE, DeviceType.LOAD_CONTROL, bytes(range(16))),
])
def test_a_device_there_and_back(record: DeviceRecord) -> None:
    octets = message(end_device_config.NOUN, end_device_config.payload(record, originator().identifier()))
    assert check_message(octets) == []
    assert end_device_config.read(payload_of(octets)) == [record]
    assert KEY.hex() not in repr(record)


def reply_of_2008(code: str | None, *texts: str) -> Reply | None:
    """What a reply of the 2008 generation is read as."""
    space = "http://www.iec.ch/TC57/2008/schema/message"
    inside = "" if code is None else f"<ReplyCode>{code}</ReplyCode>"
    inside += "".join(f"<Error>{each}</Error>" for each in texts)
    octets = f"<ResponseMessage xmlns='{space}'><Header><Verb>REPLY</Verb></Header><Reply>{inside}</Reply></ResponseMessage>"
    found, _ = read(octets.encode())
    assert found is not None
    assert (found.generation, found.verb, found.header and found.header.verb) == ("2008", "reply", "REPLY")
    return found.reply


@pytest.mark.parametrize(("code", "result"), [
    ("0.0", "OK"), ("0.3", "OK"), ("0.1", "PARTIAL"), ("0.2", "PARTIAL"), ("2.4", "FAILED"), ("HAN-KEY", "FAILED"), ("0", "OK"),
])
def test_a_reply_code_of_2008_is_a_result(code: str, result: str) -> None:
    assert reply_of_2008(code) == Reply(result, (ReplyError(code, level=None),))
    told = (ReplyError(code, "one", None), ReplyError(code, "two", None))
    assert reply_of_2008(code, "one", "two") == Reply(result, told)


def test_a_reply_of_2008_without_a_code_has_no_result() -> None:
    assert reply_of_2008(None, "one") == Reply(None)


@pytest.mark.parametrize(("reply", "code", "texts"), [
    (OK, "0.0", []), (Reply("PARTIAL"), "0.2", []), (Reply("PARTIAL", (ReplyError("0.1"),)), "0.1", []),
    (Reply("FAILED", (ReplyError("2.4", "no such meter"), ReplyError("1.8", "order"))), "2.4", ["no such meter", "1.8 order"]),
    (Reply("OK", (ReplyError("0.3"),)), "0.3", []),
])
@pytest.mark.parametrize("form", Form)
def test_a_reply_as_2008_writes_it(reply: Reply, code: str, texts: list[str], form: Form) -> None:
    octets = serialise(build(
        Kind.RESPONSE, originator().header("reply", meter_config.NOUN, 1.0), reply=reply, form=form, profile=OF_2008,
    ))
    assert check_message(octets) == []
    found, _ = read(octets)
    assert found is not None
    assert found.header is not None
    assert (found.header.verb, found.verb) == ("Reply", "reply")
    assert (found.reply and found.reply.result) == reply.result
    part = child(found.root, "Reply")
    assert part is not None
    assert [each.text for each in part] == [code, *texts]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_a_profile_goes_there_and_back(envelope: str, form: Form) -> None:
    profile = CimProfile(envelope, form, mac="EUI64", meter="Badge", premise="Place", agreement="Contract", joined="In")
    noun, identifier = master_data_linkage_config.NOUN, originator().identifier()
    linkage = replace(LINKAGE, premise="1", agreement="2", status="In")
    octets = message(noun, master_data_linkage_config.payload(linkage, identifier, profile), form, profile=profile)
    assert check_message(octets, profile=profile) == []
    assert master_data_linkage_config.read(payload_of(octets), profile) == linkage
    assert {found.rule for found in check_message(octets, profile=CimProfile(envelope))} == {"name-type", "status"}


def test_a_generic_code_is_taken_and_noted_only_where_types_are_told() -> None:
    profile = replace(DEFAULT, device_code="generic")
    octets = message(end_device_controls.NOUN, end_device_controls.payload(OPENING, originator().identifier(), profile))
    assert end_device_controls.read(payload_of(octets)) == replace(OPENING, device_type=None)
    assert check_message(octets, profile=profile) == []
    assert [(found.rule, found.failed) for found in check_message(octets)] == [("device-type", False)]


@pytest.mark.parametrize("form", Form)
def test_header_and_reply_there_and_back(form: Form) -> None:
    header = Header(
        "reply", meter_config.NOUN, "2.0", "TESTING", "2026-01-15T12:00:00Z", "CIS", "false", "http://x", "true", "1", "2", "c",
    )
    reply = Reply("FAILED", (ReplyError("2.4", "no such meter"), ReplyError("HAN-KEY", "crc", "WARNING")))
    found, findings = read(serialise(build(Kind.RESPONSE, header, reply=reply, form=form)))
    assert findings == []
    assert found is not None
    assert (found.header, found.reply, found.form, found.kind) == (header, reply, form, Kind.RESPONSE)


@pytest.mark.parametrize(("name", "form", "kind"), [
    ("RequestMessage", Form.GENERIC, Kind.REQUEST), ("FaultMessage", Form.GENERIC, Kind.FAULT),
    ("CreatedEndDeviceEvents", Form.TYPED, Kind.EVENT), ("CreateEndDeviceEvents", Form.TYPED, Kind.REQUEST),
    ("CanceledMeterConfig", Form.TYPED, Kind.EVENT), ("CancelMeterConfig", Form.TYPED, Kind.REQUEST),
    ("ClosedMeterConfig", Form.TYPED, Kind.EVENT), ("MeterConfigResponseMessage", Form.TYPED, Kind.RESPONSE),
    ("MeterConfigFaultMessage", Form.TYPED, Kind.FAULT), ("Something", Form.TYPED, None), ("Message", Form.GENERIC, None),
])
def test_the_document_element_says_form_and_kind(name: str, form: Form, kind: Kind | None) -> None:
    found, _ = read(f"<{name}/>".encode())
    assert found is not None
    assert (found.form, found.kind) == (form, kind)


@pytest.mark.parametrize(("verb", "kind"), [("create", Kind.REQUEST), ("deleted", Kind.EVENT), ("reply", Kind.RESPONSE)])
def test_a_message_of_any_kind_goes_by_its_verb(verb: str, kind: Kind) -> None:
    found, _ = read(f"<Message><Header><Verb>{verb}</Verb></Header></Message>".encode())
    assert found is not None
    assert found.kind is kind


def test_the_same_chance_gives_the_same_octets() -> None:
    first, second, other = (
        serialise(build(Kind.REQUEST, originator(seed).header("create", "MeterConfig", 1.0), meter_config.payload("1")))
        for seed in (1, 1, 2)
    )
    assert first == second != other


def test_a_reply_echoes_the_correlation_and_has_its_own_id() -> None:
    request = originator(1).header("create", "MeterConfig", 0.0)
    reply = originator(2).reply_header(request, "MeterConfig", 1.0)
    assert reply.correlation_id == request.correlation_id
    assert len({reply.message_id, request.message_id, request.correlation_id}) == 3
    uncorrelated = originator(2).reply_header(request._replace(correlation_id=None), "MeterConfig", 1.0)
    assert uncorrelated.correlation_id == request.message_id


@pytest.mark.parametrize(("text", "expected"), [
    ("2026-01-15T12:00:00Z", EPOCH), ("2026-01-15T16:30:00.00+04:30", EPOCH), ("2026-01-15T12:00:00", None),
    ("nonsense", None), ("", None), (None, None),
])
def test_instants(text: str | None, expected: datetime | None) -> None:
    assert instant_of(text) == expected
    assert lacks_zone(text) == (text == "2026-01-15T12:00:00")


def test_instants_are_written_in_utc() -> None:
    assert written(EPOCH) == "2026-01-15T12:00:00.000Z"


@pytest.mark.parametrize(("code", "name"), [
    ("19.10.73.298", "PROG_CTL_THERMOSTAT.PAIRING.WINDOW.OPEN"), ("7.10.73.39", "PAN_GATEWAY.PAIRING.WINDOW.OPENED"),
    ("0.15.148.8", "NA.LOAD_CONTROL.ALL_EVENTS.CANCEL"), ("19.12.65.85", "PROG_CTL_THERMOSTAT.SECURITY.LOGIN.FAILED"),
    ("16.10.0.85", "LOAD_CONTROL_DEVICE.PAIRING.NA.FAILED"), ("3.31.199.999", "ELECTRIC_METER.RCD_SWITCH.199.999"),
])
def test_codes_by_name(code: str, name: str) -> None:
    assert str(Code.parse(code)) == code
    assert Code.parse(code).name == name
    assert not Code.parse(code).fault


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.x", "1.2.3.-4", "1.2.3.4.5", "1.2.3.\u0664"])
def test_what_is_no_code(text: str) -> None:
    with pytest.raises(ValueError, match="not four numbers"):
        Code.parse(text)


def test_reply_codes() -> None:
    assert {code for code in ReplyCode if not code.startswith("HAN-")} <= MEANINGS.keys()
    assert all(is_known(code) for code in ReplyCode)
    assert not any(is_known(code) for code in ("0", "2.11", "", "9.9", "-1"))


@pytest.mark.parametrize(("rule", "path", "code"), [
    ("missing", "/CreateX/Header/Timestamp", "1.5"), ("missing", "/CreateX/Payload/X/Y", "1.7"), ("header-profile", "", "1.5"),
    ("order", "", "1.8"), ("doctype", "", "1.8"), ("verb", "", "2.9"), ("noun", "", "2.5"), ("revision", "", "1.9"),
    ("identity", "/CreateX/Payload/X/Meter", "2.4"), ("identity", "/CreateX/Payload/X/EndDevice", "5.2"),
    ("name-type", "/X/ServiceLocation[2]", "2.16"), ("incomplete", "", "1.7"), ("key", "", "HAN-KEY"),
])
def test_fitting_codes(rule: str, path: str, code: str) -> None:
    assert fitting_code(CimFinding(rule, "", path)) == code
    reply = refusal([CimFinding(rule, "", path)])
    assert (reply.result, [error.code for error in reply.errors]) == ("FAILED", [code])


SECRET = KEY.hex().encode()


@pytest.mark.parametrize("octets", [
    b"<a><m:installCode>%s</m:installCode><b>1</b></a>", b"<installCode x='1'>%s</installCode>", b"<password>%s</password>",
    b"&lt;installCode&gt;%s&lt;/installCode&gt;", b"<installCode><![CDATA[%s]]></installCode>", b"<installCode>%s",
    b"<reason>the key was %s</reason>", b"<reason>%s</reason>",
])
def test_no_key_survives_redaction(octets: bytes) -> None:
    for digits in (SECRET, SECRET.upper(), b"-".join(SECRET[at:at + 4] for at in range(0, len(SECRET), 4))):
        clean = redacted(octets.replace(b"%s", digits), [KEY])
        assert digits not in clean
        assert b"(key)" in clean


def test_redaction_of_a_message_leaves_the_rest() -> None:
    octets = message(end_device_controls.NOUN, end_device_controls.payload(OPENING, originator().identifier()))
    clean = redacted(octets)
    assert SECRET not in clean
    assert clean == octets.replace(SECRET, b"(key)")
    assert SECRET not in redacted(octets.decode().replace("UTF-8", "UTF-16").encode("utf-16")).decode("utf-16").encode()
    assert redacted(b"<installCode/><isPan>true</isPan>") == b"<installCode/><isPan>true</isPan>"


@pytest.mark.parametrize(("octets", "elsewhere"), [
    (b"<m:installCode>%s</m:installCode>", False), (b"<installCode x='1'> %s</installCode>", False),
    (b"<password>%s</password>", False), (b"<a><installCode><![CDATA[%s]]></installCode></a>", False), (b"<a/>", False),
    (b"<installCode>%s</installCode><!-- %s -->", True), (b"<reason>%s</reason>", True), (b"<a>installCode>%s</a>", True),
    (b"<installcode>%s</installcode>", True), (b"<a.installCode>%s</a.installCode>", True), (b"<installCode/>%s", True),
])
def test_a_key_outside_of_its_element_is_told_as_redaction_would(octets: bytes, elsewhere: bool) -> None:
    for digits in (SECRET, SECRET.upper()):
        message = octets.replace(b"%s", digits)
        assert stands_elsewhere(message, SECRET) == elsewhere == (SECRET in redacted(message).lower())


def test_no_key_in_a_repr_or_a_finding() -> None:
    assert KEY.hex() not in repr(OPENING)
    octets = message(end_device_controls.NOUN, end_device_controls.payload(OPENING, originator().identifier()))
    (told,) = end_device_controls.texts(payload_of(octets))
    assert told.install_code == KEY.hex()
    assert KEY.hex() not in repr(told)
    for misplaced in (
        octets.replace(str(DEVICE).encode(), SECRET), octets.replace(b"60.0", SECRET), octets.replace(SECRET, SECRET + b"00"),
        octets.replace(b"<m:isPan>true", b"<m:isPan>" + SECRET),
    ):
        findings = check_message(misplaced)
        assert findings
        assert SECRET.decode() not in str(findings)


def test_ok_has_the_code_of_no_error() -> None:
    assert [error.code for error in OK.errors] == [ReplyCode.NO_ERROR]
