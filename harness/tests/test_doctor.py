"""`hanproof doctor`: every finding by a bench that has what it finds, one line what is so and one what to do, and the exit code."""

from __future__ import annotations

import json
import os
import pty
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.adapters.ncp_options import Examined, cannot
from harness.cli import main
from harness.declarations import read_bench
from harness.doctor import examine, host, ports
from harness.doctor.finding import Finding, Grade
from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted

BENCHES = Path(__file__).parents[2] / "fixtures" / "benches"
REAL = "harness.adapters.real_device:RealDevice"


class FakeRadio:
    """A radio that is as its options say."""

    opened: list[FakeRadio] = []

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        if "fails" in options:
            raise BenchError(f"radio at {options['port']}: does not answer within 2 s")
        if "crashes" in options:
            raise ZeroDivisionError("in somebody's library")
        self.options, self.closed, self.sent = dict(options), 0, list[object]()
        self.offers = frozenset(options.get("offers", "raw promiscuous source-match timestamps energy-scan").split())
        self.about: Mapping[str, str] = {"firmware": "OPENTHREAD/1.0", "exercised on hardware": options.get("exercised", "2026-01-01")}
        self.opened.append(self)

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        self.sent.append(pdu)

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        return []

    def perform(self, operation: str, **given: object) -> object:
        if "breaks" in self.options:
            raise BenchError("radio at /dev/x: the port was closed")
        if "stumbles" in self.options:
            raise OSError(5, "Input/output error")
        if operation != "energy_scan" or "energy-scan" not in self.offers:
            raise Unsupported(f"no {operation}")
        return {11: -90, 15: float(self.options.get("level", -88)), 20: -91, 25: -92, 26: -60} if "deaf" not in self.options else {}

    def close(self) -> None:
        self.closed += 1
        if "sticks" in self.options:
            raise RuntimeError("Event loop\nis closed")


class Relay:
    """A vendor's class; making one would touch the device."""

    def __init__(self, options: Mapping[str, str]) -> None:
        raise AssertionError("the device under test was touched")

    def power_cycle(self, now: float) -> None: ...


@pytest.fixture(autouse=True)
def opened() -> list[FakeRadio]:
    FakeRadio.opened.clear()
    return FakeRadio.opened


def written(folder: Path, radio: str = "", verbs: str = "", sniffer: str = "", device: str = "") -> Path:
    text = (BENCHES / "virtual.yaml").read_text().replace("dut: []", "dut: [HAN Device]").replace(
        "[../devices/pct.yaml, ../devices/load_control.yaml]", f"[{device or BENCHES.parent / 'devices' / 'pct.yaml'}]",
    )
    lines = [line for line in text.splitlines() if not line.startswith("  HAN Device: ")]
    verbs = verbs or "factory_reset: {command: 'true'}, start_joining: {command: 'true'}"
    lines.append(f"  HAN Device: {{adapter: '{REAL}', {verbs}}}")
    if radio != "none":
        lines += ["radios:", f"  ESI: {{adapter: '{__name__}:FakeRadio', {radio or 'port: socket://127.0.0.1:9'}}}"]
    if sniffer:
        lines.append(f"  sniffer: {{adapter: '{__name__}:FakeRadio', {sniffer}}}")
    (folder / "bench.yaml").write_text("\n".join([*lines, ""]))
    return folder / "bench.yaml"


def found(path: Path) -> list[Finding]:
    return list(examine(read_bench(path)))


def worst(findings: list[Finding]) -> Grade:
    """Of what the bench is to blame for; the machine of the test may lack what it likes."""
    return max(each.grade for each in findings if each.about not in ("clock", "tshark", "node"))


def only(findings: list[Finding], about: str, grade: Grade) -> Finding:
    (one,) = (each for each in findings if each.about == about and each.grade is grade)
    return one


def test_a_bench_that_is_right_has_nothing_to_be_done_and_leaves_its_radio(tmp_path: Path, opened: list[FakeRadio]) -> None:
    findings = found(written(tmp_path))
    assert [each for each in findings if each.grade > Grade.NOTE] == []
    assert "channel 15 is quiet (-88 dBm)" in [each.says for each in findings]
    assert [(radio.closed, radio.sent, radio.options) for radio in opened] == [(1, [], {"port": "socket://127.0.0.1:9"})]


@pytest.mark.parametrize(("radio", "grade", "says", "todo"), [
    ("port: /no/such/ttyACM0", Grade.PROBLEM, "/no/such/ttyACM0 is not there", "plug it in; there is no ttyACM"),
    (f"port: {__file__}", Grade.PROBLEM, "is no serial port", "name the port"),
    ("port: 'socket://x:1', fails: 'yes'", Grade.PROBLEM, "radio at socket://x:1: does not answer", "firmware"),
    ("port: 'socket://x:1', crashes: 'yes'", Grade.PROBLEM, "FakeRadio: in somebody's library", "options"),
    ("port: 'socket://x:1', breaks: 'yes'", Grade.PROBLEM, "the port was closed", "plug it in again"),
    ("port: 'socket://x:1', stumbles: 'yes'", Grade.PROBLEM, "FakeRadio failed: OSError: [Errno 5] Input/output error", "whoever wrote it"),
    ("port: 'socket://x:1', sticks: 'yes'", Grade.PROBLEM, "FakeRadio failed: RuntimeError: Event loop is closed", "whoever wrote it"),
    ("port: 'socket://x:1', offers: 'raw energy-scan timestamps'", Grade.DOUBT, "has no source-match: sleepy devices", "firmware"),
    ("port: 'socket://x:1', offers: 'raw energy-scan source-match'", Grade.DOUBT, "has no timestamps", "sniffer"),
    ("port: 'socket://x:1', offers: 'source-match timestamps'", Grade.NOTE, "interference is unknown: no energy_scan", "another tool"),
    ("port: 'socket://x:1', exercised: 'no'", Grade.NOTE, "was never run on hardware", "tell us"),
    ("port: 'socket://x:1', level: '-60'", Grade.DOUBT, "channel 15 is busy (-60 dBm)", "the quietest are 25, 20, 11, 15"),
    ("port: 'socket://x:1', deaf: 'yes'", Grade.DOUBT, "its energy scan told nothing", "scan again"),
])
def test_a_radio(tmp_path: Path, opened: list[FakeRadio], radio: str, grade: Grade, says: str, todo: str) -> None:
    findings = found(written(tmp_path, radio))
    finding = only(findings, "radio of ESI", grade)
    assert says in finding.says
    assert todo in finding.todo
    assert worst(findings) == grade
    assert all(radio.closed == 1 for radio in opened)


def test_a_sniffer_must_hear_everything_and_have_a_port_of_its_own(tmp_path: Path) -> None:
    deaf = only(found(written(tmp_path, sniffer="port: 'socket://x:2', offers: raw")), "sniffer", Grade.PROBLEM)
    assert "cannot hear what is not for itself" in deaf.says
    shared = only(found(written(tmp_path, sniffer="port: 'socket://127.0.0.1:9'")), "sniffer", Grade.PROBLEM)
    assert shared.says == "socket://127.0.0.1:9 is ESI's already"


def test_a_real_device_needs_radios_on_our_side(tmp_path: Path) -> None:
    assert only(found(written(tmp_path, "none")), "radios", Grade.PROBLEM).todo.startswith("write `radios: {ESI:")
    path = written(tmp_path)
    path.write_text(path.read_text().replace("  ESI: {adapter: 'harness.tests", "  sniffer: {channel: 15, adapter: 'harness.tests"))
    assert only(found(path), "radios", Grade.PROBLEM).says == "our own ESI has no radio"


@pytest.fixture
def port() -> Any:
    ends = pty.openpty()
    yield os.ttyname(ends[1])
    for end in ends:
        os.close(end)


def test_a_port_that_may_not_be_opened_names_the_group_to_join(tmp_path: Path, port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chmod(port, 0o660)
    monkeypatch.setattr("harness.doctor.ports.os.access", lambda path, mode: False)  # what root may do is no measure
    finding = only(found(written(tmp_path, f"port: {port}")), "radio of ESI", Grade.PROBLEM)
    assert finding.says.startswith(f"{port} may not be opened by ")
    assert finding.todo.startswith("sudo usermod -aG ")
    os.chmod(port, 0o600)
    assert "udev rule" in only(found(written(tmp_path, f"port: {port}")), "radio of ESI", Grade.PROBLEM).todo


def test_a_port_in_use_names_who_has_it(tmp_path: Path, port: str) -> None:
    holder = tmp_path / "proc" / "4711"
    (holder / "fd").mkdir(parents=True)
    (holder / "comm").write_text("ModemManager\n")
    (holder / "fd" / "3").symlink_to(port)
    (tmp_path / "proc" / "4712").mkdir()
    assert list(ports.holders_of(Path(port), tmp_path / "proc")) == ["ModemManager (4711)"]
    findings = list(ports.examine_port("radio of ESI", port))
    assert [each.says for each in findings] == [f"{port} may be another device after the next start"]


def test_a_port_in_use_is_a_problem(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "holders_of", lambda path: iter(["ModemManager (4711)"]))
    (finding,) = ports.examine_port("radio of ESI", port)
    assert (finding.grade, finding.says) == (Grade.PROBLEM, f"{port} is in use by ModemManager (4711)")


@pytest.mark.parametrize(("verbs", "about", "grade", "says"), [
    ("start_joining: {person: press}", "HAN Device.factory_reset", Grade.DOUBT, "nobody performs it, and every case that is played"),
    ("factory_reset: {person: hold}, start_joining: {person: press}", "operator", Grade.NOTE,
     "a person performs HAN Device.factory_reset, HAN Device.start_joining"),
    ("power_cycle: {command: '/no/such/relay --off'}", "HAN Device.power_cycle", Grade.PROBLEM,
     "there is no command '/no/such/relay' that may be run"),
    ("power_cycle: {command: \"relay 'off\"}", "HAN Device.power_cycle", Grade.PROBLEM, "the command cannot be read: No closing quotation"),
    ("power_cycle: {command: 'true'}", "HAN Device.power_cycle", Grade.FINE, "/true is there"),
    ("power_cycle: {adapter: 'no_such_lab:Relay'}", "HAN Device.power_cycle", Grade.PROBLEM, "No module named 'no_such_lab'"),
    (f"start_joining: {{adapter: '{__name__}:Relay'}}", "HAN Device.start_joining", Grade.PROBLEM, "Relay has no start_joining"),
    (f"power_cycle: {{adapter: '{__name__}:Relay'}}", "HAN Device.power_cycle", Grade.FINE, "Relay has it"),
])
def test_a_role_verb(tmp_path: Path, verbs: str, about: str, grade: Grade, says: str) -> None:
    finding = only(found(written(tmp_path, verbs=verbs)), about, grade)
    assert says in finding.says
    assert (finding.todo == "") == (grade is Grade.FINE)


def test_a_vendors_class_with_a_port_has_it_looked_at_as_well(tmp_path: Path) -> None:
    verbs = f"power_cycle: {{adapter: '{__name__}:Relay', port: /no/such/ttyUSB0}}"
    assert "is not there" in only(found(written(tmp_path, verbs=verbs)), "HAN Device.power_cycle", Grade.PROBLEM).says


def on_a_stick(folder: Path, esi: str, radios: str = "") -> list[Finding]:
    path = written(folder, "none")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("  ESI: ")]
    place = lines.index(next(line for line in lines if line.startswith("  HAN Device: ")))
    lines.insert(place, f"  ESI: {{adapter: 'harness.adapters.zigpy_esi:ZigpyEsi', {esi}}}")
    path.write_text("\n".join([*lines, *([f"radios: {{{radios}}}"] if radios else []), ""]))
    return found(path)


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ports whose sticks were reached; one called dead is not there."""
    reached: list[str] = []

    def examine(options: Mapping[str, Any]) -> Examined:
        if "dead" in options["port"]:
            raise BenchError(f"{options['radio']} on {options['port']}: `open` failed: TimeoutError")
        reached.append(options["port"])
        if options["radio"] == "znp":
            return Examined({"library": "a test's"}, cannot("znp"), unknown="its library scans in no dBm")
        return Examined({"library": "a test's"}, levels={11: -90.0, 15: -60.0 if "noisy" in options["port"] else -88.0})

    monkeypatch.setattr("harness.adapters.zigpy_esi.ZigpyEsi.examine", staticmethod(examine))
    return reached


def test_a_stick_is_reached_and_what_its_library_cannot_is_said(tmp_path: Path, examined: list[str]) -> None:
    sniffer = f"sniffer: {{adapter: '{__name__}:FakeRadio', port: 'socket://x:2', channel: 15}}"
    findings = on_a_stick(tmp_path, "radio: bellows, port: 'socket://x:1'", sniffer)
    assert examined == ["socket://x:1"], "and it is let go of"
    assert [each for each in findings if each.grade > Grade.NOTE and each.about not in ("clock", "tshark", "node")] == []
    said = {each.says for each in findings if each.about == "stick of ESI"}
    assert said == {"library a test's", "its network is lost at the start of a run", "channel 15 is quiet (-88 dBm)"}
    noisy = only(on_a_stick(tmp_path, "radio: bellows, port: 'socket://noisy:1'", sniffer), "stick of ESI", Grade.DOUBT)
    assert noisy.says == "channel 15 is busy (-60 dBm)"
    doubts = [each.says for each in on_a_stick(tmp_path, "radio: znp, port: 'socket://x:1'", sniffer) if each.grade is Grade.DOUBT]
    assert any(says.startswith("its library cannot take the link key that key establishment made: ") for says in doubts)
    shared = on_a_stick(tmp_path, "radio: bellows, port: 'socket://x:2'", sniffer)
    assert only(shared, "sniffer", Grade.PROBLEM).says == "socket://x:2 is ESI's already"


def test_a_stick_with_nobody_beside_it_is_a_doubt_and_no_lack_of_radios(tmp_path: Path, examined: list[str]) -> None:
    findings = on_a_stick(tmp_path, "radio: bellows, port: 'socket://x:1'")
    assert only(findings, "radios", Grade.DOUBT).says.endswith("no clause about frames is applicable")
    assert not [each for each in findings if each.grade is Grade.PROBLEM]


@pytest.mark.parametrize(("esi", "says"), [
    ("radio: zigate, port: 'socket://x:1'", "zigate cannot let a device join with a link key of its own"),
    ("radio: bellows, port: /no/such/ttyACM0", "/no/such/ttyACM0 is not there"),
    ("radio: bellows, port: 'socket://dead:1'", "bellows on socket://dead:1: `open` failed: TimeoutError"),
])
def test_a_stick_that_will_not_do_is_a_problem(tmp_path: Path, examined: list[str], esi: str, says: str) -> None:
    assert only(on_a_stick(tmp_path, esi), "stick of ESI", Grade.PROBLEM).says.startswith(says)
    assert examined == []


def test_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    text = (BENCHES.parent / "devices" / "pct.yaml").read_text()
    code = next(line for line in text.splitlines() if "install_code:" in line and not line.startswith("#"))
    (tmp_path / "code").write_text(code.partition(":")[2].strip())
    (tmp_path / "pct.yaml").write_text(text.replace(code, "  install_code: {file: code}"))
    os.chmod(tmp_path / "code", 0o644)
    path = written(tmp_path, device=str(tmp_path / "pct.yaml"))
    about = f"{tmp_path / 'pct.yaml'}: install_code"
    finding = only(found(path), about, Grade.PROBLEM)
    assert finding.says == f"{tmp_path / 'code'} may be read or written by others (mode 644)"
    assert finding.todo == f"chmod 600 {tmp_path / 'code'}"
    os.chmod(tmp_path / "code", 0o600)
    assert only(found(path), about, Grade.FINE)
    (literal,) = (each for each in found(written(tmp_path)) if "install_code" in each.about)
    assert (literal.grade, "stands in the file itself" in literal.says) == (Grade.NOTE, True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def test_addresses_are_connected_to_and_our_own_are_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there, socket.create_server(("127.0.0.1", 0)) as taken:
        text = (BENCHES / "head_end_over_http.yaml").read_text().replace("../devices/", f"{BENCHES.parent}/devices/")
        text = text.replace("127.0.0.1:9080", "127.0.0.1:1").replace("9081", str(free_port())).replace("http://127.0.0.1:8080/", f"http://127.0.0.1:{there.getsockname()[1]}/")
        (tmp_path / "bench.yaml").write_text(text.replace("listen: 127.0.0.1:8081", f"listen: 127.0.0.1:{taken.getsockname()[1]}"))
        findings = found(tmp_path / "bench.yaml")
        there.settimeout(5)
        assert there.accept()[0].recv(1) == b""  # connected to, and nothing said
    assert only(findings, "AMI Head-End.address", Grade.FINE)
    assert "Address already in use" in only(findings, "AMI Head-End.listen", Grade.PROBLEM).says
    refused = only(findings, "legs.peers.AMI Head-End", Grade.PROBLEM)
    assert (refused.says, "start the system there" in refused.todo) == ("127.0.0.1:1 cannot be connected to: Connection refused", True)


def test_a_clock_and_programmes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert host._clock(now, now + timedelta(days=1)).grade is Grade.PROBLEM
    monkeypatch.setattr(host, "SYNCHRONISED", tmp_path / "none")
    assert host._clock(now, now).grade is Grade.NOTE
    monkeypatch.setattr(host, "SYNCHRONISED", tmp_path)
    assert host._clock(now, now).grade is Grade.FINE
    monkeypatch.setattr("harness.doctor.host.shutil.which", lambda tool: None if tool == "tshark" else f"/bin/{tool}")
    assert [(each.about, each.grade) for each in host.examine_host()][1:] == [("tshark", Grade.NOTE), ("node", Grade.FINE)]


@pytest.mark.parametrize(("radio", "code"), [("", 0), ("port: 'socket://x:1', level: '-60'", 6), ("port: /no/such", 7)])
def test_the_worst_decides_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str], radio: str, code: int) -> None:
    path = written(tmp_path, radio)
    assert main(["doctor", str(path)]) == code
    shown = capsys.readouterr().out
    assert main(["doctor", str(path), "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["exit_code"] == code
    for finding in told["findings"]:
        assert f"{finding['grade']:<8} {finding['about']}: {finding['says']}" in shown
        assert finding["todo"] in shown


@pytest.mark.parametrize("text", [None, "name: [", "adapters: {}"])
def test_a_bench_file_that_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None) -> None:
    if text is not None:
        (tmp_path / "bench.yaml").write_text(text)
    assert main(["doctor", str(tmp_path / "bench.yaml")]) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"hanproof: {tmp_path / 'bench.yaml'}")
    assert captured.err.count("\n") == 1
