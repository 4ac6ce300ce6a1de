"""HOST:PORT in words and in parts, IPv6 in brackets; knows no socket."""

from __future__ import annotations

from typing import Any

LAST_PORT = 65_535


def joined(address: tuple[Any, ...]) -> str:
    """HOST:PORT of what a socket calls an address."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parted(address: str) -> tuple[str, int]:
    """Host and port. Raises ValueError for what is no HOST:PORT."""
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:9]) <= LAST_PORT):
        raise ValueError("no HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
