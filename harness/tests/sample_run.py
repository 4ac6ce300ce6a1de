"""A small run folder for the tests of pages and ladders: two devices, four cases, one of each verdict that matters."""

from __future__ import annotations

import json
from pathlib import Path

from cases.table import clauses
from dissectors import mac
from dissectors.frame import encode_mpdu
from dissectors.layer import Record, encode
from harness.evidence.results import CaseResult, Results, found
from harness.evidence.scenario import write_scenario
from harness.judge import Judgement
from harness.trace import Attestation, Header, Key, Trace
from harness.usecase import Actor, Order, Point
from harness.values import DeviceType, Eui64
from harness.verdict import Finding, Verdict, failed, noted, passed

DEVICE = Eui64(0x00124B0001020304)
LINK_KEY = bytes(range(0x50, 0x60))
ENVELOPE = b"<m:Message xmlns:m='urn:m'><m:Header><m:Verb>%s</m:Verb><m:Noun>EndDeviceControls</m:Noun></m:Header></m:Message>"
HOSTILE = "<script src='//elsewhere'>"  # what a device may put into a name or message: it must stay text


def trace(scenario: str) -> Trace:
    """From the order to the association, with an ack and a poll to fold, a lost frame and a long silence."""
    order = Order(DEVICE, DeviceType.PCT, LINK_KEY, key_form="link_key")
    told = Trace(Header(order=order, epoch="2026-01-15T12:00:00+00:00", scenario=scenario))
    told.learn(Key("ic", LINK_KEY, DEVICE))
    told.attest(Attestation(Point.MAC, "air", 0.0))
    utility, head_end = Actor.DR_APPLICATION, Actor.AMI_HEAD_END
    told.append(0.0, Point.CIM, "cim", ENVELOPE % b"create", utility, head_end)
    told.append(0.2, Point.CIM, "cim", ENVELOPE % b"reply", head_end, utility)
    told.append(0.3, Point.CIM, "cim", b"<not xml", utility, head_end)
    told.append(0.4, Point.LEG, "leg", b"not a leg message", head_end, Actor.AMI_NETWORK)
    to_all = {"dest_mode": mac.AddressMode.SHORT, "dest_pan": mac.BROADCAST, "dest_short": mac.BROADCAST}
    told.append(60.0, Point.MAC, "air", _command(mac.BeaconRequest.of(), **to_all), Actor.HAN_DEVICE)
    request = _command(mac.AssociationRequest.of(), **_joining("dest", "source"))
    told.append(60.1, Point.MAC, "air", request, Actor.HAN_DEVICE, fate="lost")
    told.append(60.2, Point.MAC, "air", request, Actor.HAN_DEVICE)
    told.append(60.201, Point.MAC, "air", encode_mpdu(mac.Mac.of(frame_type=mac.FrameType.ACK, sequence=7), b""), Actor.ESI)
    told.append(60.7, Point.MAC, "air", _command(mac.DataRequest.of(), **_joining("dest", "source")), Actor.HAN_DEVICE)
    response = mac.AssociationResponse.of(short_address=0x1A2B, status=mac.AssociationStatus.SUCCESS)
    told.append(60.8, Point.MAC, "air", _command(response, **_joining("source", "dest")), Actor.ESI)
    return told


def write(run: Path) -> Results:
    """Write the run folder; returns what was written."""
    fail = failed(f"sent {HOSTILE}", 10, expected="sealed", observed="in clear", hint="cofactor-left-out")
    cases = (
        _case(run, "pct", "6", "UC2.7-06-KEY-SEALED@ESI", Verdict.FAIL, "provisioned-pct", fail),
        _case(run, "pct", "5", "UC2.7-05-SCANS@HAN Device", Verdict.PASS, "provisioned-pct", passed("it scans", 5)),
        _case(run, "switch", "5", "UC2.7-05-SCANS@HAN Device", Verdict.INCONC, "odd-switch", noted("a note", 7)),
        CaseResult("cases/step_09.py::test_metering[switch]", "metering is read", "9", "switch", ("UC2.7-09-METERING@ESI",),
                   Verdict.NONE, "PICS item is no", not_applicable={"UC2.7-09-METERING@ESI": "PICS item is no"}),
    )
    bench = {"name": "sample", "devices": ["pct", "switch"]}
    results = Results.of(cases, bench, {"id": "20260115T120000Z", "seed": 7, "versions": {"hanproof": "0.1.0"}})
    results.write(run)
    (run / "allure-results").mkdir()
    for number, case in enumerate(cases):
        status = {Verdict.FAIL: "failed", Verdict.PASS: "passed", Verdict.INCONC: "broken"}.get(case.verdict, "skipped")
        told = {"uuid": case.id, "historyId": case.id, "name": case.title, "status": status, "stage": "finished"}
        (run / "allure-results" / f"{number}-result.json").write_text(json.dumps({**told, "start": 0, "stop": 1}))
    return results


def _case(
    run: Path, device: str, step: str, clause: str, verdict: Verdict, scenario: str, finding: Finding,
) -> CaseResult:
    evidence = write_scenario(run, scenario, trace(scenario))
    name, _, actor = clause.partition("@")
    judged = Judgement(name, Actor(actor), verdict, (finding,), text=clauses()[name].text)
    return CaseResult(
        f"cases/step_{step}.py::test_it[{device}]", f"step {step} is right", step, device, (clause,), verdict,
        "" if verdict is Verdict.PASS else "a reason", tuple(found([judged], scenario)), (evidence,),
    )


def _joining(esi: str, device: str) -> dict[str, int]:
    return {
        f"{esi}_mode": mac.AddressMode.SHORT, f"{esi}_pan": 0x1234, f"{esi}_short": 0,
        f"{device}_mode": mac.AddressMode.EXTENDED, f"{device}_pan": 0x1234, f"{device}_ieee": DEVICE,
    }


def _command(command: Record, **addresses: int) -> bytes:
    identifier = next(number for number, layer in mac.COMMANDS.items() if command.is_a(layer))
    header = mac.Mac.of(frame_type=mac.FrameType.COMMAND, sequence=7, **addresses)
    return encode_mpdu(header, bytes([identifier]) + encode(command))
