"""Every recorded exchange under fixtures/cim/messages: a good one breaks nothing, a bad one the rule its file name begins with."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest

from harness.cim.check_recording import check_recording
from harness.cim.finding import RULES, Layer
from harness.cim.record import Record, Recording
from harness.cim.recording import is_recording, read_recording
from harness.cim.sequence import FLOOD, SEQUENCE, check_sequence
from harness.clock import VIRTUAL_EPOCH
from harness.errors import InputError

MESSAGES = Path(__file__).parents[2] / "fixtures" / "cim" / "messages"
GOOD = sorted((MESSAGES / "good").glob("*.exchange.yaml"))
BAD = sorted((MESSAGES / "bad").glob("*.exchange.yaml"))
BESIDE = {"http-status--fault-with-200.exchange.yaml": {"missing"}}  # a fault answers what has no header, which is wrong in itself

ORDER = """\
epoch: 2026-01-15T12:00:00Z
records:
  - at: 1
    from: DR Application
    to: AMI Head-End
    body: <a/>
"""


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_a_good_exchange_breaks_nothing(path: Path) -> None:
    assert [found.as_dict() for found in check_recording(read_recording(path), second=True) if found.failed] == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.name)
def test_a_bad_exchange_breaks_the_rule_it_is_named_after(path: Path) -> None:
    recording = read_recording(path)
    failed = [found for found in check_recording(recording, second=True) if found.verdict]
    assert {found.rule for found in failed} == {path.name.split("--")[0], *BESIDE.get(path.name, ())}
    parties = {party for record in recording for party in (record.producer, record.receiver)}
    for found in failed:
        assert found.path.startswith(str(found.records[0]))
        assert found.by in parties


def test_every_rule_about_a_sequence_has_a_bad_exchange() -> None:
    of_sequences = {rule for rule, (layer, _) in RULES.items() if layer is Layer.SEQUENCE}
    assert of_sequences == set(SEQUENCE)
    assert of_sequences <= {path.name.split("--")[0] for path in BAD}


def test_the_comment_of_an_exchange_says_what_it_is() -> None:
    assert [path.name for path in GOOD + BAD if not path.read_text(encoding="utf-8").startswith("# ")] == []


def test_an_exchange_on_another_binding_than_the_bench_wants_is_told() -> None:
    recording = read_recording(MESSAGES / "good" / "soap11.exchange.yaml")
    told = check_recording(recording, binding="xml")
    assert [(found.rule, found.records) for found in told] == [("binding", (1,)), ("binding", (2,))]
    assert check_recording(recording, binding="soap11") == []


# -- the file format


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "made.exchange.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_body_stands_in_the_file_or_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside.xml").write_bytes(b"\xff\xfe<\x00")
    octets = base64.b64encode(bytes(range(256))).decode()
    (record, coded, beside, log) = read_recording(written(tmp_path, f"""\
epoch: 2026-01-15T13:00:00+01:00
until: 60
records:
  - at: 2026-01-15T12:00:01.5Z
    from: CIS
    to: AMI Head-End
    transport: {{name: http, method: POST, target: /x, headers: {{Content-Type: text/xml}}}}
    body: |
      <a>
        b</a>
  - {{at: 2, from: AMI Head-End, to: CIS, answers: 1, transport: {{name: http, status: 200}}, base64: "{octets}"}}
  - {{at: 3, from: AMI Head-End, to: CIS, file: beside.xml, lost: yes}}
  - {{at: 3, from: AMI Head-End, log: wrote something}}
""")).records
    assert (record.at, record.octets, record.transport["headers"]) == (1.5, b"<a>\n  b</a>\n", {"content-type": "text/xml"})
    assert (coded.octets, coded.answers, coded.transport["status"]) == (bytes(range(256)), 1, 200)
    assert (beside.octets, beside.arrives, coded.arrives) == (b"\xff\xfe<\x00", None, 2.0)
    assert (log.receiver, log.octets) == ("", b"wrote something")


@pytest.mark.parametrize(("old", "new", "said"), [
    ("epoch: 2026-01-15T12:00:00Z\n", "", ":1: epoch: is missing; right would be `epoch: 2026"),
    ("12:00:00Z", "12:00:00", ":1: epoch: '2026-01-15T12:00:00' leaves its zone open; right would be an instant with its zone"),
    ("12:00:00Z", "noon", ":1: epoch: '2026-01-15Tnoon' is no instant"),
    ("2026-01-15T12:00:00Z", "9999-12-31T23:59:59Z", ":1: epoch: '9999-12-31T23:59:59Z' is no instant"),
    ("records:", "record:", ":1: records: is missing"),
    ("at: 1", "at: soon", ":3: records[0].at: 'soon' is no number"),
    ("at: 1", "at: -1", ":3: records[0].at: -1 is out of range"),
    ("at: 1", "at: 2025-01-01T00:00:00Z", ":3: records[0].at: '2025-01-01T00:00:00Z' is out of order"),
    ("    from: DR Application\n", "", ":3: records[0].from: is missing"),
    ("    to: AMI Head-End\n", "", ":3: records[0]: has no `to`; right would be `to` or `log`"),
    ("body: <a/>", "flaw: ''", ":6: records[0].flaw: '' is no line of text"),
    ("    body: <a/>\n", "", ":3: records[0]: has 0 of body, base64, file and log; right would be one of them"),
    ("body: <a/>", "body: <a/>\n    base64: QQ==", ":3: records[0]: has 2 of body"),
    ("body: <a/>", 'body: "\\ud800"', ":6: records[0].body: '\\ud800' has half a character; right would be text"),
    ("body: <a/>", "base64: 'not so'", ":6: records[0].base64: is no base64; right would be base64 of the octets"),
    ("body: <a/>", "file: ../away.xml", ":6: records[0].file: '../away.xml' lies elsewhere; right would be the name of a file in"),
    ("body: <a/>", "file: /etc/hostname", ":6: records[0].file: '/etc/hostname' lies elsewhere"),
    ("body: <a/>", "file: missing.xml", ":6: records[0].file: cannot be read: No such file"),
    ("body: <a/>", "body: <a/>\n    answers: 1", ":7: records[0].answers: 1 is no record before this one"),
    ("body: <a/>", "body: <a/>\n    lost: maybe", ":7: records[0].lost: 'maybe' is not known; right would be one of yes, no"),
    ("body: <a/>", "body: <a/>\n    transport: {name: pigeon}", ":7: records[0].transport.name: 'pigeon' is not known"),
    ("body: <a/>", "body: <a/>\n    transport: {name: http, status: 42}", ":7: records[0].transport.status: 42 is out of range"),
    ("body: <a/>", "body: <a/>\n    subject: x", ":7: records[0].subject: there is no such field; right would be one of at, from"),
    ("  - at: 1", "  - at: 1\n    at: 2", ":4: records[0].at: is there twice"),
])
def test_each_mistake_in_a_recording_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in ORDER
    with pytest.raises(InputError) as fault:
        read_recording(written(tmp_path, ORDER.replace(old, new)))
    assert f"made.exchange.yaml{said}" in str(fault.value)
    assert "\n" not in str(fault.value)


def test_many_large_bodies_are_refused_before_they_fill_the_memory(tmp_path: Path) -> None:
    one = "  - {at: 1, from: CIS, to: ODS, body: &it '" + "x" * 200_000 + "'}\n"
    many = "  - {at: 1, from: CIS, to: ODS, body: *it}\n" * 1000
    with pytest.raises(InputError, match=r"records\[335\]: brings more octets than are read; right would be bodies of at most"):
        read_recording(written(tmp_path, f"epoch: 2026-01-15T12:00:00Z\nrecords:\n{one}{many}"))


def test_the_documented_format_is_the_one_that_is_read(tmp_path: Path) -> None:
    page = (MESSAGES.parents[2] / "docs" / "exchanges.md").read_text(encoding="utf-8")
    (tmp_path / "answer.xml").write_text("<a/>", encoding="utf-8")
    recording = read_recording(written(tmp_path, page.split("```yaml\n")[1].split("```")[0]))
    assert [record.answers for record in recording] == [None, 1]
    documented = {name for line in page.splitlines() if line.startswith("| `") for name in re.findall("`([a-z0-9_]+)`", line.split("|")[1])}
    known = set()
    for unknown in (ORDER.replace("records:", "unknown: x\nrecords:"), ORDER.replace("body: <a/>", "body: <a/>\n    unknown: x")):
        with pytest.raises(InputError, match="there is no such field") as fault:
            read_recording(written(tmp_path, unknown))
        known |= set(str(fault.value).rpartition("one of ")[2].split(", "))
    assert known == documented


def test_a_file_beside_a_recording_is_not_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.xml").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="lies elsewhere"):
        read_recording(written(tmp_path, ORDER.replace("body: <a/>", "file: link.xml")))


def test_a_recording_is_told_from_a_message(tmp_path: Path) -> None:
    assert is_recording(BAD[0], b"")
    assert not is_recording(*held(MESSAGES / "good" / "linkage-step-14.xml"))
    unnamed = tmp_path / "recorded.txt"
    for before in ("", "# A comment.\n\n# Another.\n", "---\n", "\ufeff"):
        unnamed.write_text(before + ORDER, encoding="utf-8")
        assert is_recording(*held(unnamed))
        assert read_recording(*held(unnamed)).records


def held(path: Path) -> tuple[Path, bytes]:
    return path, path.read_bytes()


def test_a_file_beside_a_recording_is_a_file_and_no_pipe_or_circle(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xml")
    (tmp_path / "one.xml").symlink_to("other.xml")
    (tmp_path / "other.xml").symlink_to("one.xml")
    wrong = {"pipe.xml": "'pipe.xml' is no file", "one.xml": "cannot be read: Symlink loop", '"\\0"': "cannot be read: embedded"}
    for name, said in wrong.items():
        with pytest.raises(InputError, match=said):
            read_recording(written(tmp_path, ORDER.replace("body: <a/>", f"file: {name}")))


# -- rules at their edges


def flooding(count: int, seconds: float) -> Recording:
    octets = (MESSAGES / "good" / "event-paired.xml").read_bytes()
    records = tuple(
        Record(number, (number - 1) * seconds / count, "AMI Head-End", "CIS", octets.replace(b"-4", b"-%x" % (number % 16)))
        for number in range(1, count + 1)
    )
    return Recording(records, VIRTUAL_EPOCH, seconds)


def test_a_flood_is_one_finding_and_many_messages_are_none() -> None:
    assert "flood" not in {found.rule for found in check_sequence(flooding(FLOOD, 1.0))}
    floods = [found for found in check_sequence(flooding(20 * FLOOD, 1.0)) if found.rule == "flood"]
    assert [found.by for found in floods] == ["AMI Head-End"]


def test_thousands_of_requests_of_one_correlation_are_judged_in_bounded_time() -> None:
    octets = (MESSAGES / "good" / "window-ordered-typed.xml").read_bytes()
    records = tuple(
        Record(number, float(number), "DR Application", "AMI Head-End", octets.replace(b"cd613e30", b"%08x" % number), arrives=0.0)
        for number in range(1, 3001)
    )
    findings = check_sequence(Recording(records, VIRTUAL_EPOCH, 3000.0))
    assert sum(found.rule == "correlation-reuse" for found in findings) == len(records) - 1
