"""The key file beside a capture: the table of pre-configured ZigBee keys that Wireshark and tshark read as `zigbee_pc_keys`.

One line a key, `"<32 hex digits>","Normal","<label>"`; `#` begins a comment. The label says whose key it is: `nwk`,
`link <eui64>` or `ic <eui64>` (made from an install code), the EUI-64 being the device that shares it with the trust centre.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

FILE_NAME = "zigbee_pc_keys"  # Wireshark looks for this name in its configuration directory
KINDS = ("nwk", "link", "ic")
_KEY_SIZE = 16
_DEVICE = re.compile("[0-9A-Fa-f]{0,16}")
_ORDERS = {"normal": 1, "reverse": -1}  # Wireshark's byte orders, as the step that reads the key


class KeyFileError(ValueError):
    """A key file that cannot be read; the message is one line: file, line, what would be right; it shows no key."""


@dataclass(frozen=True)
class KeyEntry:
    """One key; `kind` is one of KINDS, or None where another program wrote the label and the key may be of any kind."""

    kind: str | None
    key: bytes = field(repr=False)
    device: int | None = None

    @property
    def label(self) -> str:
        """The label that the file carries."""
        return " ".join(part for part in (self.kind, None if self.device is None else f"{self.device:016x}") if part)


def write_key_file(path: str | os.PathLike[str], keys: Iterable[KeyEntry]) -> None:
    """Write a key file that only its owner can read (mode 0600, also where the file was there before)."""
    lines = [f'"{entry.key.hex()}","Normal","{entry.label}"\n' for entry in keys]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="ascii", newline="\n") as file:
        os.fchmod(descriptor, 0o600)
        file.writelines(lines)


def read_key_file(path: str | os.PathLike[str]) -> tuple[KeyEntry, ...]:
    """The keys of a file, in its order. Raises KeyFileError, or OSError where the file cannot be opened."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise KeyFileError(f"{path}: not a text file; a key file has one key a line") from None
    lines = enumerate(text.splitlines(), start=1)
    return tuple(_entry(path, number, line) for number, line in lines if line.strip() and not line.lstrip().startswith("#"))


def _entry(path: str | os.PathLike[str], number: int, line: str) -> KeyEntry:
    try:
        columns = next(csv.reader([line], skipinitialspace=True))
    except csv.Error as fault:  # a line that no key is as long as
        raise KeyFileError(f"{path}: line {number}: {fault}") from None
    if len(columns) != 3:
        raise KeyFileError(f'{path}: line {number}: {len(columns)} columns, not 3 ("<32 hex digits>","Normal","<label>")')
    digits, order, label = columns
    step = _ORDERS.get(order.lower())
    if step is None:
        raise KeyFileError(f"{path}: line {number}: byte order {order!r} is neither Normal nor Reverse")
    try:
        key = bytes.fromhex(digits.replace(":", "").replace("-", ""))
    except ValueError:
        key = b""
    if len(key) != _KEY_SIZE:
        raise KeyFileError(f"{path}: line {number}: the key is not 32 hex digits")
    return _owned(label, key[::step])


def _owned(label: str, key: bytes) -> KeyEntry:
    kind, _, device = label.partition(" ")
    if kind not in KINDS or not _DEVICE.fullmatch(device):
        return KeyEntry(None, key)
    return KeyEntry(kind, key, int(device, 16) if device else None)
