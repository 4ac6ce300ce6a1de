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

FAR_AHEAD = 1 << 16  # a frame counter beyond whatever was sent under the install-code key; any greater one is valid (4.4.1.2)


class Security(StrEnum):
    """How a stimulus is APS-secured."""

    DUE = "due"  # as its cluster demands (SE 1.0, 5.4.6)
    NETWORK_KEY = "network key"  # not at all
    LINK_KEY = "link key"  # the one made by key establishment
    INSTALL_KEY = "install key"  # the one made from the install code, in the place of the one that replaced it


@dataclass(frozen=True)
class Asker:
    """Our own node as a script sees it. `utc` gives the UTCTime at an instant; `install_key` is that of the device."""

    application: Application
    partner: Partner
    endpoint: int
    utc: Callable[[float], int]
    install_key: bytes

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
        self, path: Path, command: Record, *, security: Security = Security.DUE, identifier: int | None = None,
        general: bool | None = None, silent: bool = False, manufacturer_code: int | None = None, profile: int | None = None,
    ) -> Tell:
        """Send a ZCL command. `identifier` and `general` are its own unless given; `silent` disables the Default Response."""
        if identifier is None:
            general, identifier = command_identifier(path, command.layer)
        header = zcl.Zcl.of(
            frame_type=zcl.FrameType.GENERAL if general else zcl.FrameType.CLUSTER,
            direction=zcl.Direction.CLIENT_TO_SERVER if path.to_server else zcl.Direction.SERVER_TO_CLIENT,
            disable_default_response=int(silent), command_identifier=identifier,
            manufacturer_specific=int(manufacturer_code is not None), manufacturer_code=manufacturer_code,
        )
        return Tell(lambda now: self._send(path, header, command, security, profile, now))

    def octets(self, path: Path, layer: type[Layer], octets: bytes, security: Security = Security.DUE) -> Tell:
        """Send a command's header with octets of any kind behind it."""
        general, identifier = command_identifier(path, layer)
        return self.command(
            path, zcl.UnknownCommand.of(octets=octets), security=security, identifier=identifier, general=general,
        )

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

    def _send(
        self, path: Path, header: Record, command: Record, security: Security, profile: int | None, now: float,
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
