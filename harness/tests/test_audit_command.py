"""`hanproof audit` as a user meets it: captures of every kind, live sources, exit codes, one clear line for what is wrong, no key shown."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dissectors.capture import CapturedFrame, write_pcapng
from dissectors.encapsulation import ETHERNET, IEEE802_15_4_NO_FCS
from dissectors.tests.test_encapsulation import ethernet, ipv4, udp
from harness.cli import main
from harness.errors import BenchError
from harness.evidence.scenario import write_keys
from harness.live_capture import packets as live_packets
from harness.tests.field_captures import packets, pcap, run_of, write, zep
from harness.tests.small_run import ROOT

DEVICE = "load_control"
LIMIT = 60.0  # seconds that a command may take at most, whatever else the machine does


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A capture of a run with its key file beside it."""
    write_keys(tmp_path / "zigbee_pc_keys", run_of(DEVICE), ())
    return write(tmp_path / "air.pcapng", run_of(DEVICE))


def audit(*arguments: str | Path) -> int:
    return main(["audit", *map(str, arguments)])


def passes(told: str) -> int:
    """How many passes a report in words counts."""
    return sum(int(word.split()[0]) for line in told.splitlines() if line.startswith("  step ") for word in
               line.partition("(")[2].rstrip(")").split(", ") if word.endswith(" pass"))


@pytest.mark.parametrize("kind", ["pcapng 195", "pcap 230", "zep"])
def test_captures_of_every_kind_give_the_join(kind: str, capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(capture) == 6
    wanted = passes(capsys.readouterr().out)
    other, heard = capture.with_name("other"), packets(run_of(DEVICE))
    if kind == "pcapng 195":
        write(other, run_of(DEVICE), 195)
    elif kind == "pcap 230":
        other.write_bytes(pcap(IEEE802_15_4_NO_FCS, ((each.time, each.octets[:-2]) for each in heard)))
    else:
        other.write_bytes(pcap(ETHERNET, ((each.time, ethernet(ipv4(udp(zep(each))))) for each in heard)))
    assert audit(other) == 6
    told = capsys.readouterr().out
    assert f"{run_of(DEVICE).header.order.device} joins PAN" in told
    assert told.endswith("clause(s) could not be decided (exit code 6)\n")
    assert passes(told) == wanted - (0 if kind == "zep" else 1), "where the channel is not known, the scan is not judged"


def test_keys_come_by_file_and_environment_and_none_is_shown(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert audit(capture, "--json") == 6
    beside = json.loads(capsys.readouterr().out)
    (tmp_path / "zigbee_pc_keys").rename(tmp_path / "keys")
    assert audit(capture, "--json") == 6
    without = json.loads(capsys.readouterr().out)
    assert without["joins"][0]["steps"]["8"]["unasked"] == []
    assert {each["verdict"] for each in without["joins"][0]["steps"]["8"]["findings"]} == {"inconc"}
    assert audit(capture, "--json", "--key-file", tmp_path / "keys") == 6
    assert json.loads(capsys.readouterr().out) == beside
    keys = {key.kind: key.octets.hex() for key in run_of(DEVICE).keys}
    (tmp_path / "code").write_text(run_of(DEVICE).header.order.key_material.hex())
    monkeypatch.setenv("LINK", keys["link"])
    assert audit(capture, "--json", "--install-code", f"@{tmp_path / 'code'}", "--key", "link:env:LINK") == 6
    told = capsys.readouterr()
    given = json.loads(told.out)
    steps = [{step: each["verdict"] for step, each in one["joins"][0]["steps"].items()} for one in (beside, given)]
    assert steps[0] == steps[1]
    assert not any(key in (told.out + told.err).lower() for key in (*keys.values(), (tmp_path / "code").read_text()))


def test_with_the_authority_certificates_and_confirmations_are_judged(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixit = run_of(DEVICE).header.pixit
    assert audit(capture, "--json", "--authority", f"{pixit['issuer']}:{pixit['ca']}") == 6
    found = json.loads(capsys.readouterr().out)["joins"][0]["steps"]["8"]["findings"]
    assert {each["verdict"] for each in found if each["clause"].startswith("UC2.7-08-CERTIFICATE")} == {"pass"}
    assert [each["message"] for each in found if each["clause"] == "UC2.7-08-MAC-U@HAN Device"] == ["MACU is right"]


def test_a_fail_names_its_packets_and_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = run_of(DEVICE, "08-esi-confirms-at-once")
    write_keys(tmp_path / "zigbee_pc_keys", trace, ())
    assert audit(write(tmp_path / "air.pcapng", trace)) == 1
    told = capsys.readouterr().out.splitlines()
    place = next(place for place, line in enumerate(told) if line.startswith("    fail: "))
    assert "expected" in told[place]
    assert "#" in told[place]
    assert told[place + 1] == "      UC2.7-08-ORDER@ESI"


def test_a_capture_without_a_join_exits_with_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pcapng(tmp_path / "air.pcapng", packets(run_of(DEVICE))[:4])
    assert audit(tmp_path / "air.pcapng") == 5
    assert capsys.readouterr().out.endswith("no join was found\n")


@pytest.mark.parametrize(("octets", "said"), [(b"", "or is empty"), (b"PK\3\4 no capture", "neither pcap nor pcapng")])
def test_what_is_no_capture_is_one_clear_line(octets: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "air.pcap").write_bytes(octets)
    assert audit(tmp_path / "air.pcap") == 4
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("line", "said"), [
    ("no key", "1 columns, not 3"), ('"00","Normal","x"', "the key is not 32 hex digits"), ("a" * (1 << 18), "larger than field limit"),
    ("# key nwk - 00", "right would be `# key KIND DEVICE HEX`"), ("# ordered x", "right would be `# ordered KIND DEVICE HEX`"),
])
def test_a_line_of_a_key_file_that_is_none_is_one_clear_line(
    line: str, said: str, capture: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    keys = capture.with_name("zigbee_pc_keys")
    keys.write_text(f"# of somebody\n{line}\n")
    assert audit(capture) == 4
    (told,) = capsys.readouterr().err.splitlines()
    assert f"{keys}: line 2: " in told
    assert said in told


@pytest.mark.parametrize(("arguments", "said"), [
    (["docs"], "docs: is a folder; right would be a pcap or pcapng file"),
    (["."], ".: is a folder; right would be"), (["/"], "/: is a folder; right would be"),
    (["nowhere.pcap"], "nowhere.pcap: cannot be read: No such file"),
    (["zep://localhost:17754"], "right would be --follow"),
    (["--follow", "zep://localhost:no"], "right would be zep://HOST:17754"),
    (["--authority", "12:34", "nowhere.pcap"], "--authority: right would be NAME:KEY"),
    (["--key", "nwk:00", "nowhere.pcap"], "--key nwk: has 1 octets"),
    (["--install-code", "4D5A", "nowhere.pcap"], "has 8, 10, 14 or 18 octets with its CRC"),
    (["--install-code", "4D5A 8B11 C0FF EE27 5A8C", "nowhere.pcap"], "the CRC of this install code is wrong"),
    (["--device-file", "nix.yaml", "nowhere.pcap"], "nix.yaml: cannot be read"),
    (["--device", "nix", "nowhere.pcap"], "has no device 'nix'; right would be one of"),
])
def test_wrong_use_is_one_clear_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(*arguments) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_file_that_breaks_off_is_judged_as_far_as_it_goes(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    octets = capture.read_bytes()
    capture.write_bytes(octets[: len(octets) * 2 // 3])
    assert audit(capture, "--json") == 6
    told = json.loads(capsys.readouterr().out)
    assert "the file ends in the" in told["health"]["ended"]
    (join,) = told["joins"]
    assert "the file ends in the" in join["missing"][0]["cause"]
    assert not any(each["verdict"] == "fail" for step in join["steps"].values() for each in step["findings"])


def test_of_an_endless_capture_so_much_is_judged_as_memory_allows(
    capture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.commands.audit.MOST", 100)
    assert audit(capture, "--json") == 6
    health = json.loads(capsys.readouterr().out)["health"]
    assert (health["counts"]["packets"], "only the first 100 packets" in health["ended"]) == (100, True)


def test_a_fifo_is_followed_to_its_end_with_the_same_report(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(capture) == 6
    report = capsys.readouterr().out
    fifo = capture.with_name("fifo")
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(capture.read_bytes()))
    writer.start()
    assert audit("--follow", fifo) == 6
    writer.join(LIMIT)
    told = capsys.readouterr().out
    assert told.endswith(report)
    assert told.count(" joins PAN ") == 2, "once when it was over, once in the report"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_standard_input_is_followed_until_ctrl_c_or_a_timeout(how: signal.Signals, capture: Path) -> None:
    keys = capture.with_name("zigbee_pc_keys")
    command = [sys.executable, "-m", "harness.cli", "audit", "-", "--follow", "--json", "--key-file", str(keys)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:
        limit = threading.Timer(LIMIT, running.kill)
        limit.start()
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(capture.read_bytes())
        running.stdin.flush()
        first = json.loads(running.stdout.readline())  # while standard input is still open
        running.send_signal(how)
        last = json.loads(running.stdout.readline())
        assert running.wait() == 6
        limit.cancel()
    assert first["join"]["device"] == last["joins"][0]["device"]
    assert first["schema"] == last["schema"] == "hanproof.audit/1"


class Over(Exception):
    """The test has said all it wanted."""


def until_over(source: str, turn: Callable[[], None]) -> list[CapturedFrame]:
    """What comes from a live source until its `turn` says that it is over."""
    found: list[CapturedFrame] = []
    with suppress(Over):
        for packet in live_packets(source, turn, True):
            found.append(packet)
    return found


def test_a_file_that_grows_is_read_on(capture: Path) -> None:
    octets = capture.read_bytes()
    parts = [octets[start : start + 1001] for start in range(0, 10 * 1001, 1001)]
    capture.write_bytes(parts.pop(0))

    def turn() -> None:
        if not parts:
            raise Over
        with capture.open("ab") as file:
            file.write(parts.pop(0))

    found = until_over(str(capture), turn)
    assert [each.octets for each in found] == [each.octets for each in packets(run_of(DEVICE))][: len(found)]
    assert len(found) > 50


def test_zep_is_heard_over_udp() -> None:
    sent = packets(run_of(DEVICE))[:5]
    datagrams = [zep(sent[0]), b"not ZEP", zep(sent[1])[:-3], *map(zep, sent[2:])]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as finder:
        finder.bind(("127.0.0.1", 0))
        port = finder.getsockname()[1]
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def turn() -> None:
        if not datagrams:
            raise Over
        while datagrams:
            sender.sendto(datagrams.pop(0), ("127.0.0.1", port))

    with sender:
        found = until_over(f"zep://127.0.0.1:{port}", turn)
    assert [each.octets for each in found if not each.flaw] == [each.octets for each in (sent[0], *sent[2:])]
    assert [(each.number, each.flaw) for each in found if each.flaw] == [(3, "its ZEP datagram is cut short")]
    assert found[0].channel == sent[0].channel


def test_a_port_that_another_holds_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        source = f"zep://127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(BenchError, match=f"{source}: cannot listen there"):
            next(live_packets(source, lambda: None, True))
