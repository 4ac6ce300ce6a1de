"""`hanproof audit`: judge every join in a capture of any origin by the clauses of steps 5 to 9; --follow judges live.

A pcap or pcapng file, a FIFO, - for standard input, or zep://HOST:PORT to listen for ZEP over UDP. The key file `zigbee_pc_keys`
beside a capture is used without being asked for.
"""

from __future__ import annotations

import argparse
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.audit.intake import Intake
    from harness.audit.live import Live
    from harness.audit.verdicts import Audited
    from harness.trace import Key
    from harness.values import Eui64

PASSED, FAILED, NOTHING, INCONCLUSIVE, ERROR = 0, 1, 5, 6, 7
CODES = {"none": NOTHING, "pass": PASSED, "inconc": INCONCLUSIVE, "fail": FAILED, "error": ERROR}
MOST = 200_000  # packets that are taken in: each is kept, in some 7 kB
SHOWN = 5  # causes of gaps in the report
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
    parser.add_argument("--authority", metavar="NAME:KEY",
                        help="the certificate authority, public: its name in 16 hex digits and its key in 44")
    parser.add_argument("--json", action="store_true", help="one JSON object, as docs/audit.md describes it")
    parser.add_argument("--follow", action="store_true", help="judge live: joins as they complete, until the input ends or Ctrl-C")
    parser.add_argument("--table", default="cases.table", metavar="MODULE", help="the clause table (default: cases.table)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the audit; the exit code is that of the worst verdict. Raises InputError."""
    from harness.audit.intake import Intake
    from harness.audit.live import Live
    from harness.audit.verdicts import as_json, audit, overall
    from harness.commands.given import table

    clauses = tuple(table(arguments.table).clauses().values())
    intake, authority = Intake(*_keys(arguments)), _authority(arguments.authority)
    _take_in(arguments, intake, Live(intake, clauses, authority) if arguments.follow else None)
    joins = audit(intake, clauses, authority)
    if arguments.json:
        print(json.dumps(as_json(intake, joins), indent=None if arguments.follow else 2, ensure_ascii=False))
    else:
        for line in _report(intake, joins):
            print(line)
    return CODES[str(overall(joins))]


def _take_in(arguments: argparse.Namespace, intake: Intake, live: Live | None) -> None:
    """Take in what comes until it ends; where it breaks off, what came before counts, and the reason is kept."""
    from dissectors.capture import CaptureError
    from harness.audit.live import followed
    from harness.audit.verdicts import SCHEMA, join_as_json
    from harness.live_capture import ZEP, packets

    if live is None and arguments.capture.startswith(ZEP):
        raise InputError(f"{arguments.capture}: has no end; right would be --follow, ended by Ctrl-C")

    def turn() -> None:
        if live is not None:
            followed(live, tell)

    def tell(join: Audited) -> None:
        if arguments.json:
            print(json.dumps({"schema": SCHEMA, "join": join_as_json(join)}, ensure_ascii=False), flush=True)
        else:
            print(*_block(join), "", sep="\n", flush=True)

    try:
        for packet in packets(arguments.capture, turn, arguments.follow):
            intake.take(packet)
            turn()
            if intake.counts["packets"] == MOST:
                intake.ended = f"{arguments.capture}: only the first {MOST} packets are taken in; cut what is longer (editcap -c)"
                break
    except CaptureError as fault:
        if not intake.counts["packets"]:
            raise InputError(str(fault)) from fault
        intake.ended = str(fault)
    except KeyboardInterrupt:
        if live is None:
            raise


def _keys(arguments: argparse.Namespace) -> tuple[list[Key], dict[bytes, Eui64 | None]]:
    """All keys, and those that are known to have come with an order."""
    from harness.commands.given import KEY_OCTETS, install_code, key
    from harness.crypto.install_code import InstallCodeError, ordered_link_key
    from harness.evidence.scenario import KEYS, read_keys
    from harness.trace import Key

    beside = Path(arguments.capture).with_name(KEYS) if os.path.exists(arguments.capture) else None  # a FIFO may have one, too
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
    keys += [Key(*key(given)) for given in arguments.key]
    for given in arguments.install_code:
        code = install_code(given)
        keys.append(Key("ic", code.link_key))
        ordered.setdefault(code.link_key, None)
    return keys, ordered


def _authority(given: str | None) -> dict[str, str] | None:
    if given is None:
        return None
    issuer, _, ca = given.partition(":")
    try:
        right = (len(bytes.fromhex(issuer)), len(bytes.fromhex(ca))) == (ISSUER_DIGITS // 2, CA_DIGITS // 2)
    except ValueError:
        right = False
    if not right:
        raise InputError(f"--authority: right would be NAME:KEY, NAME being {ISSUER_DIGITS} hex digits and KEY {CA_DIGITS}")
    return {"issuer": issuer.lower(), "ca": ca.lower()}


def _report(intake: Intake, joins: list[Audited]) -> Iterator[str]:
    from harness.audit.verdicts import overall

    for join in joins:
        yield from _block(join)
        yield ""
    counts = ", ".join(f"{count} {name}" for name, count in intake.counts.items() if count)
    yield f"capture: {counts or 'no packets'}; {intake.duration:.1f} s from {intake.epoch}"
    for medium, (first, last) in intake.media().items():
        yield f"  {medium} heard from {first:.3f} s to {last:.3f} s"
    yield from (f"  {flaw.cause}" for flaw in list(intake.missing())[-SHOWN:])
    yield f"{len(joins)} join(s): {overall(joins)}" if joins else "no join was found"


def _block(join: Audited) -> Iterator[str]:
    """One join: a line for each step, and below it what is no pass, with packets as Wireshark counts them."""
    from harness.verdict import Verdict

    network = join.network
    named = f", extended {network['extended_pan']}" if network["extended_pan"] else ""
    joins = "joins" if join.begins else "is in"
    yield f"{join.device} {joins} PAN {network['pan']}{named} on {network['medium']} (packets {join.packets[0]} to {join.packets[1]})"
    causes = list(dict.fromkeys(gap.cause for gap in join.missing))
    yield from (f"  missing: {cause}" for cause in causes[:SHOWN])
    if len(causes) > SHOWN:
        yield f"  missing: and {len(causes) - SHOWN} more such gaps; --json has them all"
    for step, judgements in join.steps.items():
        counts = {verdict: sum(each.verdict is verdict for each in judgements) for verdict in Verdict}
        told = ", ".join(f"{count} {verdict if verdict else 'not asked'}" for verdict, count in counts.items() if count)
        yield f"  step {step}: {join.verdict(step)} ({told})"
        reasons: dict[str, list[str]] = {}
        for judgement in sorted(judgements, key=lambda each: -each.verdict):
            for finding in judgement.findings:
                if finding.note or finding.verdict <= Verdict.PASS:
                    continue
                packets = "".join(f" #{join.packet(number)}" for number in finding.evidence)
                detail = f"; expected {finding.expected}, observed {finding.observed}" if finding.verdict >= Verdict.FAIL else ""
                reasons.setdefault(f"{finding.verdict}: {finding.message}{detail}{packets}", []).append(judgement.id)
        for reason, clauses in reasons.items():
            yield f"    {reason}"
            yield f"      {', '.join(dict.fromkeys(clauses))}"
