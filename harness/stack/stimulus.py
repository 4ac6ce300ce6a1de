"""What the bench's own node says on purpose, right or wrong, to its partner on the HAN: the words that stimuli are made of.

A stimulus is a script (`harness.stack.conversation`); this module knows no particular one. Nothing here passes the policy.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum

from dissectors import zcl
from dissectors.layer import Layer, Record
from dissectors.smart_energy import requires_link_key
from harness.stack.application import Application, Path, command_identifier
from harness.stack.commissioning import Partner, match
from harness.stack.conversation import Script, Tell
from harness.stack.primitives import LinkKeyKind
from harness.values import Eui64

FAR_AHEAD = 1 << 16  # a frame counter beyond whatever was sent under the install-code key; any greater one is valid (4.4.1.2)


class Security(StrEnum):
    """How a stimulus is APS-secured."""

    DUE = "due"  # as its cluster demands (SE 1.0, 5.4.6)
    NETWORK_KEY = "network key"  # not at all
    LINK_KEY = "link key"  # the one made by key establishment
    INSTALL_KEY = "install key"  # the one made from the install code, in the place of the one that replaced it


Made = Callable[[int], Record]
"""What is to be sent, made of the UTCTime when it is."""


@dataclass(frozen=True)
class Asker:
    """Our own node as a script sees it. `utc` gives the UTCTime at an instant; `install_key` is that of the device; `keep`
    takes an offer into the programme, so that it is given again to a device that asks."""

    application: Application
    partner: Partner
    endpoint: int
    utc: Callable[[float], int]
    install_key: bytes
    keep: Callable[[Record], None] = lambda offer: None

    def find(self, cluster: int) -> Script:
        """Learn on which endpoint the partner serves a cluster, where that is not known yet."""
        if cluster not in self.partner.endpoints:
            yield from match(self.partner, cluster, self.application)

    def path(self, cluster: int, to_server: bool = True, endpoint: int | None = None) -> Path:
        """The path to the partner's side of a cluster, or to some endpoint of it where it has no such side."""
        known = self.partner.endpoints if to_server else self.partner.clients
        anywhere = min((*self.partner.endpoints.values(), *self.partner.clients.values()), default=1)
        there = known.get(cluster, anywhere) if endpoint is None else endpoint
        return Path(self.partner.address, there, self.endpoint, cluster, to_server)

    def command(
        self, path: Path, command: Record | Made, *, like: type[Layer] | None = None, security: Security = Security.DUE,
        silent: bool = False, manufacturer_code: int | None = None, identifier: tuple[bool, int] | None = None,
        kept: bool = False, profile: int | None = None,
    ) -> Tell:
        """Send a ZCL command, or what is made of the UTCTime then. Its header is that of `like`, or has `identifier` (whether
        it is a general command, and its number). `silent` disables the Default Response; `kept` adds it to the programme;
        `profile` None is our own."""

        def say(now: float) -> None:
            record = command if isinstance(command, Record) else command(self.utc(now))
            if kept:
                self.keep(record)
            general, number = identifier or command_identifier(path, like or record.layer)
            header = zcl.Zcl.of(
                frame_type=zcl.FrameType.GENERAL if general else zcl.FrameType.CLUSTER,
                direction=zcl.Direction.CLIENT_TO_SERVER if path.to_server else zcl.Direction.SERVER_TO_CLIENT,
                disable_default_response=int(silent), command_identifier=number,
                manufacturer_specific=int(manufacturer_code is not None), manufacturer_code=manufacturer_code,
            )
            self._send(path, header, record, security, now, profile)

        return Tell(say)

    def octets(self, path: Path, like: type[Layer], octets: bytes) -> Tell:
        """Send a command's header with octets of any kind behind it."""
        return self.command(path, zcl.UnknownCommand.of(octets=octets), like=like)

    def asdu(self, path: Path, octets: bytes) -> Tell:
        """Send any octets where a ZCL frame should be, under the network key."""
        return Tell(lambda now: self.application.put_octets(path, octets, now))

    def zdp(self, record: Record, dest: int | None = None) -> Tell:
        """Send a ZDP structure to the partner, or elsewhere."""
        there = self.partner.address if dest is None else dest
        return Tell(lambda now: self.application.send_zdp(there, record, now, then=lambda answer, now: None))

    def zdp_octets(self, cluster: int, octets: bytes) -> Tell:
        """Send any octets in any ZDP cluster."""
        return Tell(lambda now: self.application.put_zdp(self.partner.address, cluster, octets, now))

    def network_command(self, command: Record, secured: bool = True) -> Tell:
        """Send the partner, a neighbour, a network command."""
        device = self.partner.ieee or Eui64(0)
        return Tell(lambda now: self.application.core.network_command(command, device, now, secured))

    def _send(
        self, path: Path, header: Record, command: Record, security: Security, now: float, profile: int | None,
    ) -> None:
        device = self.partner.ieee if security is Security.INSTALL_KEY else None
        due = security is Security.DUE and requires_link_key(path.cluster)
        sharing, counter = self.application.core.sharing, FAR_AHEAD + int(now)
        with sharing(device, self.install_key, LinkKeyKind.PRECONFIGURED, counter) if device else nullcontext():
            self.application.put(
                path, header, command, now, link_key=due or security in (Security.LINK_KEY, Security.INSTALL_KEY),
                ack=device is None,  # a repetition would be sealed with the key that is shared then
                profile=profile,
            )


Stimulus = Callable[[Asker], Script]
