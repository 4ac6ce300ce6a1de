"""The addresses of systems that are somewhere else: can they be connected to, and are our own free? Nothing is said to anybody."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.declarations import BenchFile
from harness.doctor.finding import Finding, Grade
from harness.leg_declaration import TCP

WITHIN = 3.0  # seconds to be connected
USUAL_PORTS = {"http": 80, "https": 443, "amqp": 5672, "amqps": 5671}


def examine_addresses(file: BenchFile) -> Iterator[Finding]:
    """Of every actor behind a wire, and of the legs."""
    for actor, filled in file.adapters.items():
        for option, host, port in _reached(filled.options):
            yield _connected(f"{actor}.{option}", host, port)
        ours = _host_and_port(str(filled.options.get("listen", "")))
        if ours is not None and ours[1]:
            yield _free(f"{actor}.listen", *ours)
    if file.legs.carriage == TCP:
        for actor, address in file.legs.peers.items():
            yield _connected(f"legs.peers.{actor}", address.host, address.port)
        for actor, address in file.legs.listen.items():
            if address.port:
                yield _free(f"legs.listen.{actor}", address.host, address.port)


def _reached(options: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    for option in ("address", "control"):
        parts = urlsplit(str(options.get(option, "")))
        if parts.hostname:
            yield option, parts.hostname, parts.port or USUAL_PORTS.get(parts.scheme, 80)
    broker = _host_and_port(str(options.get("broker", "")))
    if broker is not None:
        yield "broker", *broker


def _host_and_port(text: str) -> tuple[str, int] | None:
    host, colon, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and host and port.isdecimal() else None


def _connected(about: str, host: str, port: int) -> Finding:
    try:
        socket.create_connection((host, port), WITHIN).close()
    except OSError as fault:
        return Finding(Grade.PROBLEM, about, f"{host}:{port} cannot be connected to: {fault.strerror or fault}",
                       "start the system there, or mend its address or the firewall between")
    return Finding(Grade.FINE, about, f"{host}:{port} can be connected to")


def _free(about: str, host: str, port: int) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as fault:
            taken = fault.errno == errno.EADDRINUSE
            todo = "end the programme that has it, or choose another port" if taken else "choose an address of this machine"
            return Finding(Grade.PROBLEM, about, f"{host}:{port} cannot be listened on: {fault.strerror}", todo)
    return Finding(Grade.FINE, about, f"{host}:{port} is free")
