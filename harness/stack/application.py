"""What a node's application sends, and the answers it waits for: ZDP and ZCL frames over APS. Knows no cluster and no role.

Every outgoing command and header passes the node's policy before it is encoded, and the finished ASDU once more. Requests are
matched with their answers by peer, cluster and transaction sequence number (05-3474, 2.4.2.8; ZCL 075123, 2.3.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from dissectors import zcl, zdp
from dissectors.clusters import by_identifier
from dissectors.fields import Remaining
from dissectors.layer import Layer, Record
from dissectors.nwk import MAX_UNICAST
from dissectors.smart_energy import PROFILE, requires_link_key
from harness.errors import LocalProtocolError, Unsupported
from harness.stack.agenda import Agenda
from harness.stack.core import Core
from harness.stack.lower_layers import LowerLayers
from harness.stack.policy import Policy
from harness.stack.primitives import AsduConfirm, AsduRequest

ANSWER_WAIT = 8.0  # seconds for an answer: a request and an answer that each need all their APS retries take less
BROADCAST_WAIT = 2.0  # seconds for the first answer to a broadcast request
UNFRAGMENTED = 65  # octets of ASDU that fit one frame whatever its headers carry; more asks for the partner's transfer size

Then = Callable[[Record | None, float], None]
"""Takes the answer (a ZDP structure, or a ZCL header joined with its command), or None when none came."""

Delivered = Callable[[bool, float], None]
"""Takes whether the frame was acknowledged."""


class Asdu(Layer):
    """A finished application frame as the policy sees it last, joined with `profile` and `cluster`."""

    fields_desc = [Remaining("octets")]


@dataclass(frozen=True)
class Path:
    """Where a ZCL frame goes: the peer's NWK address and endpoint, our endpoint, the cluster and which side of it."""

    dest: int
    dest_endpoint: int
    source_endpoint: int
    cluster: int
    to_server: bool = True

    @property
    def broadcast(self) -> bool:
        """Whether it goes to more than one node."""
        return self.dest > MAX_UNICAST


@dataclass(frozen=True)
class _Question:
    peer: int | None  # None: anybody may answer (the request was a broadcast)
    cluster: int
    then: Then


class Application:
    """The sending half of a node's application layer."""

    def __init__(
        self, core: LowerLayers, policy: Policy, agenda: Agenda, profile: int = PROFILE, *, first_sequence: int = 0, latency: float = 0.0,
    ) -> None:
        """`first_sequence` is the transaction sequence number before our first one, `latency` how many seconds an answer takes us."""
        self.core = core
        self.policy = policy
        self.agenda = agenda
        self.profile = profile
        self.transfer_sizes: dict[int, int] = {}  # by NWK address, from the partners' node descriptors
        self._sequences = dict.fromkeys(("zdp", "zcl"), first_sequence)
        self._latency = latency
        self._late = count()
        self._questions: dict[tuple[str, int], _Question] = {}
        self._deliveries: dict[int, Delivered] = {}

    @property
    def own_layers(self) -> Core:
        """`core` of a node that joins by itself, or routes. Raises Unsupported for one over a network co-processor."""
        if not isinstance(self.core, Core):
            raise Unsupported("a network co-processor has no MAC, NWK and APS of ours to do this with")
        return self.core

    @property
    def waiting(self) -> bool:
        """Whether an answer or an acknowledgement is outstanding."""
        return bool(self._questions or self._deliveries)

    def forget(self) -> None:
        """Drop everything outstanding, as a power failure does."""
        self._questions.clear()
        self._deliveries.clear()
        self.transfer_sizes.clear()

    def answering(self, send: Callable[[float], None], now: float) -> None:
        """Send an answer when our latency is over."""
        if self._latency:
            self.agenda.set(("answering", next(self._late)), now + self._latency, send)
        else:
            send(now)

    def send_zdp(
        self, dest: int, record: Record, now: float, *, sequence: int | None = None, cluster: int | None = None,
        then: Then | None = None,
    ) -> None:
        """Send a ZDP structure; with `then` it is a request whose answer is awaited. `cluster` None is the structure's own."""
        number = self._next("zdp") if sequence is None else sequence
        cluster = zdp.cluster_of(record.layer) if cluster is None else cluster
        self._await("zdp", number, None if dest > MAX_UNICAST else dest, cluster | zdp.RESPONSE, then, now)
        outgoing = self.policy.rewritten(record.joined(sequence=number, cluster=cluster))
        if outgoing is None:
            return
        asdu = zdp.build(outgoing, outgoing.sequence)
        self._data(
            AsduRequest(
                dest, zdp.ENDPOINT, zdp.ENDPOINT, zdp.PROFILE, cluster, asdu,
                ack=dest <= MAX_UNICAST and self.policy.asks_for_acknowledgements,
            ), now, self._undelivered("zdp", number) if then else None,
        )

    def send_zcl(
        self, path: Path, command: Record, now: float, *, sequence: int | None = None, link_key: bool | None = None,
        disable_default_response: bool = False, manufacturer_code: int | None = None, then: Then | None = None,
        delivered: Delivered | None = None, ack: bool | None = None,
    ) -> None:
        """Send a ZCL command; with `then` its answer is awaited, with `delivered` its acknowledgement is told.

        `ack` None leaves it to the policy whether an acknowledgement is asked for.

        `link_key` None follows the rule for the cluster (SE 1.0, 5.4.6); broadcasts go without.
        """
        number = self._next("zcl") if sequence is None else sequence
        self._await("zcl", number, None if path.broadcast else path.dest, path.cluster, then, now)
        asdu = self._frame(path, command, number, disable_default_response, manufacturer_code)
        if asdu is None:
            return
        if link_key is None:
            link_key = requires_link_key(path.cluster) and self.policy.uses_link_key
        request = AsduRequest(
            path.dest, path.dest_endpoint, path.source_endpoint, self.profile, path.cluster, asdu,
            ack=(self.policy.asks_for_acknowledgements if ack is None else ack) and not path.broadcast,
            link_key=link_key and not path.broadcast,
        )
        self._send_fitting(request, now, delivered or (self._undelivered("zcl", number) if then else None))

    def put(
        self, path: Path, header: Record, command: Record, now: float, *, link_key: bool = False, ack: bool = True,
        profile: int | None = None,
    ) -> None:
        """Put a ZCL frame as a stimulus: any header (its sequence number apart) before anything, past the policy, in our own
        profile or another. What comes back is waited for and goes nowhere."""
        number = self._next("zcl")
        self._await("zcl", number, path.dest, path.cluster, lambda record, now: None, now)
        asdu = zcl.build(header.replace(sequence=number), command)
        self.put_octets(path, asdu, now, link_key=link_key, ack=ack, profile=profile)

    def put_octets(
        self, path: Path, asdu: bytes, now: float, *, link_key: bool = False, ack: bool = True, profile: int | None = None,
    ) -> None:
        """Put any octets as an ASDU of the cluster library."""
        self._data(
            AsduRequest(
                path.dest, path.dest_endpoint, path.source_endpoint, self.profile if profile is None else profile,
                path.cluster, asdu, ack=ack, link_key=link_key,
            ), now, None,
        )

    def put_zdp(self, dest: int, cluster: int, octets: bytes, now: float) -> None:
        """Put a ZDP frame as a stimulus: any octets after the sequence number, in any cluster."""
        number = self._next("zdp")
        self._await("zdp", number, dest, cluster | zdp.RESPONSE, lambda record, now: None, now)
        asdu = bytes([number]) + octets
        self._data(AsduRequest(dest, zdp.ENDPOINT, zdp.ENDPOINT, zdp.PROFILE, cluster, asdu), now, None)

    def answer(self, kind: str, peer: int, cluster: int, sequence: int, record: Record, now: float) -> bool:
        """Hand an incoming frame to whoever asked for it; whether somebody did. `kind` is zdp or zcl."""
        question = self._questions.get((kind, sequence))
        if question is None or question.cluster != cluster or question.peer not in (None, peer):
            return False
        self._conclude(kind, sequence, record, now)
        return True

    def confirm(self, confirm: AsduConfirm, now: float) -> None:
        """APSDE-DATA.confirm."""
        delivered = self._deliveries.pop(confirm.handle, None)
        if delivered is not None:
            delivered(confirm.status == "success", now)

    def _frame(
        self, path: Path, command: Record, sequence: int, disable_default_response: bool, manufacturer_code: int | None
    ) -> bytes | None:
        outgoing = self.policy.rewritten(command)
        if outgoing is None:
            return None
        general, identifier = command_identifier(path, outgoing.layer)
        header = zcl.Zcl.of(
            frame_type=zcl.FrameType.GENERAL if general else zcl.FrameType.CLUSTER,
            direction=zcl.Direction.CLIENT_TO_SERVER if path.to_server else zcl.Direction.SERVER_TO_CLIENT,
            disable_default_response=int(disable_default_response), sequence=sequence, command_identifier=identifier,
            manufacturer_specific=int(manufacturer_code is not None), manufacturer_code=manufacturer_code,
        )
        rewritten = self.policy.rewritten(header.joined(command=outgoing, cluster=path.cluster))
        if rewritten is None:
            return None
        octets = zcl.build(rewritten, rewritten.command)
        finished = self.policy.rewritten(Asdu.of(octets=octets).joined(profile=self.profile, cluster=path.cluster))
        return None if finished is None else bytes(finished.octets)

    def _send_fitting(self, request: AsduRequest, now: float, delivered: Delivered | None) -> None:
        """Send an ASDU, after asking for the partner's transfer size where it may matter (SE 1.0, table 5-8)."""
        known = self.transfer_sizes.get(request.dest)
        if len(request.asdu) <= UNFRAGMENTED or request.dest > MAX_UNICAST or known is not None:
            self._send_within(request, known, now, delivered)
            return

        def take(answer: Record | None, now: float) -> None:
            if answer is not None and answer.status == zdp.Status.SUCCESS:
                self.transfer_sizes[request.dest] = answer.node_descriptor.maximum_incoming_transfer_size
            self._send_within(request, self.transfer_sizes.get(request.dest), now, delivered)

        self.send_zdp(request.dest, zdp.NodeDescReq.of(nwk_addr_of_interest=request.dest), now, then=take)

    def _send_within(self, request: AsduRequest, transfer_size: int | None, now: float, delivered: Delivered | None) -> None:
        if transfer_size is not None:
            limit = transfer_size if self.policy.respects_transfer_size else len(request.asdu)
            request = AsduRequest(**{**vars(request), "max_transfer": limit})
        self._data(request, now, delivered)

    def _data(self, request: AsduRequest, now: float, delivered: Delivered | None) -> None:
        handle = self.core.data(request, now)
        if delivered is not None:
            self._deliveries[handle] = delivered

    def _next(self, kind: str) -> int:
        self._sequences[kind] = (self._sequences[kind] + 1) % 256
        return self._sequences[kind]

    def _await(self, kind: str, sequence: int, peer: int | None, cluster: int, then: Then | None, now: float) -> None:
        if then is None:
            return
        self._questions[kind, sequence] = _Question(peer, cluster, then)
        wait = BROADCAST_WAIT if peer is None else ANSWER_WAIT
        self.agenda.set(("answer", kind, sequence), now + wait, lambda now: self._conclude(kind, sequence, None, now))

    def _undelivered(self, kind: str, sequence: int) -> Delivered:
        def take(acknowledged: bool, now: float) -> None:
            if not acknowledged:
                self._conclude(kind, sequence, None, now)

        return take

    def _conclude(self, kind: str, sequence: int, record: Record | None, now: float) -> None:
        question = self._questions.pop((kind, sequence), None)
        self.agenda.cancel(("answer", kind, sequence))
        if question is not None:
            question.then(record, now)


def command_identifier(path: Path, layer: type[Layer]) -> tuple[bool, int]:
    """Whether a command is a general one, and its identifier. Raises LocalProtocolError for one the cluster does not have."""
    for identifier, general in zcl.GENERAL_COMMANDS.items():
        if general is layer:
            return True, identifier
    cluster = by_identifier(path.cluster)
    if cluster is not None:
        for identifier, own in (cluster.client_commands if path.to_server else cluster.server_commands).items():
            if own is layer:
                return False, identifier
    side = "server" if path.to_server else "client"
    raise LocalProtocolError(f"cluster {path.cluster:04x} has no command {layer.__name__} towards its {side}")
