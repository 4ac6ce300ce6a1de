"""Mutated messages: two validators say the same of each, every finding has a rule and a layer, and what a mutation claims is so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from harness.cim.check import check_message
from harness.cim.envelope import read
from harness.cim.finding import RULES
from harness.cim.instant import instant_of
from harness.cim.mutation import CHANGES, MESSAGE, OF_OCTETS, Claim, Mutation, message_in
from harness.cim.mutations import mutations
from harness.cim.nouns import NOUNS
from harness.cim.schema import noun_of, second_opinion, validate
from harness.cim_profile import DEFAULT, CimProfile
from harness.cim_strategies import LINKAGE, MESSAGES, ORDER, REGISTRATION, mutated

RIGHT = {str(path.relative_to(MESSAGES).with_suffix("")): path.read_bytes() for path in sorted(MESSAGES.rglob("*.xml"))}
OF_EACH_NOUN = (
    ORDER, "window-ordered-generic", "window-withdrawn", LINKAGE, "linkage-step-13-generic", REGISTRATION, "event-paired",
    "event-pairing-failed-generic", "meter-created", "device-recorded", "window-refused", "linkage-accepted-in-part",
    "window-refused-generic", "fault-typed", "fault-generic", "2008/window-ordered-typed",
    "2008/event-with-its-request-generic", "2008/linkage-accepted-in-part",
    "2018/window-ordered-generic", "2018/linkage-step-14", "2018/window-accepted",
)
ON_THE_WAY = (  # what a wire puts around a message
    b"",
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body>%s</s:Body></s:Envelope>',
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>\n%s\n</s:Body></s:Envelope>',
)
DURATION = "Payload/EndDeviceControls/EndDeviceControl/primaryDeviceTiming/duration"
START = "Payload/EndDeviceControls/EndDeviceControl/primaryDeviceTiming/interval/start"


def generation(name: str) -> str | None:
    return name.rpartition("/")[0] or None


def profile(name: str) -> CimProfile | None:
    told = generation(name)
    return None if told is None else replace(DEFAULT, envelope=told)


def received_at(name: str) -> datetime | None:
    message, _ = read(RIGHT[name])
    return instant_of(message.header.timestamp) if message is not None and message.header is not None else None


def wrapped(octets: bytes, around: bytes) -> bytes:
    return around.replace(b"%s", octets.partition(b"?>")[2]) if around else octets


def unwrapped(octets: bytes) -> bytes:
    message = message_in(etree.fromstring(octets))
    assert message is not None
    return bytes(etree.tostring(message, with_tail=False))


@pytest.mark.parametrize("name", OF_EACH_NOUN)
@settings(max_examples=30)
@given(data=st.data())
def test_a_mutation_leads_to_what_it_says_and_two_validators_agree_about_it(name: str, data: st.DataObject) -> None:
    mutation = data.draw(mutated(name))
    made = mutation.made_of(RIGHT[name])
    findings = check_message(made, received_at(name), profile=profile(name), second=True)
    assert all(finding.rule in RULES and finding.layer and finding.message for finding in findings)
    assert "validators-disagree" not in {finding.rule for finding in findings}
    broken = {finding.rule for finding in findings if finding.failed}
    message, _ = read(made)
    if mutation.claim is Claim.LEGAL:
        assert not broken
    elif mutation.claim is Claim.REFUSED:
        assert broken & set(mutation.rules)
    else:
        assert message is not None
        assert not list(validate(message, generation(name)))
        assert not second_opinion(message, generation(name))


@pytest.mark.parametrize("name", [ORDER, REGISTRATION, "event-paired", "meter-created"])
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_mutated_twice_crashes_nobody(name: str, data: st.DataObject) -> None:
    made = data.draw(mutated(name)).made_of(data.draw(mutated(name)).made_of(RIGHT[name]))
    message, findings = read(made)
    assert message is not None or any(finding.failed for finding in findings)
    assert all(finding.rule in RULES for finding in check_message(made, received_at(name)))
    if message is not None:
        assert bool(list(validate(message))) == bool(second_opinion(message))


@pytest.mark.parametrize("around", ON_THE_WAY[1:], ids=["SOAP 1.1", "SOAP 1.2"])
@settings(max_examples=40)
@given(data=st.data())
def test_what_wraps_a_message_is_left_alone(around: bytes, data: st.DataObject) -> None:
    mutation = data.draw(mutated(ORDER).filter(lambda each: each.what not in OF_OCTETS))
    bare, inside = (mutation.made_of(wrapped(RIGHT[ORDER], each)) for each in (b"", around))
    assert etree.fromstring(inside).tag == etree.fromstring(around.replace(b"%s", b"")).tag
    broken, broken_inside = (
        {finding.rule for finding in check_message(unwrapped(each), received_at(ORDER)) if finding.failed} for each in (bare, inside)
    )
    assert broken == broken_inside


@pytest.mark.parametrize("name", OF_EACH_NOUN)
def test_every_mutation_changes_its_message_and_says_so_once(name: str) -> None:
    message, _ = read(RIGHT[name])
    assert message is not None
    every = list(mutations(message, generation(name)))
    assert [each for each, times in Counter(map(repr, every)).items() if times > 1 and "..." not in each] == []
    unchanged = {each.what for each in every if each.made_of(RIGHT[name]) == RIGHT[name]}
    assert unchanged == set()
    assert {each.claim for each in every} == set(Claim)


def test_every_way_of_mutating_is_thought_of_and_every_noun_mutated() -> None:
    messages = [message for name in OF_EACH_NOUN if (message := read(RIGHT[name])[0]) is not None]
    every = [each for message in messages for each in mutations(message)]
    assert {each.what for each in every} == {*CHANGES, *OF_OCTETS}
    assert {noun_of(message) for message in messages} == {*NOUNS, None}
    assert {rule for each in every for rule in each.rules} <= set(RULES)


@settings(max_examples=60)
@given(octets=st.one_of(st.binary(max_size=80), st.sampled_from(sorted(RIGHT.values())).map(lambda octets: octets[:200])))
@example(octets=b"")
@example(octets="<a>\u00e9</a>".encode("utf-16"))
def test_what_is_no_message_stays_as_it_is(octets: bytes) -> None:
    mutation = Mutation("drop", "Header/Verb", None, Claim.REFUSED, ("missing",))
    assert mutation.made_of(octets) == octets


def test_a_mutation_reads_as_a_sentence() -> None:
    assert repr(Mutation("say", "Header/Verb", "update", Claim.REFUSED, ("verb",))) == (
        "say Header/Verb 'update': must be refused for verb"
    )
    assert repr(Mutation("double", MESSAGE)) == "double .: stays valid; what it means is for the rules to say"
    assert "... (70000 characters)" in repr(Mutation("say", "Header/Comment", "x" * 70_000))


@pytest.mark.parametrize("minutes", ["INF", "NaN", "1e30", "3.4e38", "1e10"])
def test_a_window_without_an_end_is_refused_whether_the_time_is_known_or_not(minutes: str) -> None:
    made = Mutation("say", DURATION, minutes).made_of(RIGHT[ORDER])
    for now in (None, received_at(ORDER)):
        assert [(each.rule, each.failed) for each in check_message(made, now)] == [("window", True)]


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_window_at_the_end_of_all_time_is_no_reason_to_crash(start: str) -> None:
    made = Mutation("say", START, start).made_of(RIGHT[ORDER])
    assert {each.rule for each in check_message(made, received_at(ORDER))} == {"window"}


@pytest.mark.parametrize("instant", ["12026-01-15T12:00:00Z", "0001-01-01T00:00:00+14:00", "2026-01-14T24:00:00Z"])
@pytest.mark.parametrize(("name", "where"), [
    (ORDER, "Header/Timestamp"), (ORDER, START), (LINKAGE, "Payload/MasterDataLinkageConfig/ConfigurationEvent/createdDateTime"),
    ("event-paired", "Payload/EndDeviceEvents/EndDeviceEvent/createdDateTime"),
])
def test_an_instant_that_nobody_can_place_is_said_to_be_one(name: str, where: str, instant: str) -> None:
    made = Mutation("say", where, instant).made_of(RIGHT[name])
    message, _ = read(made)
    assert message is not None
    assert list(validate(message)) == []
    assert [each.rule for each in check_message(made, received_at(name)) if each.failed] == ["date-time"]


@pytest.mark.parametrize(("text", "valid"), [
    (" 2026-01-15T12:00:00Z ", True), ("\n2026-01-15T12:00:00Z", True), ("2026-01-15T12:00:00 Z", False),
])
def test_blanks_around_an_instant_are_nothing(text: str, valid: bool) -> None:
    """XML Schema collapses them (part 2, 3.2.7); libxml2 does so only where a pattern makes it, which our schemas have for it."""
    message, _ = read(Mutation("say", START, text).made_of(RIGHT[ORDER]))
    assert message is not None
    assert (not list(validate(message)), not second_opinion(message)) == (valid, valid)


@pytest.mark.parametrize(("text", "valid"), [("1e", False), ("1E+", False), ("1e1", True), ("INF", True), ("+INF", False)])
def test_an_exponent_has_digits(text: str, valid: bool) -> None:
    """libxml2 by itself takes 1e for a float; the pattern in our schemas is what XML Schema says one looks like."""
    message, _ = read(Mutation("say", DURATION, text).made_of(RIGHT[ORDER]))
    assert message is not None
    assert (not list(validate(message)), not second_opinion(message)) == (valid, valid)
