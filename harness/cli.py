"""The command `hanproof`: one module of `harness.commands` a subcommand. Knows the body of none, and of no case.

Whatever is wrong with what the user gave is one clear line on stderr and exit code 4; the codes are those of a run. Who closes
our output before the end has interrupted us: nobody may take what he has not seen for a result.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

from harness import commands
from harness.errors import HanproofError

INTERRUPTED, INTERNAL_ERROR, USAGE_ERROR, UNWRITTEN = 2, 3, 4, 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code."""
    _prepare_output()
    parser = _parser()
    try:
        chosen = parser.parse_args(arguments)
    except SystemExit as wanted:  # argparse says 2, which here means interrupted
        return USAGE_ERROR if wanted.code else 0
    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
    except HanproofError as fault:
        print(f"hanproof: {fault}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("hanproof: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return INTERRUPTED
    except OSError as fault:  # a full disk, a folder that may not be written: reading is wrong input, and said above
        print(f"hanproof: {fault.filename or 'the output'}: {fault.strerror}", file=sys.stderr)
        _silence()
        return UNWRITTEN
    except Exception as fault:  # our own mistake: said in one line as well, and never mistaken for a device's
        place = traceback.extract_tb(fault.__traceback__)[-1]
        print(f"hanproof: internal error: {type(fault).__name__}: {fault} ({place.filename}:{place.lineno})", file=sys.stderr)
        return INTERNAL_ERROR
    return code


def _prepare_output() -> None:
    """Output that was closed before we began goes nowhere; a name that the terminal cannot show is shown escaped."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _silence() -> None:
    """What is still to be flushed when Python ends goes nowhere, or it would fail again."""
    with suppress(io.UnsupportedOperation):  # an output that is no file has nothing to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hanproof", description="Conformance of HAN device provisioning (use case 2.7).")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for found in pkgutil.iter_modules(commands.__path__):
        module = importlib.import_module(f"{commands.__name__}.{found.name}")
        if hasattr(module, "add"):
            module.add(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
