"""The cluster library of one node: security rule, dispatch, Default Responses. Knows no cluster's content.

Clauses: ZCL 075123, 2.4; APS security per cluster: SE 1.0, 5.4.6. `TREATMENTS` is the security rule as a table.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from dissectors import zcl
from dissectors.clusters import key_establishment
from dissectors.layer import Layer, Malformed, Record, parse
from dissectors.smart_energy import requires_link_key
from dissectors.zcl import Direction, FrameType, Status
from harness.stack.application import Application
from harness.stack.endpoint import Answer, ClusterSide, Endpoint, Heard
from harness.stack.general_commands import REQUESTS, RESPONSES
from harness.stack.policy import Policy
from harness.stack.primitives import AsduIndication, LinkKeyKind

BROADCAST_ENDPOINT = 0xFF


class Treatment(Enum):
    """What the security rule makes of a frame."""

    ADMITTED = "admitted"
    REFUSED = "refused"  # Default Response FAILURE; the command is not executed


TREATMENTS: dict[tuple[bool, LinkKeyKind | None], Treatment] = {  # (cluster needs a link key, the frame's key), SE 1.0 5.4.6
    (True, None): Treatment.REFUSED,
    (True, LinkKeyKind.PRECONFIGURED): Treatment.REFUSED,
    (True, LinkKeyKind.ESTABLISHED): Treatment.ADMITTED,
    (False, None): Treatment.ADMITTED,
    (False, LinkKeyKind.PRECONFIGURED): Treatment.ADMITTED,
    (False, LinkKeyKind.ESTABLISHED): Treatment.ADMITTED,
}


def treatment(indication: AsduIndication, policy: Policy) -> Treatment:
    """The security rule, with a policy's departures from it. Broadcasts cannot be APS-secured and are admitted."""
    if indication.broadcast:
        return Treatment.ADMITTED
    establishing = indication.cluster == key_establishment.CLUSTER.identifier
    if policy.demands_link_key_always and indication.key is None and not establishing:
        return Treatment.REFUSED
    if indication.key is None and not policy.requires_link_key:
        return Treatment.ADMITTED
    if indication.key is LinkKeyKind.PRECONFIGURED and policy.accepts_preconfigured_key:
        return Treatment.ADMITTED
    return TREATMENTS[requires_link_key(indication.cluster), indication.key]


def default_response_due(header: Record, status: Status, broadcast: bool, policy: Policy) -> bool:
    """ZCL 2.4.12.2: for a unicast command that draws no other response, unless disabled and successful; never for itself."""
    general = header.frame_type == FrameType.GENERAL
    is_default = general and zcl.GENERAL_COMMANDS.get(header.command_identifier) is zcl.DefaultResponse
    if broadcast or is_default or not policy.sends_default_response:
        return False
    return status is not Status.SUCCESS or not header.disable_default_response or policy.sends_needless_default_response


def unsupported(header: Record) -> Status:
    """ZCL 2.5.3: the status for a command that is not known, by its kind."""
    if header.frame_type == FrameType.GENERAL:
        return Status.UNSUP_MANUF_GENERAL_COMMAND if header.manufacturer_specific else Status.UNSUP_GENERAL_COMMAND
    return Status.UNSUP_MANUF_CLUSTER_COMMAND if header.manufacturer_specific else Status.UNSUP_CLUSTER_COMMAND


class ClusterLibrary:
    """Takes every ZCL frame of a node to where it belongs and sends what is due in return."""

    def __init__(self, application: Application, endpoints: tuple[Endpoint, ...]) -> None:
        self.application = application
        self.endpoints = {endpoint.number: endpoint for endpoint in endpoints}
        self._hung = False

    def take(self, indication: AsduIndication, now: float) -> None:
        """A ZCL frame came in for one endpoint, or for all of them; one for an endpoint or a profile we lack is passed over."""
        if self._hung:
            return
        wanted = indication.dest_endpoint
        any_profile = self.application.policy.takes_foreign_profile
        for endpoint in self.endpoints.values():
            if wanted in (endpoint.number, BROADCAST_ENDPOINT) and (any_profile or indication.profile == endpoint.profile):
                self._take_at(endpoint, indication, now)

    def _indulges(self, indication: AsduIndication) -> bool:
        """A node that asks for no link key where it shares none that was established."""
        held = self.application.core.link_key(indication.source_ieee)
        registered = held is not None and held[1] is LinkKeyKind.ESTABLISHED
        return self.application.policy.serves_unregistered and indication.key is None and not registered

    def _take_at(self, endpoint: Endpoint, indication: AsduIndication, now: float) -> None:
        try:
            header, _ = parse(zcl.Zcl, indication.asdu)
        except Malformed:
            self._hung = self.application.policy.hangs_on_malformed
            return
        refused = treatment(indication, self.application.policy) is Treatment.REFUSED and not self._indulges(indication)
        try:
            header = zcl.read(indication.cluster, indication.asdu)
        except Malformed:
            self._malformed(endpoint, indication, header.joined(command=None, surplus=b""), refused, now)
            return
        heard = Heard(indication, header, header.command, now)
        if refused and not header.command.is_a(zcl.DefaultResponse):
            if self.application.policy.executes_refused_commands:
                self._execute(endpoint, heard)
            sealed = indication.key is None and not self.application.policy.refuses_under_network_key
            self._send_status(heard, Status.FAILURE, sealed, now)
            return
        answer = self._execute(endpoint, heard)
        self.application.answering(lambda now: self._answer(heard, answer, now), now)

    def _malformed(self, endpoint: Endpoint, indication: AsduIndication, header: Record, refused: bool, now: float) -> None:
        if self.application.policy.hangs_on_malformed:
            self._hung = True
            return
        if not self.application.policy.answers_malformed:
            return
        side = endpoint.side(indication.cluster, header.direction == Direction.CLIENT_TO_SERVER)
        answer: Answer = Status.FAILURE if refused else Status.MALFORMED_COMMAND
        if side is not None and side.malformed is not None:
            answer = side.malformed(indication, header, now)
        self._answer(Heard(indication, header, zcl.UnknownCommand.of(), now), answer, now)

    def _execute(self, endpoint: Endpoint, heard: Heard) -> Answer:
        """What the frame's command leads to; an awaited answer goes to whoever asked, and to the side it concerns."""
        came, header = heard.indication, heard.header
        awaited = self.application.answer("zcl", came.source, came.cluster, header.sequence, header, heard.now)
        side = endpoint.side(came.cluster, header.direction == Direction.CLIENT_TO_SERVER)
        if heard.command.is_a(zcl.DefaultResponse):
            return None if awaited or side is None or side.other is None else side.other(heard)
        if heard.command.layer in RESPONSES:
            return Status.SUCCESS
        if side is None or header.manufacturer_specific:
            return unsupported(header)
        serve = _general(side, heard.command.layer) or side.commands.get(heard.command.layer)
        return unsupported(header) if serve is None else serve(heard)

    def _answer(self, heard: Heard, answer: Answer, now: float) -> None:
        if answer is None:
            return
        if isinstance(answer, Status):
            self._send_status(heard, answer, self._same_security(heard), now)
            return
        for record in answer:
            if heard.indication.broadcast and record.layer in zcl.GENERAL_COMMANDS.values():
                continue  # nobody asks everybody for an attribute
            self.application.send_zcl(
                heard.back(), record, now, sequence=heard.header.sequence, link_key=self._same_security(heard),
                disable_default_response=True, manufacturer_code=heard.header.manufacturer_code,
            )
        establishing = heard.indication.cluster == key_establishment.CLUSTER.identifier
        if self.application.policy.sends_needless_default_response and not establishing:
            self._send_status(heard, Status.SUCCESS, self._same_security(heard), now)

    def _send_status(self, heard: Heard, status: Status, link_key: bool, now: float) -> None:
        if not default_response_due(heard.header, status, heard.indication.broadcast, self.application.policy):
            return
        if heard.indication.dest_endpoint == BROADCAST_ENDPOINT:
            return
        self.application.send_zcl(
            heard.back(), zcl.DefaultResponse.of(command=heard.header.command_identifier, status=status), now,
            sequence=heard.header.sequence, link_key=link_key, disable_default_response=True,
            manufacturer_code=heard.header.manufacturer_code,
        )

    def _same_security(self, heard: Heard) -> bool:
        policy = self.application.policy
        return policy.uses_link_key and (heard.indication.key is not None or not policy.answers_with_same_security)


def _general(side: ClusterSide, layer: type[Layer]) -> Callable[[Heard], Answer] | None:
    request = REQUESTS.get(layer)
    return None if request is None else lambda heard: request(side, heard)
