"""`hanproof key`: the link key of an install code, or what is wrong with the code."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("key", help="print the link key of an install code", description=__doc__)
    parser.add_argument("code", metavar="INSTALL_CODE", nargs="+", help="as printed, with its CRC; or @FILE or env:NAME that holds it")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the link key. Raises InputError."""
    from harness.commands.given import install_code

    print(install_code(" ".join(arguments.code)).link_key.hex())
    return 0
