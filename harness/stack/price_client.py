"""The client of Price: keeps the prices it was told, and asks for none by itself. SE 1.0 (075356), annex D.2."""

from __future__ import annotations

from collections.abc import Callable

from dissectors.clusters import price
from dissectors.layer import Record
from dissectors.zcl import Status
from harness.stack.application import Application
from harness.stack.endpoint import Answer, ClusterSide, Heard

Taken = Callable[[Record, Heard], None]


class PriceClient:
    """`prices` are the Publish Price commands taken, by issuer event id: a larger one is newer information."""

    def __init__(self, application: Application, taken: Taken) -> None:
        self.prices: dict[int, Record] = {}
        self._application = application
        self._taken = taken

    def side(self) -> ClusterSide:
        """The client side of the cluster."""
        return ClusterSide(price.CLUSTER, False, {}, {price.PublishPrice: self._publish})

    def forget(self) -> None:
        """Drop all prices."""
        self.prices.clear()

    def _publish(self, heard: Heard) -> Answer:
        later = heard.surplus or any(getattr(heard.command, name) is not None for name in _LATER)
        if later and not self._application.policy.accepts_longer_price:
            return Status.MALFORMED_COMMAND
        if heard.command.alternate_cost_delivered is None and not self._application.policy.accepts_base_price:
            return Status.MALFORMED_COMMAND
        self.prices[heard.command.issuer_event_id] = heard.command
        self._taken(heard.command, heard)
        return Status.SUCCESS


_LATER = ("number_of_block_thresholds", "price_control")  # what 1.1 appended
