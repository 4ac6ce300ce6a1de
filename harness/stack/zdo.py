"""A node's ZigBee Device Object: what it answers to ZDP requests. Knows no cluster's content and starts nothing.

Clauses: 05-3474, 2.4.4 (responses) with the errors of 2.4.4.1; numbering of r17 to r20.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dissectors import zdp
from dissectors.layer import Layer, Malformed, Record
from dissectors.zdp import Status
from harness.stack.application import Application
from harness.stack.descriptors import LAST_ENDPOINT, Descriptors
from harness.stack.primitives import AsduIndication

BINDING_TABLE_SIZE = 30  # five entries for each of six clusters

Noticed = Callable[[AsduIndication, Record, float], None]
"""Takes a structure that has no response (Device_annce, a broadcast Mgmt_Permit_Joining_req)."""


@dataclass(frozen=True)
class _Asked:
    request: Record
    broadcast: bool


class DeviceObject:
    """Answers ZDP for one node; `bindings` are the accepted Bind requests, oldest first."""

    def __init__(self, application: Application, descriptors: Descriptors, coordinator: bool, noticed: Noticed) -> None:
        self.application = application
        self.descriptors = descriptors
        self.coordinator = coordinator
        self.bindings: list[Record] = []
        self._noticed = noticed
        self._answers: dict[type[Layer], Callable[[_Asked], Record | None]] = {
            zdp.NwkAddrReq: self._nwk_addr,
            zdp.IeeeAddrReq: self._ieee_addr,
            zdp.NodeDescReq: self._node_desc,
            zdp.PowerDescReq: self._power_desc,
            zdp.SimpleDescReq: self._simple_desc,
            zdp.ActiveEpReq: self._active_ep,
            zdp.MatchDescReq: self._match_desc,
            zdp.SystemServerDiscoveryReq: self._system_server_discovery,
            zdp.BindReq: self._bind,
            zdp.UnbindReq: self._unbind,
            zdp.MgmtPermitJoiningReq: self._permit_joining,
        }

    def take(self, indication: AsduIndication, now: float) -> None:
        """A ZDP frame came in; what is malformed is passed over in silence."""
        try:
            record = zdp.read(indication.cluster, indication.asdu)
        except Malformed:
            self._refuse_unknown(indication, now)
            return
        if indication.cluster & zdp.RESPONSE:
            self.application.answer("zdp", indication.source, indication.cluster, record.sequence, record, now)
            return
        self._noticed(indication, record, now)
        response = self._response(record, indication.broadcast)
        if response is not None:
            self.application.answering(
                lambda now: self.application.send_zdp(indication.source, response, now, sequence=record.sequence), now
            )

    def bound_to(self, cluster: int) -> list[Record]:
        """The bindings of a cluster."""
        return [binding for binding in self.bindings if binding.cluster_id == cluster]

    def _response(self, record: Record, broadcast: bool) -> Record | None:
        answer = self._answers.get(record.layer)
        if answer is not None:
            return answer(_Asked(record, broadcast))
        response = zdp.CLUSTERS.get(record.cluster | zdp.RESPONSE)
        if broadcast or response is None:  # Device_annce has no response
            return None
        return response.of(status=Status.NOT_SUPPORTED)

    def _refuse_unknown(self, indication: AsduIndication, now: float) -> None:
        unknown = indication.cluster not in zdp.CLUSTERS and not indication.cluster & zdp.RESPONSE
        if unknown and indication.asdu and not indication.broadcast:
            self.application.send_zdp(
                indication.source, zdp.MgmtLeaveRsp.of(status=Status.NOT_SUPPORTED), now, sequence=indication.asdu[0],
                cluster=indication.cluster | zdp.RESPONSE,  # a status and nothing else, whatever was asked (2.4.4)
            )

    def _nwk_addr(self, asked: _Asked) -> Record | None:
        mine = asked.request.ieee_addr == self.application.core.ieee
        if asked.broadcast and not mine:
            return None
        return self._address(zdp.NwkAddrRsp, asked, Status.SUCCESS if mine else Status.DEVICE_NOT_FOUND)

    def _ieee_addr(self, asked: _Asked) -> Record | None:
        if asked.broadcast:
            return None
        mine = asked.request.nwk_addr_of_interest == self.application.core.short_address
        return self._address(zdp.IeeeAddrRsp, asked, Status.SUCCESS if mine else Status.DEVICE_NOT_FOUND)

    def _address(self, response: type[Layer], asked: _Asked, status: Status) -> Record:
        core = self.application.core
        ieee = core.ieee if response is zdp.IeeeAddrRsp else asked.request.ieee_addr
        if asked.request.request_type not in tuple(zdp.RequestType):
            return response.of(status=Status.INVALID_REQUEST_TYPE, ieee_addr=ieee, nwk_addr=core.short_address)
        extended = status == Status.SUCCESS and asked.request.request_type == zdp.RequestType.EXTENDED
        children = [child.short_address for child in core.children] if extended else []
        listed = {"start_index": 0, "assoc_devices": tuple(children)} if children else {}
        return response.of(
            status=status, ieee_addr=ieee, nwk_addr=core.short_address,
            num_assoc_dev=len(children) if extended else None, **listed,
        )

    def _other(self, address: int) -> Status | None:
        """The status for somebody else's descriptor; None where it is our own (2.4.4.1.3)."""
        core = self.application.core
        if address == core.short_address:
            return None
        if not self.coordinator:
            return Status.INVALID_REQUEST_TYPE
        known = any(child.short_address == address for child in core.children)
        return Status.NO_DESCRIPTOR if known else Status.DEVICE_NOT_FOUND

    def _node_desc(self, asked: _Asked) -> Record | None:
        address = asked.request.nwk_addr_of_interest
        if (status := self._other(address)) is not None:
            return None if asked.broadcast else zdp.NodeDescRsp.of(status=status, nwk_addr_of_interest=address)
        return zdp.NodeDescRsp.of(nwk_addr_of_interest=address, node_descriptor=self.descriptors.node)

    def _power_desc(self, asked: _Asked) -> Record | None:
        address = asked.request.nwk_addr_of_interest
        if (status := self._other(address)) is not None:
            return None if asked.broadcast else zdp.PowerDescRsp.of(status=status, nwk_addr_of_interest=address)
        return zdp.PowerDescRsp.of(nwk_addr_of_interest=address, power_descriptor=self.descriptors.power)

    def _simple_desc(self, asked: _Asked) -> Record | None:
        address, endpoint = asked.request.nwk_addr_of_interest, asked.request.endpoint
        status = self._other(address)
        descriptor = None
        if status is None and not 1 <= endpoint <= LAST_ENDPOINT:
            status = Status.INVALID_ENDPOINT
        elif status is None:
            descriptor = self.descriptors.endpoints.get(endpoint)
            status = Status.NOT_ACTIVE if descriptor is None else Status.SUCCESS
        if asked.broadcast and descriptor is None:
            return None
        return zdp.SimpleDescRsp.of(status=status, nwk_addr_of_interest=address, simple_descriptor=descriptor)

    def _active_ep(self, asked: _Asked) -> Record | None:
        address = asked.request.nwk_addr_of_interest
        status = self._other(address)
        if asked.broadcast and status is not None:
            return None
        endpoints = tuple(sorted(self.descriptors.endpoints)) if status is None else ()
        return zdp.ActiveEpRsp.of(status=status or Status.SUCCESS, nwk_addr_of_interest=address, endpoints=endpoints)

    def _match_desc(self, asked: _Asked) -> Record | None:
        request, policy = asked.request, self.application.policy
        core = self.application.core
        addressed = asked.broadcast or request.nwk_addr_of_interest == core.short_address
        matching = tuple(
            number for number, descriptor in sorted(self.descriptors.endpoints.items())
            if (descriptor.profile == request.profile or policy.matches_foreign_profile)
            and (_in_common(descriptor, request) or policy.matches_any_cluster)
        ) if addressed else ()
        if asked.broadcast and not matching and not policy.answers_unmatched_broadcast:
            return None
        status = Status.SUCCESS if addressed else self._other(request.nwk_addr_of_interest) or Status.SUCCESS
        return zdp.MatchDescRsp.of(status=status, nwk_addr_of_interest=core.short_address, endpoints=matching)

    def _system_server_discovery(self, asked: _Asked) -> Record | None:
        common = asked.request.server_mask & self.descriptors.node.server_mask
        return zdp.SystemServerDiscoveryRsp.of(server_mask=common) if common else None

    def _bind(self, asked: _Asked) -> Record | None:
        status = self._binding_fault(asked.request)
        if status is None and not self.application.policy.accepts_bindings:
            status = Status.NOT_SUPPORTED
        if status is None:
            status = Status.SUCCESS
            entry = _entry(asked.request)
            if entry not in self.bindings and len(self.bindings) >= BINDING_TABLE_SIZE:
                status = Status.TABLE_FULL
            elif entry not in self.bindings:
                self.bindings.append(entry)
        return None if asked.broadcast else zdp.BindRsp.of(status=status)

    def _unbind(self, asked: _Asked) -> Record | None:
        status = self._binding_fault(asked.request)
        entry = _entry(asked.request)
        if status is None:
            status = Status.SUCCESS if entry in self.bindings else Status.NO_ENTRY
            self.bindings = [binding for binding in self.bindings if binding != entry]
        return None if asked.broadcast else zdp.UnbindRsp.of(status=status)

    def _binding_fault(self, request: Record) -> Status | None:
        if request.source_ieee != self.application.core.ieee:
            return Status.NOT_SUPPORTED  # we hold no bindings for others
        if request.source_endpoint not in self.descriptors.endpoints:
            return Status.INVALID_ENDPOINT
        return None

    def _permit_joining(self, asked: _Asked) -> Record | None:
        if asked.broadcast:
            return None
        # only the back office opens the trust centre's window; an end device takes no children (2.4.4.3.7)
        return zdp.MgmtPermitJoiningRsp.of(status=Status.NOT_AUTHORIZED if self.coordinator else Status.NOT_SUPPORTED)


def _in_common(descriptor: Record, request: Record) -> bool:
    """2.4.4.1.7.1: one input cluster or one output cluster in common is enough."""
    return bool(
        set(descriptor.in_clusters) & set(request.in_clusters) or set(descriptor.out_clusters) & set(request.out_clusters)
    )


def _entry(request: Record) -> Record:
    """A binding as a value that compares: the Bind structure without what the frame added."""
    return zdp.BindReq.of(**{name: getattr(request, name) for name in zdp.BindReq.of()})
