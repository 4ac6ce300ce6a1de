"""The bench's end of a radio process: whatever a child does, the bench says by name what it was, and in time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.adapters import ncp_process
from harness.adapters.ncp_process import ROOM, NcpProcess
from harness.errors import BenchError
from harness.ncp.line import LONGEST, VERSION, NotALine, masked, read, written
from harness.ncp.orphan import LEFT

SAYS = "import json, signal, sys\ndef say(line):\n    sys.stdout.write(line)\n    sys.stdout.flush()\n"
HELLO = f"say({json.dumps(json.dumps({'hello': VERSION}))} + chr(10))\n"


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a child process named `child`, to be written."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "child.py"


def started(start_limit: float = 20.0) -> NcpProcess:
    return NcpProcess("the radio", lambda: None, module="child", start_limit=start_limit)


@pytest.mark.parametrize(("does", "says"), [
    ("sys.exit(3)", r"^the radio: its process \d+ ended with code 3$"),
    ("say('{\"hello\": \"somebody else/7\"}\\n')", f"its process speaks 'somebody else/7'; right would be {VERSION}"),
    ("say('garbage\\n')", r"its process \d+ sent no JSON"),
    ("sys.stdout.buffer.write(bytes(range(256)) + b'\\n')", r"its process \d+ sent no JSON"),
    ("say('[1, 2]\\n')", r"its process \d+ sent JSON, but no object"),
    ("say('x' * 70000)\nsignal.pause()", rf"a line that is cut off, or longer than {LONGEST} octets"),
    ("say('{\"hello\"')", "a line that is cut off"),
    ("say('[' * 60000 + '\\n')", r"sent no JSON: RecursionError"),
])
def test_a_child_that_does_not_begin_as_it_should(child: Path, does: str, says: str) -> None:
    child.write_text(SAYS + does)
    with pytest.raises(BenchError, match=says):
        started()


def test_a_child_that_never_starts_is_given_up_and_ended(child: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncp_process, "FAREWELL", 0.1)
    child.write_text(f"{SAYS}signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.pause()")
    with pytest.raises(BenchError, match=r"did not start within 0\.3 s"):
        started(0.3)


def test_a_python_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BenchError, match="its process cannot be started: No such file or directory"):
        started()


@pytest.mark.parametrize(("does", "says"), [
    ("say('{\"n\": 99, \"done\": {}}\\n')", "answers what nobody asked"),
    ("say('{\"n\": [1], \"done\": {}}\\n')", "answers what nobody asked"),
    ("say('{\"n\": 1, \"done\": 7}\\n')", "`send` failed: no reason is given"),
    ("say('{\"n\": 1, \"failed\": \"it burns\"}\\n')", "`send` failed: it burns"),
    ("sys.exit(0)", "ended with code 0; unanswered: `send`"),
    (f"say('{{}}\\n' * {ROOM + 2})\nsignal.pause()", f"sent more than {ROOM} lines that nobody had time for"),
])
def test_a_child_that_goes_wrong_later(child: Path, does: str, says: str) -> None:
    child.write_text(f"{SAYS}{HELLO}sys.stdin.readline()\n{does}")
    process = started()
    try:
        process.post("send", due=9.0)
        process._reading.join(0.5)  # give it time to say more than one line
        with pytest.raises(BenchError, match=says):
            _until_it_fails(process)
    finally:
        process.close()


def _until_it_fails(process: NcpProcess) -> None:
    while True:
        process.told()
        with process._changed:
            process._changed.wait_for(lambda: bool(process._waiting or process._ended), 5.0)


def test_a_child_that_does_not_read_holds_nobody_up(child: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncp_process, "FAREWELL", 0.1)
    child.write_text(f"{SAYS}{HELLO}signal.pause()")
    process = started()
    with pytest.raises(BenchError, match=r"the radio does not answer `open` within 0\.1 s"):
        process.call("open", within=0.1)
    process.post("send", due=4.0, asdu="00" * 20_000)
    assert process.deadline() == 4.0
    process.expire(3.9)
    with pytest.raises(BenchError, match=r"the radio does not answer `send`: its process \d+ hangs"):
        process.expire(4.0)
    with pytest.raises(BenchError, match=r"the radio does not take `send`: its process \d+ hangs"):
        process.post("send", due=4.0, asdu="00" * 30_000)
    process.close()
    process.close()


def test_what_comes_while_an_answer_is_waited_for_is_not_lost(child: Path) -> None:
    child.write_text(f"""{SAYS}{HELLO}sys.stdin.readline()
say('{{"join": {{}}}}\\n{{"leave": {{}}}}\\n{{"n": 1, "done": {{"a": 1}}}}\\n')
sys.stdin.readline()""")
    process = started()
    assert process.call("open", within=10.0) == {"a": 1}
    assert process.told() == [{"join": {}}, {"leave": {}}]
    process.close()


def test_what_came_before_a_failure_is_told_before_it(child: Path) -> None:
    child.write_text(f"""{SAYS}{HELLO}sys.stdin.readline()
say('{{"lost": {{}}}}\\n{{"n": 1, "failed": "no line"}}\\n')
sys.stdin.readline()""")
    process = started()
    process.post("send", due=9.0)
    with process._changed:
        process._changed.wait_for(lambda: len(process._waiting) == 2, 10.0)
    assert process.told() == [{"lost": {}}]
    with pytest.raises(BenchError, match="`send` failed: no line"):
        process.told()
    process.close()


def test_a_signal_to_all_that_the_terminal_runs_is_the_bench_s_alone(child: Path) -> None:
    child.write_text(f"{SAYS}{HELLO}sys.stdin.readline()")
    process = started()
    try:
        assert os.getpgid(process.pid) != os.getpgrp()
    finally:
        process.close()


def test_a_child_that_hangs_when_its_bench_is_gone_ends_all_the_same() -> None:
    hangs = "import signal; from harness.ncp.orphan import end_with_the_bench; end_with_the_bench(0.1); signal.pause()"
    process = subprocess.Popen([sys.executable, "-c", hangs], stdin=subprocess.PIPE)
    assert process.stdin is not None
    try:
        process.stdin.write(b"a line that nobody reads\n")
        process.stdin.close()
        assert process.wait(20.0) == LEFT
    finally:
        process.kill()


def test_lines_are_bounded_both_ways() -> None:
    with pytest.raises(NotALine, match="where 65536 are the most"):
        written({"asdu": "0" * LONGEST})
    with pytest.raises(NotALine):
        read(b"{" + b" " * LONGEST + b"}\n")
    assert read(written({"n": 1, "do": "close"})) == {"n": 1, "do": "close"}


KEY = bytes.fromhex("66b6900981e1ee3ca4206b6b861c02bb")


@pytest.mark.parametrize("shown", [
    KEY.hex(), KEY.hex(":").upper(), KEY.hex(" "), repr(KEY), ", ".join(map(str, KEY)), ", ".join(map(hex, b"\x10" * 16)),
    "".join(f"\\x{octet:02x}" for octet in KEY),
])
def test_what_may_be_a_key_is_in_no_error(shown: str) -> None:
    assert masked(f"bad key {shown}!") == "bad key <octets>!"


def test_an_address_may_be_in_an_error_and_a_long_one_is_cut() -> None:
    assert masked("device acde48000a19c3d5\n  left") == "device acde48000a19c3d5 left"
    assert len(masked("word " * 100)) == 203
