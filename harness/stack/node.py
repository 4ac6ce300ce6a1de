"""One node as its bench drives it: the five verbs over a core, its device object and its cluster library. Knows no role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dissectors import zdp
from harness.ports import Pdu
from harness.stack.application import Application
from harness.stack.happenings import Happening
from harness.stack.primitives import AsduConfirm, AsduIndication
from harness.stack.zcl import ClusterLibrary
from harness.stack.zdo import DeviceObject

Route = Callable[[Any, float], None]


class Node:
    """Wires the layers of one node. `routes` says who takes which other indication of the core; `settled` is called last."""

    def __init__(
        self, application: Application, device_object: DeviceObject, library: ClusterLibrary, routes: Mapping[type, Route],
        settled: Callable[[float], None] = lambda now: None,
    ) -> None:
        self.application = application
        self.device_object = device_object
        self.library = library
        self._routes: dict[type, Route] = {
            AsduConfirm: application.confirm, AsduIndication: self.indicated, **routes,
        }
        self._settled = settled
        self.now = 0.0  # of the last verb
        self._happenings: list[Happening] = []

    def report(self, happening: Happening) -> None:
        """Tell the bench."""
        self._happenings.append(happening)

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a Received or Transmitted from the radio."""
        self.now = now
        self.application.core.receive(pdu, now)
        self.settle(now)

    def transmit(self, now: float) -> list[Pdu]:
        """RadioSettings and Transmit, in the order in which they must take effect."""
        return self.application.core.transmit(now)

    def deadline(self) -> float | None:
        """When `wake` is next needed, None for never."""
        instants = (self.application.core.deadline(), self.application.agenda.deadline())
        return min((instant for instant in instants if instant is not None), default=None)

    def wake(self, now: float) -> None:
        """Timers up to `now` have run out."""
        self.application.core.wake(now)
        self.settle(now)

    def events(self) -> list[Happening]:
        """What happened since the last call, oldest first."""
        happenings, self._happenings = self._happenings, []
        return happenings

    def settle(self, now: float) -> None:
        """Let what the core has to say, and what is due, take its course."""
        self.now = now
        self.application.agenda.run(now)
        while indications := self.application.core.events():
            for indication in indications:
                route = self._routes.get(type(indication))
                if route is not None:
                    route(indication, now)
            self.application.agenda.run(now)
        self._settled(now)

    def indicated(self, indication: AsduIndication, now: float) -> None:
        """Take an application frame to the device object or to the cluster library."""
        if indication.profile == zdp.PROFILE and indication.dest_endpoint == zdp.ENDPOINT:
            self.device_object.take(indication, now)
        else:
            self.library.take(indication, now)
