"""What an ESI has to offer its devices: prices, load control events, messages, a meter. A value; it sends nothing.

Times in it are ZCL UTCTimes (seconds since 2000-01-01T00:00:00Z), 0 meaning now; SE 1.0 (075356), annex D.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dissectors.clusters import drlc, messaging, metering, price
from dissectors.layer import Record

SECONDS_A_MINUTE = 60
EVERY_CLASS = int(sum(drlc.DeviceClass))
TWO_DECIMALS = 0b0_0101_010  # summation formatting: five digits left, two right of the decimal point


@dataclass(frozen=True)
class Programme:
    """`prices` are PublishPrice records, `events` LoadControlEvent, `messages` DisplayMessage; `meter` is its attributes."""

    prices: tuple[Record, ...] = ()
    events: tuple[Record, ...] = ()
    messages: tuple[Record, ...] = ()
    meter: Mapping[int, Any] | None = field(default=None, hash=False)

    def with_one_more(self, offer: Record) -> Programme:
        """The programme with a price, an event or a message added. Raises ValueError for anything else."""
        if offer.is_a(price.PublishPrice):
            return replace(self, prices=(*self.prices, offer))
        if offer.is_a(drlc.LoadControlEvent):
            return replace(self, events=(*self.events, offer))
        if offer.is_a(messaging.DisplayMessage):
            return replace(self, messages=(*self.messages, offer))
        raise ValueError(f"{offer.name} is no price, event or message")


def ends(offer: Record) -> float:
    """When a price, event or message is over, as a UTCTime; one that starts now is over when its duration is."""
    if offer.duration_in_minutes == price.UNTIL_CHANGED and not offer.is_a(drlc.LoadControlEvent):
        return float("inf")
    return float(offer.start_time + offer.duration_in_minutes * SECONDS_A_MINUTE)


def is_active(offer: Record, utc: int) -> bool:
    """Whether it has begun and is not over."""
    return bool(offer.start_time == 0 or offer.start_time <= utc < ends(offer))


def ordinary_programme(utc: int, event_in: int = 120) -> Programme:
    """One price until further notice, an event of two minutes that begins in `event_in` seconds, a message to be confirmed."""
    return Programme(
        prices=(
            price.PublishPrice.of(
                provider_id=1, rate_label=b"BASE", issuer_event_id=1, price_trailing_digit=2, price_tier=1,
                number_of_price_tiers=3, start_time=utc, price=12,
            ),
        ),
        events=(
            drlc.LoadControlEvent.of(
                issuer_event_id=1, device_class=EVERY_CLASS, start_time=utc + event_in, duration_in_minutes=2,
                criticality_level=drlc.Criticality.LEVEL_1, duty_cycle=50,
            ),
        ),
        messages=(
            messaging.DisplayMessage.of(
                message_id=1, confirmation_required=1, importance=messaging.Importance.MEDIUM, start_time=utc,
                duration_in_minutes=60, message=b"WELCOME",
            ),
        ),
        meter={
            metering.CURRENT_SUMMATION_DELIVERED: 123456,
            metering.STATUS: 0,
            metering.UNIT_OF_MEASURE: price.UnitOfMeasure.KILOWATT_HOURS,
            metering.SUMMATION_FORMATTING: TWO_DECIMALS,
            metering.METERING_DEVICE_TYPE: metering.MeteringDeviceType.ELECTRIC,
        },
    )
