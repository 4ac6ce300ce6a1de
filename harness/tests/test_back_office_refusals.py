"""Hostile and wrong CIM messages at the virtual back office: refused with a fitting code, and the next one is answered."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from harness.adapters.back_office_policy import on_cim
from harness.cim import end_device_controls, end_device_events, master_data_linkage_config
from harness.cim.envelope import Kind, build, read, serialise
from harness.cim.master_data_linkage_config import Linkage
from harness.cim.originator import Originator
from harness.ports import Message
from harness.tests.back_office import EPOCH, ORDER, BackOffice
from harness.tests.test_back_office_policy import office, provisioned, replies, with_noise
from harness.usecase import Actor
from harness.values import Eui64

DR, HE, NET, NIC, ESI, CIS, ODS = (
    Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.NIC, Actor.ESI, Actor.CIS, Actor.ODS,
)
CONTROLS, MDL, EVENTS = end_device_controls.NOUN, master_data_linkage_config.NOUN, end_device_events.NOUN

HOSTILE = (
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><a>&b;</a>", b"<a>" * 100_000, b"x" * 3_000_000, b"", b"\xff\xfe",
)


def test_hostile_octets_are_refused_and_the_head_end_still_answers() -> None:
    made = with_noise(*HOSTILE)
    faults_sent = made.cim(HE, DR)
    assert [message.kind for message in faults_sent] == [Kind.FAULT] * len(HOSTILE)
    assert replies(made, HE, DR) == ["1.8"] * len(HOSTILE)
    made.provision()
    assert made[DR].state_of(ORDER.device) == "joined"


def test_head_end_that_hostile_octets_silence() -> None:
    made = office(HE, survives_hostile_xml=False)
    made.wires.submit(Message("cim", DR, HE, HOSTILE[0]), 0.0)
    made[DR].order_window(ORDER, 1.0)
    made.run(70.0)
    assert made.cim(HE, DR) == []


def test_a_message_without_a_header_gets_a_fault_and_a_fault_gets_nothing() -> None:
    made = with_noise(b"<RequestMessage xmlns='http://iec.ch/TC57/2011/schema/message'/>")
    (answer,) = made.cim(HE, DR)
    assert (answer.kind, replies(made, HE, DR)) == (Kind.FAULT, ["1.5"])
    assert len(with_noise(answer.octets).cim(HE, DR)) == 0


def linkage(change: Callable[[Linkage], Linkage] = lambda linkage: linkage) -> bytes:
    """A step 14 that the CIS would take, changed."""
    instant = EPOCH - timedelta(seconds=10)
    right = Linkage(ORDER.device, ORDER.meter, instant, instant, ORDER.premise, "DR-1")
    header = Originator(DR, EPOCH, random.Random(3)).header("create", MDL, 0.0)
    return serialise(build(Kind.REQUEST, header, master_data_linkage_config.payload(change(right), header.message_id or "")))


@pytest.mark.parametrize(("octets", "code"), [
    (linkage(), "0.0"),
    (linkage(lambda right: replace(right, premise="000000000")), "2.16"),
    (linkage(lambda right: replace(right, meter="METER-0002")), "2.17"),
    (linkage(lambda right: replace(right, status="joined")), "5.2"),
    (linkage().replace(b"MasterDataLinkageConfig#", b"MasterDataLinkageConfig"), "1.8"),
    (linkage().replace(b">create<", b">Create<"), "2.9"),
    (linkage().replace(b">create<", b">change<").replace(b"CreateMaster", b"ChangeMaster"), "2.9"),
    (linkage().replace(b">MasterDataLinkageConfig<", b">MeterConfig<"), "2.5"),
    (linkage().replace(b"<msg:Source>", b"<msg:Revision>9</msg:Revision><msg:Source>"), "1.8"),
    (linkage().replace(b"<msg:Timestamp>", b"<msg:Revision>9</msg:Revision><msg:Timestamp>"), "1.9"),
])
def test_the_cis_judges_what_it_gets(octets: bytes, code: str) -> None:
    made = BackOffice()
    made.wires.submit(Message("cim", DR, CIS, octets), 0.0)
    made.run(2.0)
    assert replies(made, CIS, DR)[-1:] == [code]
    assert bool(made[CIS].devices_at(ORDER.premise)) == (code == "0.0")


@pytest.mark.parametrize(("change", "code"), [
    (lambda right: right, "0.0"), (lambda right: replace(right, device=Eui64(1)), "2.29"),
    (lambda right: replace(right, meter="METER-0002"), "2.4"),
])
def test_the_dr_application_judges_what_it_gets(change: Callable[[Linkage], Linkage], code: str) -> None:
    made = BackOffice()
    made.wires.submit(Message("cim", HE, DR, linkage(change)), 0.0)
    made.run(2.0)
    assert replies(made, DR, HE) == [code]
    assert bool(made.cim(DR, CIS)) == (code == "0.0")


@pytest.mark.parametrize("receiver", [DR, CIS])
def test_a_linkage_that_is_known_is_refused_unless_nobody_looks(receiver: Actor) -> None:
    for decisions, code in (({}, "2.29"), ({"checks_linkage": False}, "0.0")):
        made = office(receiver, **decisions)
        for identifier in (b"00000000-0000-4000-8000-000000000001", b"00000000-0000-4000-8000-000000000002"):
            message = read(linkage())[0]
            assert message is not None
            octets = message.octets.replace((message.message_id or "").encode(), identifier)
            made.wires.submit(Message("cim", HE, receiver, octets), made.now)
            made.run(made.now + 2.0)
        assert replies(made, receiver, HE) == ["0.0", code]


def test_a_used_message_id_on_another_message_is_refused() -> None:
    octets = linkage()
    made = BackOffice()
    for each in (octets, octets.replace(b"DR-1", b"DR-2")):
        made.wires.submit(Message("cim", DR, CIS, each), made.now)
        made.run(made.now + 2.0)
    assert replies(made, CIS, DR) == ["0.0", "2.15"]


def test_an_event_that_names_no_device_harms_nobody() -> None:
    made = provisioned(HE, on_cim(_without_details, "CreatedEndDeviceEvents"))
    assert made[CIS].heard[0].device is None
    assert made[DR].state_of(ORDER.device) == "joined"


def _without_details(root: etree._Element) -> etree._Element:
    for details in list(root.iter("{*}EndDeviceEventDetails")):
        parent = details.getparent()
        assert parent is not None
        parent.remove(details)
    return root
