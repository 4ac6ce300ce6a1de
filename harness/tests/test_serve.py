"""`hanproof serve` as somebody else finds it: zeep, which nobody of us wrote, orders a window by the WSDL; wrong options are one line."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from zeep.transports import Transport

from harness.cim.nouns import END_DEVICE_CONTROLS
from harness.clock import wall_utc
from harness.tests.served import ROOT, ServedProcess, serving

HEAD_END = "AMI Head-End"
METER, UNKNOWN = "METER-0001", "METER-9999"  # the default bench's, and nobody's


@pytest.fixture(scope="module", params=["2008", "2011", "2018"])
def generation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def head_end(generation: str) -> Iterator[ServedProcess]:
    with serving("ami-head-end", f"--envelope={generation}", until="WSDL") as served:
        yield served


def order(meter: str, mac: str = "0013500500a1b2c3") -> dict[str, Any]:
    """Step 1 as zeep takes it, for a window that begins in a minute; with an install code that is test material."""
    device = {"installCode": "83fed3407a939723a5c639b26916d505c3b5", "isPan": True, "electronicAddress": {"mac": mac}}
    addressed = {"isPan": False, "Names": [{"name": meter, "NameType": {"name": "MeterNumber"}}]}
    return {END_DEVICE_CONTROLS: {"EndDeviceControl": [{
        "mRID": "78e51061-7311-48a3-82ce-6f447ed4d57b", "EndDeviceControlType": {"ref": "19.10.73.298"},
        "EndDevices": [device, addressed],
        "primaryDeviceTiming": {"duration": 60.0, "interval": {"start": wall_utc() + timedelta(minutes=1)}},
    }]}}


def header(number: int) -> dict[str, Any]:
    return {
        "Verb": "create", "Noun": END_DEVICE_CONTROLS, "Timestamp": wall_utc(), "Source": "zeep",
        "MessageID": f"cd613e30-d8f1-4adf-91b7-{number:012d}", "CorrelationID": f"1e2feb89-414c-443c-9027-{number:012d}",
    }


def client(served: ServedProcess, noun: str, session: requests.Session | None = None) -> zeep.Client:
    return zeep.Client(f"{served.where[HEAD_END]}/{noun}?wsdl", transport=Transport(session=session, timeout=10, operation_timeout=10))


def code_of(answer: Any) -> str:
    """The reply code of any generation."""
    reply = answer.Reply
    return str(reply.ReplyCode) if "ReplyCode" in reply else str(reply.Error[0].code)


def test_zeep_completes_step_1(head_end: ServedProcess, generation: str) -> None:
    proxy = client(head_end, END_DEVICE_CONTROLS)
    assert {binding.name.localname for binding in proxy.wsdl.bindings.values()}
    for number, port in enumerate(sorted(proxy.wsdl.services["ExecuteEndDeviceControls"].ports)):  # SOAP 1.1 and 1.2
        service = proxy.bind("ExecuteEndDeviceControls", port)
        granted = service.CreateEndDeviceControls(Header=header(2 * number), Payload=order(METER))
        refused = service.CreateEndDeviceControls(Header=header(2 * number + 1), Payload=order(UNKNOWN))
        assert (code_of(granted), code_of(refused)) == ("0.0", "2.4"), port
        assert granted.Header.CorrelationID == header(2 * number)["CorrelationID"]
        if generation != "2008":
            assert (granted.Reply.Result, refused.Reply.Result) == ("OK", "FAILED")


def test_what_is_said_about_an_order_holds_no_key(head_end: ServedProcess) -> None:
    client(head_end, END_DEVICE_CONTROLS).service.CreateEndDeviceControls(Header=header(99), Payload=order(METER))
    said = "\n".join(head_end.lines)
    assert not re.search("83fe.?d340", said, re.IGNORECASE)


def test_nobody_gets_in_without_the_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a-secret\n")
    options = ("--user=utility", f"--password-file={tmp_path / 'password'}")
    with serving("ami-head-end", *options, until="WSDL") as served:
        shut_out = requests.post(served.where[HEAD_END], b"<hello/>", auth=("utility", "another"), timeout=10)
        let_in = requests.post(served.where[HEAD_END], b"<hello/>", auth=("utility", "a-secret"), timeout=10)
    assert (shut_out.status_code, b"FaultMessage" in shut_out.content) == (401, False)
    assert b"FaultMessage" in let_in.content  # it is told that this is no message
    assert not any("a-secret" in line for line in served.lines)


@pytest.mark.parametrize(("options", "said"), [
    (("--wire=telex",), "wire: 'telex'; right would be one of http, amqp, stomp"),
    (("--listen=8080",), "right would be host:port"), (("--wire=amqp",), "broker: is missing"),
    (("--peer=cis",), "right would be ROLE=ADDRESS"), (("--peer=ods=nonsense",), "--peer ods: 'nonsense' is no address of HTTP"),
    (("--known-as=a b",), "no name of a host"), (("--defect=no-such",), "no defect of the CIS"),
    (("--control=0.0.0.0:0",), "right would be a port of loopback"), (("--user=me",), "no password of me there"),
    (("--certificate=/nowhere",), "no certificate and matching open key"), (("--envelope=1999",), "2008"),
    (("--bench=/nowhere",), "cannot be read"), (("--listen=0.0.0.0:0",), "known_as"),
    (("--order",), "right would be with dr-application"), (("--leg=tcp",), "right would be with ami-head-end"),
    (("--mutual=yes",), "mutual: asks nobody without TLS"), (("--password-env=HOME",), "user: is missing"),
    (("--user=me", "--password-file=/dev/null"), "no password of me there"),
])
def test_wrong_options_are_one_line(options: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "serve", "cis", *options], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 4, done.stderr
    (line,) = done.stderr.splitlines()
    assert said in line, line


def test_a_port_that_is_taken_is_one_line() -> None:
    with serving("ods", until="WSDL") as served:
        port = served.where["ODS"].split(":")[2].split("/")[0]
        done = subprocess.run(
            [sys.executable, "-m", "harness.cli", "serve", "cis", f"--listen=127.0.0.1:{port}"], cwd=ROOT, capture_output=True,
            text=True, timeout=60, check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (4, 1), done.stderr
    assert "cannot be listened on" in done.stderr
