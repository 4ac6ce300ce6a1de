"""`hanproof audit`: judge every join in a capture of any origin by the clauses of steps 5 to 9; --follow judges live.

A pcap or pcapng file, a FIFO, - for standard input, or zep://HOST:PORT to listen for ZEP over UDP. The key file `zigbee_pc_keys`
beside a capture is used without being asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.intake import Intake
    from harness.audit.known import Claimant
    from harness.audit.live import Live
    from harness.audit.verdicts import Audited
    from harness.declarations import Device
    from harness.trace import Key
    from harness.values import Eui64

PASSED, FAILED, NOTHING, INCONCLUSIVE, ERROR = 0, 1, 5, 6, 7
CODES = {"none": NOTHING, "pass": PASSED, "inconc": INCONCLUSIVE, "fail": FAILED, "error": ERROR}
MOST = 200_000  # packets that are taken in: each is kept, in some 7 kB
BENCH = "fixtures/benches/virtual.yaml"
ISSUER_DIGITS, CA_DIGITS = 16, 44


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("audit", help="judge the joins in a capture", description=__doc__)
    parser.add_argument("capture", metavar="CAPTURE", help="a pcap or pcapng file, a FIFO, - or zep://HOST:PORT")
    parser.add_argument("--key", action="append", default=[], metavar="KIND:KEY",
                        help="nwk:KEY or link:KEY (repeatable); KEY is 32 hex digits, @FILE or env:NAME")
    parser.add_argument("--install-code", action="append", default=[], metavar="CODE",
                        help="an install code (repeatable): as printed, or @FILE or env:NAME")
    parser.add_argument("--key-file", action="append", default=[], type=Path, metavar="FILE",
                        help="keys as Wireshark writes them down: zigbee_pc_keys (repeatable)")
    parser.add_argument("--device-file", action="append", default=[], type=Path, metavar="FILE",
                        help="what a device claims (PICS), with its EUI-64 and its install code: the device file of a run (repeatable)")
    parser.add_argument("--bench", type=Path, metavar="FILE", help="a bench file, for the device files that it names")
    parser.add_argument("--device", metavar="NAME", action="append", default=[],
                        help="only this device of the bench file (default: the virtual bench; repeatable)")
    parser.add_argument("--authority", metavar="NAME:KEY",
                        help="the certificate authority, public: its name in 16 hex digits and its key in 44")
    parser.add_argument("--json", action="store_true", help="one JSON object, as docs/audit.md describes it")
    parser.add_argument("--follow", action="store_true", help="judge live: joins as they complete, until the input ends, Ctrl-C or SIGTERM")
    parser.add_argument("--table", default="cases.table", metavar="MODULE", help="the clause table (default: cases.table)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the audit; the exit code is that of the worst verdict. Raises InputError."""
    from harness.audit.intake import Intake
    from harness.audit.known import Known
    from harness.audit.live import Live
    from harness.audit.report import report
    from harness.audit.verdicts import as_json, audit, overall
    from harness.commands.given import table

    clauses = tuple(table(arguments.table).clauses().values())
    devices = _devices(arguments)
    intake = Intake(*_keys(arguments, devices))
    known = Known({device.eui64: _claimant(device) for device in devices}, _authority(arguments.authority))
    live = Live(intake, clauses, known) if arguments.follow else None
    _take_in(arguments, intake, live)
    joins = audit(intake, clauses, known) if live is None else live.end()
    if arguments.json:
        print(json.dumps(as_json(intake, joins, known), indent=None if arguments.follow else 2, ensure_ascii=False))
    else:
        for line in report(intake, joins, known):
            print(line)
    return CODES[str(overall(joins))]


def _take_in(arguments: argparse.Namespace, intake: Intake, live: Live | None) -> None:
    """Take in what comes until it ends; where it breaks off, what came before counts, and the reason is kept."""
    from dissectors.capture import CaptureError
    from harness.audit.live import followed
    from harness.audit.report import block
    from harness.audit.verdicts import SCHEMA, join_as_json
    from harness.live_capture import ZEP, packets

    if live is None and arguments.capture.startswith(ZEP):
        raise InputError(f"{arguments.capture}: has no end; right would be --follow, ended by Ctrl-C")

    def turn() -> None:
        if live is not None:
            if ended.is_set():
                raise KeyboardInterrupt
            followed(live, tell)

    def tell(join: Audited) -> None:
        if arguments.json:
            print(json.dumps({"schema": SCHEMA, "join": join_as_json(join)}, ensure_ascii=False), flush=True)
        else:
            print(*block(join), "", sep="\n", flush=True)

    try:
        with _noting_the_end(live is not None) as ended:
            for packet in packets(arguments.capture, turn, arguments.follow):
                intake.take(packet)
                turn()
                if live is None and intake.counts["packets"] == MOST:
                    intake.ended = f"{arguments.capture}: only the first {MOST} packets are taken in; cut it (editcap -c), or --follow it"
                    break
    except CaptureError as fault:
        if not intake.counts["packets"]:
            raise InputError(str(fault)) from fault
        intake.ended = str(fault)
    except KeyboardInterrupt:
        if live is None:
            raise


@contextmanager
def _noting_the_end(live: bool) -> Iterator[threading.Event]:
    """Set at SIGTERM (of `timeout`, of a service) and at Ctrl-C, also where a shell started us in the background, so that whoever takes
    packets in ends between two of them and not amid one."""
    ended = threading.Event()
    own = live and threading.current_thread() is threading.main_thread()  # no other may say what a signal does
    before = {each: signal.signal(each, lambda *_: ended.set()) for each in (signal.SIGINT, signal.SIGTERM) if own}
    try:
        yield ended
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _devices(arguments: argparse.Namespace) -> list[Device]:
    """The devices that somebody answers for. Raises InputError, also for two of one EUI-64."""
    from harness.commands.run import PROJECT
    from harness.declarations import read_bench, read_device

    devices = [read_device(path) for path in arguments.device_file]
    if arguments.bench is not None or arguments.device:
        bench = read_bench(arguments.bench if arguments.bench is not None else PROJECT / BENCH)
        named = [bench.device(name) for name in arguments.device] or bench.devices
        devices += [replace(device, pics=bench.claims(device)) for device in named]
    known: dict[Eui64, Device] = {}
    for device in devices:
        other = known.setdefault(device.eui64, device)
        if other.path != device.path:
            raise InputError(f"{device.path}: has the EUI-64 of {other.path}; right would be one file for each device")
    return list(known.values())


def _claimant(device: Device) -> Claimant:
    from harness.audit.known import Claimant

    declared = device.certificate is not None
    authority = {"issuer": device.issuer.hex(), "ca": device.ca_public_key.hex()} if declared else {}
    return Claimant(device.name, device.device_type, device.link_key, device.pics, authority)


def _keys(arguments: argparse.Namespace, devices: list[Device]) -> tuple[list[Key], dict[bytes, Eui64 | None]]:
    """All keys, and those that are known to have come with an order."""
    from harness.commands.given import KEY_OCTETS, install_code, key
    from harness.crypto.install_code import InstallCodeError, ordered_link_key
    from harness.evidence.scenario import KEYS, read_keys
    from harness.trace import Key

    beside = Path(arguments.capture).parent / KEYS if os.path.exists(arguments.capture) else None  # a FIFO may have one, too
    files = [*arguments.key_file, *([beside] if beside is not None and beside.is_file() else [])]
    keys: list[Key] = []
    ordered: dict[bytes, Eui64 | None] = {}
    for file in dict.fromkeys(files):
        known, material = read_keys(file)
        keys += known
        if material:
            with suppress(InstallCodeError):  # of a run that ordered with a wrong code: that makes no key
                link_key = ordered_link_key("link_key" if len(material) == KEY_OCTETS else "install_code", material)
                ordered[link_key] = next((each.device for each in known if (each.kind, each.octets) == ("ic", link_key)), None)
    for device in devices:
        keys.append(Key("ic", device.link_key, device.eui64))
        ordered[device.link_key] = device.eui64
    keys += [Key(*key(given)) for given in arguments.key]
    for given in arguments.install_code:
        code = install_code(given)
        keys.append(Key("ic", code.link_key))
        ordered.setdefault(code.link_key, None)
    return list(dict.fromkeys(keys)), ordered


def _authority(given: str | None) -> dict[str, str]:
    if given is None:
        return {}
    issuer, _, ca = given.partition(":")
    try:
        right = (len(bytes.fromhex(issuer)), len(bytes.fromhex(ca))) == (ISSUER_DIGITS // 2, CA_DIGITS // 2)
    except ValueError:
        right = False
    if not right:
        raise InputError(f"--authority: right would be NAME:KEY, NAME being {ISSUER_DIGITS} hex digits and KEY {CA_DIGITS}")
    return {"issuer": issuer.lower(), "ca": ca.lower()}
