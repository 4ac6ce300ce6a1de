"""Key material and tables as they are given on a command line: literally, by `@FILE` or by `env:NAME`, so that no process list
need show a key. Every error is one line that shows none either."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.crypto.install_code import InstallCode, InstallCodeError
from harness.declared import read_text
from harness.errors import InputError

TABLE = "cases.table"
KEY_OCTETS = 16


def text(given: str) -> str:
    """What the argument stands for: itself, the contents of a file, or of an environment variable. Raises InputError."""
    if given.startswith("@"):
        return read_text(Path(given[1:])).strip()
    if given.startswith("env:"):
        name = given.removeprefix("env:")
        if name not in os.environ:
            raise InputError(f"{given}: the environment has no {name}")
        return os.environ[name].strip()
    return given


def install_code(given: str) -> InstallCode:
    """An install code with its CRC. Raises InputError saying what is wrong with it."""
    try:
        return InstallCode.parse(text(given))
    except InstallCodeError as fault:
        raise InputError(f"install code: {fault}") from None


def key(given: str) -> tuple[str, bytes]:
    """`nwk:KEY` or `link:KEY`: the kind and 16 octets. Raises InputError."""
    kind, separator, written = given.partition(":")
    if kind not in ("nwk", "link") or not separator:
        raise InputError("--key: right would be nwk:KEY or link:KEY, KEY being 32 hex digits, @FILE or env:NAME")
    try:
        octets = bytes.fromhex(text(written).replace(":", " ").replace("-", " "))
    except ValueError:
        raise InputError(f"--key {kind}: not hex; right would be 32 hex digits") from None
    if len(octets) != KEY_OCTETS:
        raise InputError(f"--key {kind}: has {len(octets)} octets; right would be {KEY_OCTETS}")
    return kind, octets


def leg_codecs(names: Sequence[str]) -> dict[str, Any]:
    """The leg codecs that the user names, loaded. Raises InputError."""
    from harness.backhaul.named_codec import load_codec

    return {name: load_codec(name) for name in names}


def table(name: str = TABLE) -> Any:
    """The module of the clause table: `steps()`, `clauses()` and `find(id)`. Raises InputError."""
    try:
        module = importlib.import_module(name)
    except (ImportError, TypeError, ValueError) as fault:  # the last two: no name, or a relative one
        raise InputError(f"clause table {name}: {fault}; right would be to run from the folder that holds it") from fault
    if not all(hasattr(module, verb) for verb in ("steps", "clauses", "find")):
        raise InputError(f"clause table {name}: has not steps, clauses and find; right would be {TABLE} or one like it")
    return module
