"""What a bench file or a command line says about a real wire, as words, and the carrier that it asks for.

Knows which carriers there are and what each takes; opens none before all words are known to be right. They are listed in
docs/systems-under-test.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.backhaul.authentication import Credentials
from harness.backhaul.carrier import Carrier, Deliver
from harness.backhaul.tls import Tls
from harness.errors import BenchError

WIRES = ("http", "amqp", "stomp")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class WireOptions:
    """The words. `address` is where the other side takes CIM messages."""

    wire: str = "http"
    address: str = ""
    listen: str = f"{LOOPBACK}:0"  # host:port of our side; port 0 is any free one
    known_as: str = ""  # the name under which others reach us, where we listen on every interface
    broker: str = ""  # host:port
    prefix: str = "hanproof."  # of the names of our queues
    user: str = ""
    password_file: str = field(default="", repr=False)
    password_env: str = field(default="", repr=False)
    certificate: str = ""
    private_key: str = ""
    trust: str = ""
    mutual: str = "no"
    check_name: str = "yes"

    @classmethod
    def of(cls, options: Mapping[str, Any], besides: Sequence[str] = ()) -> WireOptions:
        """The wire options among these, `besides` being other options that are right there too. Raises ValueError."""
        known = cls.__dataclass_fields__
        for name in options:
            if name not in known and name not in besides:
                raise ValueError(f"{name}: no such option; right would be one of {', '.join((*known, *besides))}")
        made = cls(**{name: str(value) for name, value in options.items() if name in known})
        for name, words in (("wire", WIRES), ("mutual", ("yes", "no")), ("check_name", ("yes", "no"))):
            if getattr(made, name) not in words:
                raise ValueError(f"{name}: {getattr(made, name)!r}; right would be one of {', '.join(words)}")
        if made.wire != "http" and not made.broker:
            raise ValueError(f"broker: is missing; right would be the host:port of a broker that speaks {made.wire}")
        if (made.password_file or made.password_env) and not made.user:
            raise ValueError("user: is missing; right would be the one whose password that is")
        if made.mutual == "yes" and not made.certificate:
            raise ValueError("mutual: asks nobody without TLS; right would be a certificate and a private_key beside it")
        if made.address:
            made.check_address("address", made.address)
        if made.known_as != made.known_as.strip("/") or any(each.isspace() for each in made.known_as):
            raise ValueError(f"known_as: {made.known_as!r} is no name of a host; right would be one, as meter-lab.example")
        return made

    def check_address(self, name: str, address: str) -> None:
        """Whether an address is one that this wire can reach. Raises ValueError naming the option that holds it."""
        parts = urlsplit(address)
        if self.wire == "http" and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"{name}: {address!r} is no address of HTTP; right would be http://host:port/path")

    @property
    def credentials(self) -> Credentials | None:
        """User and password, which comes by file or by environment. Raises ValueError where it is not there."""
        if not self.user:
            return None
        try:
            named = os.environ.get(self.password_env) if self.password_env else None
            password = Path(self.password_file).read_text(encoding="utf-8").strip() if named is None else named
        except (OSError, ValueError):
            password = ""
        if not password:
            raise ValueError(f"password_file or password_env: no password of {self.user} there; right would be one of them")
        return Credentials(self.user, password)

    @property
    def tls(self) -> Tls | None:
        """Who we are and whom we trust; None for a wire that is not encrypted."""
        if not (self.certificate or self.trust):
            return None
        certificate, key, trust = (Path(name) if name else None for name in (self.certificate, self.private_key, self.trust))
        return Tls(certificate, key, trust, self.mutual == "yes", self.check_name == "yes")


def open_carrier(
    options: WireOptions, deliver: Deliver, places: Sequence[str], documents: Any = None,
) -> Carrier:
    """The carrier of CIM messages, open for these places. Raises ValueError for wrong words, BenchError for what cannot be had."""
    if options.wire == "http":
        from harness.backhaul.http_carrier import HttpCarrier

        host, port = host_and_port(options.listen)
        return HttpCarrier(
            deliver, places, host=host, port=port, known_as=options.known_as, documents=documents or {}, tls=options.tls,
            asks=options.credentials, shows=options.credentials,
        )
    return _broker_carrier(options, deliver, places)


def _broker_carrier(options: WireOptions, deliver: Deliver, places: Sequence[str]) -> Carrier:
    from harness.backhaul.amqp_carrier import amqp_carrier
    from harness.backhaul.broker_dialect import Broker
    from harness.backhaul.stomp_carrier import stomp_carrier

    host, port = host_and_port(options.broker)
    broker = Broker(host, port, options.credentials, options.tls, options.prefix)
    carrier = (amqp_carrier if options.wire == "amqp" else stomp_carrier)(deliver, places, broker)
    try:
        carrier.wait_until_connected()
    except BenchError:
        carrier.close()
        raise
    return carrier


def host_and_port(text: str) -> tuple[str, int]:
    """`host:port`; an IPv6 host in brackets. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 0xFFFF:
        raise ValueError(f"{text!r}; right would be host:port, as {LOOPBACK}:8080")
    return host.strip("[]"), int(port)
