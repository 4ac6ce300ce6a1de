"""`hanproof cim`: what IEC 61968 messages get wrong, alone or in an exchange (`check`), and four-part codes by their names (`code`)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cim_profile import ENVELOPES, CimProfile
from harness.errors import InputError
from harness.verdict import Verdict, worst

if TYPE_CHECKING:
    from harness.cim.finding import CimFinding

EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONC: 6}  # those of a run; the worst file decides


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommands."""
    parser = subparsers.add_parser("cim", help="check CIM messages, read their codes", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="check|code")
    check = verbs.add_parser("check", help="check the messages in a file", description=_check.__doc__)
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a message, or a recorded exchange (docs/exchanges.md)")
    check.add_argument(
        "--profile", choices=ENVELOPES, help="generation of the envelope; without it the namespace tells 2008 from 2011",
    )
    check.add_argument("--now", metavar="INSTANT", help="when a message came, as 2026-01-15T12:00:00Z; without it nothing is stale")
    check.add_argument("--json", action="store_true", help="one JSON object a file")
    check.set_defaults(run=_check)
    code = verbs.add_parser("code", help="a code by the names of its parts", description=_code.__doc__)
    code.add_argument("codes", nargs="+", metavar="CODE", help="as 19.10.73.298")
    code.set_defaults(run=_code)


def _check(arguments: argparse.Namespace) -> int:
    """Print what is wrong with the messages in each file; the exit code is the worst file's, as of a run. Raises InputError."""
    now = None if arguments.now is None else _instant(arguments.now)
    profile = None if arguments.profile is None else CimProfile(envelope=arguments.profile)
    verdicts = []
    for path in arguments.files:
        findings = _findings(path, now, profile)
        verdicts.append(max(worst(finding.verdict for finding in findings), Verdict.PASS))
        if arguments.json:
            told = {"file": str(path), "verdict": str(verdicts[-1]), "findings": [finding.as_dict() for finding in findings]}
            json.dump(told, sys.stdout)
            print()
            continue
        for finding in findings:
            said = "note" if finding.verdict is Verdict.NONE else str(finding.verdict)
            where = f" ({finding.path})" if finding.path else ""
            print(f"{path}: {said}: {finding.layer} {finding.rule}: {finding.message}{where}")
        if not findings:
            print(f"{path}: right")
    return EXIT_CODES[worst(verdicts)]


def _findings(path: Path, now: datetime | None, profile: CimProfile | None) -> Sequence[CimFinding]:
    """What is wrong with what a file holds: one message, or an exchange, which says itself when each of its messages came."""
    from harness.cim.check import check_message, read_octets
    from harness.cim.check_recording import check_recording
    from harness.cim.recording import is_recording, read_recording

    octets = read_octets(path)
    if is_recording(path, octets):
        return check_recording(read_recording(path, octets), profile=profile)
    return check_message(octets, now, profile=profile)


def _code(arguments: argparse.Namespace) -> int:
    """Print each code by the names of its parts; 1 where the tables know no such device type or domain. Raises InputError."""
    from harness.cim.codes import Code

    unknown = False
    for written in arguments.codes:
        try:
            code = Code.parse(written)
        except ValueError as fault:
            raise InputError(f"{fault}; right would be type.domain.subDomain.eventOrAction, as 19.10.73.298") from None
        print(f"{code} {code.name}{f': {code.fault}' if code.fault else ''}")
        unknown |= bool(code.fault)
    return int(unknown)


def _instant(given: str) -> datetime:
    from harness.declared import shown

    try:
        instant = datetime.fromisoformat(given)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # said below
    raise InputError(f"--now: {shown(given)} is no instant with its zone; right would be one as 2026-01-15T12:00:00Z")
