"""Every message under fixtures/cim/messages: a good one breaks nothing, a bad one the rule that its file name begins with.

Those of another generation than 2011 stand in a folder that is called like it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.cim import finding
from harness.cim.check import check_file, check_message
from harness.cim.envelope import read
from harness.cim.schema import MAX_FINDINGS, second_opinion, validate
from harness.cim_profile import DEFAULT, ENVELOPES, CimProfile
from harness.errors import InputError

MESSAGES = Path(__file__).parents[2] / "fixtures" / "cim" / "messages"
GOOD = sorted((MESSAGES / "good").rglob("*.xml"))
BAD = sorted((MESSAGES / "bad").rglob("*.xml"))
BAD_EXCHANGES = sorted((MESSAGES / "bad").glob("*.exchange.yaml"))
MADE = datetime(2026, 1, 15, 12, 0, 41, tzinfo=UTC)  # the timestamp of the linkages of step 13
NOTED = {"reply-verb", "schema-location"}  # a rule whose breach is shown and not counted
WITHOUT_A_FILE = {"size", "validators-disagree", "binding"}


def named(path: Path) -> str:
    """A fixture's name below the folder of messages."""
    return str(path.relative_to(MESSAGES).with_suffix(""))


def profile_of(path: Path) -> CimProfile:
    """The profile that a fixture is made for."""
    return replace(DEFAULT, envelope=path.parent.name) if path.parent.name in ENVELOPES else DEFAULT


@pytest.mark.parametrize("path", GOOD, ids=named)
def test_a_good_message_breaks_nothing(path: Path) -> None:
    profile = profile_of(path)
    assert [found for found in check_file(path, profile=profile, second=True) if found.failed] == []
    if profile.envelope == "2008":  # the namespace tells
        assert check_file(path) == check_file(path, profile=profile)
        assert "namespace" in {found.rule for found in check_file(path, profile=DEFAULT)}


@pytest.mark.parametrize("path", BAD, ids=named)
def test_a_bad_message_breaks_the_rule_it_is_named_after(path: Path) -> None:
    rule = path.stem.split("--")[0]
    found = check_file(path, profile=profile_of(path), second=True)
    counted = [each for each in found if str(each.verdict) != "none"]
    assert {each.rule for each in counted or found} == {rule}
    assert bool(counted) == (rule not in NOTED)
    assert all(each.message and each.layer for each in found)


@pytest.mark.parametrize("generation", ENVELOPES)
@pytest.mark.parametrize("path", GOOD + BAD, ids=named)
def test_two_validators_agree_in_every_generation(path: Path, generation: str) -> None:
    message, _ = read(path.read_bytes())
    layer, _ = finding.RULES.get(path.stem.split("--")[0], (None, ""))
    assert (message is None) <= (layer in ("transport", "xml"))  # only what fails so early has no tree
    if message is not None:
        assert bool(list(validate(message, generation))) == bool(second_opinion(message, generation))


def test_every_rule_has_a_bad_message() -> None:
    assert {path.name.split("--")[0] for path in (*BAD, *BAD_EXCHANGES)} | WITHOUT_A_FILE == set(finding.RULES)


def test_a_message_over_the_limit_is_not_parsed() -> None:
    assert [each.rule for each in check_message(b"<a>" + b" " * (1 << 20) + b"</a>")] == ["size"]


@pytest.mark.parametrize(
    ("offset", "rules"), [(-301, ["freshness"]), (-299, []), (3599, []), (3601, ["freshness"])],
)
def test_a_timestamp_is_neither_ahead_nor_stale(offset: int, rules: list[str]) -> None:
    octets = (MESSAGES / "good" / "linkage-step-13-typed.xml").read_bytes()
    assert [each.rule for each in check_message(octets, MADE + timedelta(seconds=offset))] == rules


def test_a_window_that_is_over_is_refused_only_by_a_receiver_that_knows_the_time() -> None:
    octets = (MESSAGES / "good" / "window-ordered-typed.xml").read_bytes()
    late = datetime(2026, 1, 15, 13, 0, 0, tzinfo=UTC)  # ends at 13:00:00
    assert "window" in {each.rule for each in check_message(octets, late)}
    assert "window" not in {each.rule for each in check_message(octets, late - timedelta(seconds=1))}


def test_a_schema_hint_is_noted_and_not_followed() -> None:
    found = check_file(MESSAGES / "good" / "linkage-with-a-schema-hint.xml")
    assert [(each.rule, str(each.verdict)) for each in found] == [("schema-location", "none")]


def test_another_context_than_testing_can_be_right() -> None:
    path = MESSAGES / "bad" / "context--production.xml"
    assert [each.rule for each in check_file(path)] == ["context"]
    assert check_file(path, context="PRODUCTION") == check_file(path, context=None) == []


def test_disagreeing_validators_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.cim.check.second_opinion", lambda message, generation: ["made up"])
    found = check_file(MESSAGES / "good" / "linkage-step-14.xml", second=True)
    assert [(each.rule, str(each.verdict)) for each in found] == [("validators-disagree", "inconc")]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"nothing\.xml: cannot be read"):
        check_file(Path("nothing.xml"))


def test_a_finding_as_json() -> None:
    (found,) = check_file(MESSAGES / "bad" / "mac--of-48-bits.xml")
    assert found.as_dict() == {
        "verdict": "fail", "layer": "profile", "rule": "mac",
        "path": "/CreateEndDeviceControls/Payload/EndDeviceControls/EndDeviceControl",
        "message": "not 16 hex digits without separators (12 characters)",
    }


@pytest.mark.parametrize(("good", "element"), [
    ("linkage-step-13-typed", "Meter"), ("event-paired", "EndDeviceEvent"), ("window-ordered-typed", "EndDeviceControl"),
    ("window-ordered-typed", "EndDevices"),
])
def test_a_message_of_thousands_is_judged_in_bounded_time(good: str, element: str) -> None:
    octets = (MESSAGES / "good" / f"{good}.xml").read_bytes()
    start, end = octets.index(f"<m:{element}>".encode()), octets.rindex(f"</m:{element}>".encode()) + len(element) + 5
    right = octets[start:end]
    for one in (right, right.replace(b"2026-01", b"2026-13").replace(b"<m:name>", b"<m:name/><m:name>")):
        many = octets[:start] + one * (900_000 // len(one)) + octets[end:]
        assert len(check_message(many)) <= 2 * MAX_FINDINGS


def test_the_documented_rules_are_the_rules() -> None:
    profile = (MESSAGES.parents[2] / "docs" / "cim-profile.md").read_text(encoding="utf-8")
    documented = [line for line in profile.splitlines() if line.startswith("| `") and line.count("|") == 4]
    for rule, (layer, says) in finding.RULES.items():
        assert f"| `{rule}` | {layer} | {says} |" in documented
