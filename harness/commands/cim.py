"""`hanproof cim check`: everything that one IEC 61968 message alone can get wrong, for the message in a file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("cim", help="check CIM messages", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="check")
    check = verbs.add_parser("check", help="check the message in a file", description=__doc__)
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.add_argument("--json", action="store_true", help="one JSON object a file")
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 when a message breaks a rule. Raises InputError."""
    from harness.cim.check import check_file

    broken = False
    for path in arguments.files:
        findings = check_file(path)
        broken |= any(finding.failed for finding in findings)
        if arguments.json:
            json.dump({"file": str(path), "findings": [finding.as_dict() for finding in findings]}, sys.stdout)
            print()
            continue
        for finding in findings:
            said = "note" if not finding.failed else str(finding.verdict)
            where = f" ({finding.path})" if finding.path else ""
            print(f"{path}: {said}: {finding.layer} {finding.rule}: {finding.message}{where}")
        if not findings:
            print(f"{path}: right")
    return int(broken)
