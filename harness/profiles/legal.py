"""Devices that are different and legal: what a HAN device and an ESI may choose, as values, and the bench that plays them.

Knows what the specifications leave open, and which knob of the virtual devices turns it; never how a trace is judged. What a
combination must keep to is said where it is made, in `strategies`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dissectors.clusters import Attribute, Cluster, basic, by_identifier, drlc, key_establishment, messaging, price
from dissectors.clusters import time as time_cluster
from dissectors.zcl_types import DataType
from harness.clock import smart_energy_time
from harness.crypto.install_code import InstallCode
from harness.declarations import BenchFile, Secret
from harness.profiles import wire_habits
from harness.profiles.wire_habits import Addressing
from harness.stack.commissioning import Find
from harness.stack.endpoint import ClusterSide, Endpoint, constant
from harness.stack.esi import EsiSettings
from harness.stack.han_device import HanDeviceSettings
from harness.stack.key_establishment import Timing
from harness.stack.policy import Rewrite
from harness.stack.programme import SECONDS_A_MINUTE, Programme
from harness.stack.smart_energy_servers import basic_side
from harness.usecase import Actor
from harness.values import DeviceType, Eui64

ROUND_TRIPS = 30.0  # seconds that an exchange of key establishment may take beside the computing of both parties


@dataclass(frozen=True)
class Computing:
    """Key establishment: the seconds a party advertises (0 to 254) and the share of them that it takes (0 to 1)."""

    ephemeral: int
    confirm: int
    share: float

    @property
    def timing(self) -> Timing:
        """As the stack wants it."""
        return Timing(
            ephemeral=self.ephemeral, confirm=self.confirm, making_ephemeral=self.ephemeral * self.share,
            making_confirm=self.confirm * self.share,
        )


@dataclass(frozen=True)
class FurtherEndpoint:
    """An endpoint that has nothing to do with the use case: another profile's, or a further one of Smart Energy's."""

    number: int
    profile: int
    device: int
    servers: tuple[int, ...] = ()
    clients: tuple[int, ...] = ()


@dataclass(frozen=True)
class Habits:
    """What either side may choose. `key_endpoint` None: Key Establishment is where the other clusters are.

    `servers` are optional clusters of its own endpoint; `basic` and `suite` are values of attributes; `disables_default_response`
    None leaves the usual bit; `discovers_route`, `radius` and `names_source` are of unicast data frames.
    """

    eui64: Eui64
    endpoint: int
    key_endpoint: int | None
    further: tuple[FurtherEndpoint, ...]
    servers: tuple[int, ...]
    basic: tuple[tuple[int, Any], ...]
    suite: int
    computing: Computing
    first_sequence: int
    manufacturer_code: int
    device_version: int
    clusters_descending: bool
    asks_for_acknowledgements: bool
    secures_acknowledgements: bool
    disables_default_response: bool | None
    radius: int
    discovers_route: bool
    names_source: bool

    @property
    def wire(self) -> tuple[Rewrite, ...]:
        """How it writes what both sides send."""
        silent = self.disables_default_response
        return (
            wire_habits.node_descriptor(self.manufacturer_code),
            wire_habits.simple_descriptors(self.device_version, self.clusters_descending),
            wire_habits.network_header(self.radius, self.discovers_route, self.eui64 if self.names_source else None),
            *(() if silent is None else (wire_habits.default_responses(silent),)),
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What the settings of both stacks call it."""
        return {
            "endpoint": self.endpoint, "key_establishment_endpoint": self.key_endpoint, "timing": self.computing.timing,
            "first_sequence": self.first_sequence,
            "attributes": {
                **{(basic.CLUSTER.identifier, number): value for number, value in self.basic},
                (key_establishment.CLUSTER.identifier, key_establishment.KEY_ESTABLISHMENT_SUITE): self.suite,
            },
            "further_sides": tuple(_side(cluster) for cluster in self.servers),
            "further_endpoints": tuple(_endpoint(each) for each in self.further),
        }

    @property
    def decisions(self) -> dict[str, Any]:
        """What the policies of both stacks call it."""
        return {
            "asks_for_acknowledgements": self.asks_for_acknowledgements, "secures_acknowledgements": self.secures_acknowledgements,
        }


@dataclass(frozen=True)
class HanDeviceProfile:
    """A legal HAN device. `claims` are the PICS items it answers with yes; seconds everywhere."""

    device_type: DeviceType
    install_code: InstallCode
    habits: Habits
    claims: frozenset[str]
    mains: bool
    poll_interval: float
    channels: tuple[int, ...]
    addressing: Addressing
    settling: float
    announcements: int
    discovery: tuple[Find, ...]
    asks: tuple[int, ...]
    reports_applied_values: bool
    sends_default_response: bool

    @property
    def options(self) -> dict[str, Any]:
        """What the virtual device is told."""
        return {
            "settings": HanDeviceSettings(
                **self.habits.settings, mains=self.mains, poll_interval=self.poll_interval, channels=self.channels,
                settling=self.settling, announcements=self.announcements, discovery=self.discovery, asks=self.asks,
            ),
            "decisions": {
                **self.habits.decisions, "reports_applied_values": self.reports_applied_values,
                "sends_default_response": self.sends_default_response,
            },
            "rewrites": (*self.habits.wire, wire_habits.asks_to_associate(self.addressing)),
        }


@dataclass(frozen=True)
class Offers:
    """What an ESI has to offer, times in seconds from the start of the bench; fields as the commands name them."""

    prices: tuple[dict[str, Any], ...]
    events: tuple[dict[str, Any], ...]
    messages: tuple[dict[str, Any], ...]
    meter: tuple[tuple[int, Any], ...]

    def programme(self, epoch: datetime) -> Programme:
        """The same on a bench whose time begins at `epoch`."""

        def at(fields: dict[str, Any]) -> dict[str, Any]:
            return {**fields, "start_time": smart_energy_time(epoch, fields["start_time"])}

        return Programme(
            prices=tuple(price.PublishPrice.of(**at(fields)) for fields in self.prices),
            events=tuple(drlc.LoadControlEvent.of(**at(fields)) for fields in self.events),
            messages=tuple(messaging.DisplayMessage.of(**at(fields)) for fields in self.messages),
            meter=dict(self.meter),
        )

    @property
    def over(self) -> float:
        """When the last event is over, seconds."""
        ends = (each["start_time"] + each["duration_in_minutes"] * SECONDS_A_MINUTE for each in self.events)
        return max(ends, default=0.0)


@dataclass(frozen=True)
class EsiProfile:
    """A legal ESI and its network; seconds everywhere."""

    habits: Habits
    channel: int
    pan_id: int
    extended_pan_id: Eui64
    gives_address: int | None
    key_sequence: int
    frame_counter: int
    router_capacity: bool
    update_id: int
    longest_permit: int
    significance: int
    extended_nonce: bool
    both_pans: bool
    latency: float
    inspects: bool
    inspects_after: float
    closed_status: int | None
    accepts_bindings: bool
    time_status: time_cluster.TimeStatus
    time: tuple[tuple[int, Any], ...]
    offers: Offers

    def options(self, epoch: datetime) -> dict[str, Any]:
        """What the virtual ESI is told."""
        settings = self.habits.settings
        settings["attributes"] |= {(time_cluster.CLUSTER.identifier, number): value for number, value in self.time}
        return {
            "eui64": str(self.habits.eui64), "channel": str(self.channel), "pan_id": self.pan_id, "extended_pan_id": self.extended_pan_id,
            "key_sequence": self.key_sequence, "programme": self.offers.programme(epoch),
            "settings": EsiSettings(
                **settings, latency=self.latency, inspects_devices=self.inspects, inspects_after=self.inspects_after,
                longest_permit=self.longest_permit, frame_counter=self.frame_counter, time_status=self.time_status,
            ),
            "decisions": {
                **self.habits.decisions, "closed_association_status": self.closed_status, "accepts_bindings": self.accepts_bindings,
                "prefers_address": self.gives_address,
            },
            "rewrites": (
                *self.habits.wire, wire_habits.beacon(self.router_capacity, self.update_id),
                wire_habits.permits_joining(self.significance),
                *(() if self.extended_nonce else (wire_habits.transports_key_without_extended_nonce(),)),
                *((wire_habits.answers_association_with_both_pans(),) if self.both_pans else ()),
            ),
        }


@dataclass(frozen=True)
class LegalProfile:
    """A HAN device and the ESI it joins. `loses` is which transmission of every so many is lost on the air, None for none."""

    han_device: HanDeviceProfile
    esi: EsiProfile
    loses: int | None = None

    @property
    def window(self) -> float:
        """How long the provisioning window must be, seconds, for both to take all the time that they advertise."""
        computing = (self.han_device.habits.computing, self.esi.habits.computing)
        return 120.0 + ROUND_TRIPS + sum((each.ephemeral + each.confirm) * each.share for each in computing)

    def bench_file(self, usual: BenchFile) -> BenchFile:
        """The bench of one such provisioning; everything else is as in another bench file."""
        chosen = self.han_device
        code = chosen.install_code
        device = replace(
            usual.devices[0], name=chosen.device_type.value, device_type=chosen.device_type, eui64=chosen.habits.eui64,
            key_form="install_code", key=Secret(code.octets), certificate=None, private_key=None, ca=None,
            pics={item: item in chosen.claims for item in usual.devices[0].pics},
        )
        options = {Actor.HAN_DEVICE: chosen.options, Actor.ESI: self.esi.options(usual.epoch)}
        adapters = {
            actor: replace(filled, options={**filled.options, **options.get(actor, {})}) for actor, filled in usual.adapters.items()
        }
        duration = max(self.window, self.esi.offers.over - usual.window_start)
        return replace(usual, devices=(device,), adapters=adapters, window_duration=float(round(duration)))


def _side(cluster: int) -> ClusterSide:
    """The server of an optional cluster without attributes, or of a manufacturer's with one of its own."""
    declared = by_identifier(cluster)
    if declared is not None:
        return ClusterSide(declared, True)
    own = Cluster(cluster, f"a manufacturer's {cluster:04x}", attributes={0: Attribute("Own", DataType.UINT8)})
    return ClusterSide(own, True, {0: constant(1)})


def _endpoint(further: FurtherEndpoint) -> Endpoint:
    sides = [
        basic_side(basic.PowerSource.UNKNOWN, b"") if server and cluster == basic.CLUSTER.identifier
        else ClusterSide(by_identifier(cluster) or Cluster(cluster, f"{cluster:04x}"), server)
        for server, clusters in ((True, further.servers), (False, further.clients)) for cluster in clusters
    ]
    return Endpoint(further.number, further.device, tuple(sides), further.profile)
