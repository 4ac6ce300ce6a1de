"""The checkers of step 8 on annex C's published exchange sealed into frames: no bench and no stack of ours has a part in it."""

from __future__ import annotations

import pytest

from dissectors import zcl
from dissectors.clusters.key_establishment import TerminateKeyEstablishment, TerminateStatus
from dissectors.frame import Frame, decode, encode_mpdu
from dissectors.keyring import KeyRing
from dissectors.layer import encode
from dissectors.sealing import seal
from dissectors.tests.vectors import read
from harness.causes import all_causes
from harness.checkers import key_agreement, key_establishment, key_messages
from harness.checkers.attempts import attempts
from harness.checkers.parties import PartyCheck
from harness.trace import Header, Key, Trace
from harness.usecase import Actor, Order, Point
from harness.values import DeviceType, Eui64
from harness.verdict import Finding, Verdict, worst

FRAMES, ANNEX_C, MISTAKES = read("frames", "hanproof"), read("cbke", "zse_annex_c"), read("cbke", "hanproof")["mistakes"]
DEVICE, ESI = Actor.HAN_DEVICE, Actor.ESI
SIDES = {DEVICE: "initiator", ESI: "responder"}
CONFIRMATIONS = {DEVICE: ("mac_u", "Confirm Key Data Request"), ESI: ("mac_v", "Confirm Key Data Response")}


def recorded(*known: Actor, changed: dict[str, bytes] | None = None, dut: tuple[Actor, ...] = ()) -> Trace:
    """The computed exchange as a trace, with the private keys of these parties; `changed` replaces ZCL frames by summary."""
    device = Eui64(int(ANNEX_C["initiator"]["subject"], 16))
    pixit = {"ca": ANNEX_C["ca_public_key"], "issuer": b"TESTSECA".hex()}
    order = Order(device, DeviceType.PCT, b"")
    trace = Trace(Header(order, "2026-01-15T12:00:00+00:00", dut=dut, pixit=pixit))
    trace.keys = [Key(each["kind"], bytes.fromhex(each["key"]), Eui64(int(each["device"], 16))) for each in FRAMES["link_keys"]]
    for actor in known:
        own = ANNEX_C[SIDES[actor]]
        for kind, name in (("static", "private_key"), ("ephemeral", "ephemeral_private_key")):
            trace.learn(Key(kind, bytes.fromhex(own[name]), Eui64(int(own["subject"], 16))))
    ring = KeyRing()
    for key in trace.keys[:2]:
        ring.add_link_key(key.octets, key.device, key.kind)
    for number, each in enumerate(FRAMES["vectors"]):
        octets = bytes.fromhex(each["octets"])
        frame = decode(octets, ring)
        if each["summary"] in (changed or {}):
            octets = resealed(frame, (changed or {})[each["summary"]])
        trace.append(float(number), Point.MAC, "air:15", octets)
    return trace


def resealed(frame: Frame, asdu: bytes) -> bytes:
    """The same frame with another ZCL frame in it."""
    assert frame.mac is not None
    assert frame.nwk is not None
    assert frame.aps is not None
    assert frame.nwk_key is not None
    security = frame.nwk.security
    sealed = seal(encode(frame.nwk), security, encode(frame.aps) + asdu, frame.nwk_key, security.source_ieee)
    return encode_mpdu(frame.mac, sealed)


def judged(check: PartyCheck, trace: Trace, actor: Actor) -> list[Finding]:
    """What a check finds."""
    return list(check(trace, actor))


@pytest.mark.parametrize("actor", [DEVICE, ESI])
@pytest.mark.parametrize("check", [
    key_establishment.keeps_the_order, key_establishment.keeps_its_times, key_establishment.brings_it_to_an_end,
    key_messages.names_one_suite, key_messages.certificate_is_its_own, key_messages.stays_under_the_network_key,
    key_messages.says_its_direction, key_messages.ephemeral_key_is_one, key_agreement.new_key_is_used,
    key_agreement.confirmation_is_right,
])
def test_the_published_exchange_passes(check: PartyCheck, actor: Actor) -> None:
    findings = judged(check, recorded(DEVICE, ESI), actor)
    assert worst(finding.verdict for finding in findings) is Verdict.PASS, findings


def test_it_is_one_attempt_of_the_device_that_its_frames_name() -> None:
    (attempt,) = attempts(recorded())
    assert attempt.device == int(ANNEX_C["initiator"]["subject"], 16)
    assert attempt.completed is not None
    assert [said.by for said in attempt.said] == [DEVICE, ESI] * 3


@pytest.mark.parametrize("known", [DEVICE, ESI])
@pytest.mark.parametrize(("actor", "mistake"), [
    (actor, each) for each in MISTAKES for actor, (name, _) in CONFIRMATIONS.items() if name in each
], ids=lambda value: value["mistake"] if isinstance(value, dict) else "")
def test_a_mistake_is_named_by_the_private_keys_of_either_party(known: Actor, actor: Actor, mistake: dict[str, str]) -> None:
    name, summary = CONFIRMATIONS[actor]
    plaintext = next(each["plaintext"] for each in FRAMES["vectors"] if each["summary"] == summary)
    wrong = bytes.fromhex(plaintext.replace(ANNEX_C[name], mistake[name]))
    (finding,) = judged(key_agreement.confirmation_is_right, recorded(known, changed={summary: wrong}), actor)
    assert (finding.verdict, finding.hint) == (Verdict.FAIL, mistake["mistake"])
    assert (finding.expected, finding.observed) == (ANNEX_C[name], mistake[name])


def test_a_key_that_is_used_after_its_confirmation_passes() -> None:
    findings = list(key_agreement.key_is_confirmed_first(recorded(DEVICE, ESI)))
    assert [finding.verdict for finding in findings] == [Verdict.PASS]


@pytest.mark.parametrize(("octets", "cause"), [
    (bytes(22), "ephemeral-key-all-zero"), (b"\x02" + b"\xff" * 21, "ephemeral-key-no-point"),
])
def test_an_ephemeral_key_that_is_none_is_told_by_its_cause(octets: bytes, cause: str) -> None:
    plaintext = next(each["plaintext"] for each in FRAMES["vectors"] if each["summary"] == "Ephemeral Data Request")
    trace = recorded(changed={"Ephemeral Data Request": bytes.fromhex(plaintext)[:3] + octets})
    (finding,) = judged(key_messages.ephemeral_key_is_one, trace, DEVICE)
    assert (finding.verdict, finding.hint) == (Verdict.FAIL, cause)


def test_a_private_key_of_another_certificate_explains_a_wrong_confirmation() -> None:
    plaintext = next(each["plaintext"] for each in FRAMES["vectors"] if each["summary"] == "Confirm Key Data Request")
    wrong = bytes.fromhex(plaintext.replace(ANNEX_C["mac_u"], "5a" * 16))
    trace = recorded(DEVICE, ESI, changed={"Confirm Key Data Request": wrong})
    trace.keys = [
        Key(key.kind, bytes(20) + b"\x05", key.device) if (key.kind, key.device) == ("static", trace.header.order.device) else key
        for key in trace.keys
    ]
    (finding,) = judged(key_agreement.confirmation_is_right, trace, DEVICE)
    assert (finding.verdict, finding.hint) == (Verdict.FAIL, "private-key-of-another-certificate")


def test_every_known_mistake_is_a_cause_that_is_told_in_words() -> None:
    known = {each["mistake"] for each in MISTAKES}
    assert known
    assert known <= set(all_causes())


def test_without_private_keys_the_reaction_tells() -> None:
    (accepted,) = judged(key_agreement.confirmation_is_right, recorded(), DEVICE)
    assert accepted.verdict is Verdict.PASS
    header = zcl.Zcl.of(frame_type=zcl.FrameType.CLUSTER, direction=zcl.Direction.SERVER_TO_CLIENT, command_identifier=0x03)
    terminate = zcl.build(header, TerminateKeyEstablishment.of(status=TerminateStatus.BAD_KEY_CONFIRM))
    refused = {"Confirm Key Data Response": terminate}
    (believed,) = judged(key_agreement.confirmation_is_right, recorded(changed=refused, dut=(DEVICE,)), DEVICE)
    (doubted,) = judged(key_agreement.confirmation_is_right, recorded(changed=refused), DEVICE)
    assert (believed.verdict, doubted.verdict) == (Verdict.FAIL, Verdict.INCONC)


def test_private_keys_that_belong_to_nobody_prove_nothing() -> None:
    trace = recorded(DEVICE, ESI)
    trace.keys = [key if key.kind != "static" else Key("static", bytes(20) + b"\x05", key.device) for key in trace.keys]
    assert judged(key_agreement.confirmation_is_right, trace, DEVICE) == []
