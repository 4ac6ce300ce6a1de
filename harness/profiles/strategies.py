"""Hypothesis strategies over legal profiles: what a conformant HAN device and ESI may choose, and what goes with what.

Not what is done with them. A combination that the specifications exclude is never drawn; a comment says which and where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dissectors import nwk
from dissectors.clusters import basic, drlc, messaging, metering, price
from dissectors.clusters.key_establishment import MAXIMUM_SECONDS, Suite
from dissectors.clusters.time import TIME_ZONE, TimeStatus
from dissectors.mac import AssociationStatus
from dissectors.smart_energy import ALL_CHANNELS, HOME_AUTOMATION, PROFILE, DeviceId
from harness.profiles.legal import Computing, EsiProfile, FurtherEndpoint, Habits, HanDeviceProfile, LegalProfile, Offers
from harness.profiles.wire_habits import Addressing
from harness.stack.commissioning import LOAD_CONTROL, MESSAGING, METERING, PRICE, TIME, Find
from harness.strategies import eui64s, install_codes, short_addresses
from harness.values import DeviceType, Eui64

OPTIONAL_SERVERS = (0x0001, 0x0009, 0x0015)  # Power Configuration, Alarms, Commissioning: optional for every device (SE 1.0, 6)
MANUFACTURERS_CLUSTERS = (0xFC00, 0xFC42, 0xFFFF)
MANUFACTURERS_PROFILES = (0xC000, 0xC105, 0xC23F)
_FEW = st.sampled_from([1, 0, 1, 2])
_OCTET = st.integers(0, 0xFF)
_ADVERTISED = (  # seconds for ephemeral key and confirmation: as seen in the field, and the shortest
    (3, 6), (11, 16), (4, 1), (0, 0), (1, 20), (20, 30),
)
_LONGEST = ((MAXIMUM_SECONDS, 6), (3, MAXIMUM_SECONDS))
_LAST_COUNTER = 0xF000_0000  # whoever has fewer left than that is about to change its network key
_ENDPOINTS = st.one_of(st.sampled_from([1, 2, 10, 11, 239, 240]), st.integers(1, 240))


@st.composite
def computing(draw: st.DrawFn) -> Computing:
    """Times that are advertised, and how much of them is used: nothing to nearly all, for a frame needs some time as well."""
    advertised = draw(st.sampled_from(_LONGEST) if draw(st.integers(0, 15)) == 15 else st.one_of(
        st.sampled_from(_ADVERTISED), st.tuples(st.integers(0, 30), st.integers(0, 30)),
    ))
    return Computing(*advertised, share=draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99])))


def further_endpoints(number: int) -> SearchStrategy[FurtherEndpoint]:
    """An endpoint of home automation, of a manufacturer's own profile, or a range extender's."""
    home = st.builds(FurtherEndpoint, st.just(number), st.just(HOME_AUTOMATION), st.integers(0, 0xFFFF),
                     st.just((0x0000, LOAD_CONTROL)), st.sampled_from([(), (0x000A,)]))
    own = st.builds(FurtherEndpoint, st.just(number), st.sampled_from(MANUFACTURERS_PROFILES), st.integers(0, 0xFFFF),
                    st.sampled_from([(), (0xFC00,)]), st.sampled_from([(), (0xFC01,)]))
    extender = st.builds(FurtherEndpoint, st.just(number), st.just(PROFILE), st.just(int(DeviceId.RANGE_EXTENDER)),
                         st.just((0x0000,)))
    return st.one_of(home, own, extender)


@st.composite
def basic_attributes(draw: st.DrawFn) -> tuple[tuple[int, Any], ...]:
    """Optional attributes of Basic, and another version of the library; PowerSource says what the node descriptor says."""
    texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=32).map(str.encode)
    chosen: dict[int, SearchStrategy[Any]] = {
        basic.ZCL_VERSION: st.integers(1, 3), basic.APPLICATION_VERSION: _OCTET, basic.STACK_VERSION: _OCTET,
        basic.HW_VERSION: _OCTET, basic.MANUFACTURER_NAME: texts, basic.MODEL_IDENTIFIER: texts,
        basic.DATE_CODE: st.just(b"20100115"), basic.LOCATION_DESCRIPTION: st.sampled_from([b"", b"HALL"]), 0x0013: st.just(0),
    }
    return tuple((number, draw(chosen[number])) for number in draw(st.lists(st.sampled_from(sorted(chosen)), unique=True)))


@st.composite
def habits(draw: st.DrawFn) -> Habits:
    """What either side may choose."""
    numbers = draw(st.lists(_ENDPOINTS, min_size=4, max_size=4, unique=True))
    further = [draw(further_endpoints(number)) for number in numbers[2 : 2 + draw(st.integers(0, 2))]]
    return Habits(
        eui64=draw(eui64s()), endpoint=numbers[0], key_endpoint=numbers[1] if draw(st.booleans()) else None,
        further=tuple(further),
        servers=tuple(draw(st.lists(st.sampled_from(OPTIONAL_SERVERS + MANUFACTURERS_CLUSTERS[:2]), max_size=5, unique=True))),
        basic=draw(basic_attributes()), suite=int(Suite.CBKE_ECMQV_K163), computing=draw(computing()),
        first_sequence=draw(_OCTET), manufacturer_code=draw(st.integers(0, 0xFFFF)), device_version=draw(st.integers(0, 15)),
        clusters_descending=draw(st.booleans()), asks_for_acknowledgements=draw(st.booleans()),
        secures_acknowledgements=draw(st.booleans()), disables_default_response=draw(st.sampled_from([None, True, False])),
        radius=draw(st.sampled_from([1, 10, nwk.DEFAULT_RADIUS, 0xFF])), discovers_route=draw(st.booleans()),
        names_source=draw(st.booleans()),
    )


@st.composite
def discoveries(draw: st.DrawFn) -> tuple[Find, ...]:
    """Parts of discovery in any order, all of them or few, some of them again; servers must be found, one way or another."""
    if draw(st.booleans()):
        return tuple(draw(st.permutations([*Find, Find.SERVERS])))
    finds = draw(st.sampled_from([(Find.SERVERS,), (Find.ENDPOINTS,), (Find.ENDPOINTS, Find.SERVERS), (Find.SERVERS, Find.SERVERS)]))
    return (*draw(st.lists(st.sampled_from(Find), max_size=3)), *finds, *draw(st.lists(st.sampled_from(Find), max_size=4)))


@st.composite
def han_devices(draw: st.DrawFn) -> HanDeviceProfile:
    """A thermostat or a load control device."""
    kind = draw(st.sampled_from(DeviceType))
    optional = {"price", "messaging", "metering"} if kind is DeviceType.PCT else {"price"}  # SE 1.0, tables of 6
    open_claims = sorted(optional | {"sleepy", "zcl_r03", "event_signature", "opt_out", "core_r19"})
    claims = {item for item in open_claims if draw(st.booleans())}
    asked = (TIME, LOAD_CONTROL, PRICE, MESSAGING, METERING)
    sleepy = "sleepy" in claims
    return HanDeviceProfile(
        device_type=kind, install_code=draw(install_codes()), habits=draw(habits()),
        claims=frozenset({"joins_by_itself", "fragmentation"} | claims), mains=not sleepy or draw(st.booleans()),
        poll_interval=draw(st.sampled_from([1.0, 4.0, 6.0, 7.0])),  # slower is at its own risk (08006r03, 7.7)
        channels=ALL_CHANNELS, addressing=draw(st.sampled_from(Addressing)), settling=draw(st.sampled_from([0.05, 0.25, 4.0])),
        announcements=draw(st.integers(1, 3)), discovery=draw(discoveries()), asks=tuple(draw(st.permutations(asked))),
        reports_applied_values=draw(st.booleans()), sends_default_response="zcl_r03" in claims or draw(st.booleans()),
    )


@st.composite
def offers(draw: st.DrawFn) -> Offers:
    """No price or several, no event or two that do not overlap, no message or one; a meter with more and fewer attributes."""
    prices = [
        {
            "provider_id": draw(st.integers(0, 0xFFFFFFFE)), "rate_label": draw(st.binary(max_size=12).filter(bytes.isalnum)),
            "issuer_event_id": number + 1, "price_trailing_digit": draw(st.integers(0, 4)), "price_tier": draw(st.integers(0, 6)),
            "number_of_price_tiers": 6, "register_tier": draw(st.integers(0, 6)), "start_time": 3600 * number,
            "duration_in_minutes": draw(st.sampled_from([60, price.UNTIL_CHANGED])) if not number else 60,
            "price": draw(st.integers(0, 0xFFFFFFFE)), "price_ratio": draw(_OCTET),
            "currency": draw(st.sampled_from([price.US_DOLLAR, 978])), "unit_of_measure": draw(st.sampled_from([0x00, 0x80])),
            **draw(st.sampled_from([
                {}, {"alternate_cost_delivered": 5, "alternate_cost_unit": 1, "alternate_cost_trailing_digit": 0x20},
                {"alternate_cost_delivered": 5, "alternate_cost_unit": 1, "alternate_cost_trailing_digit": 0x20,
                 "number_of_block_thresholds": 0, "price_control": 0},
            ])),
        }
        for number in range(draw(_FEW))
    ]
    events, start = [], 0
    for number in range(draw(_FEW)):
        start += draw(st.integers(120, 240))
        minutes = draw(st.integers(1, 3))
        events.append({
            "issuer_event_id": number + 1, "device_class": draw(st.sampled_from([0xFFF, 0x003, 0x084, 0x800])),
            "utility_enrollment_group": 0, "start_time": start, "duration_in_minutes": minutes,
            "criticality_level": draw(st.sampled_from([int(level) for level in drlc.Criticality])),
            "event_control": draw(st.integers(0, 3)), **draw(_adjustments()),
        })
        start += 60 * minutes
    written = [
        {
            "message_id": draw(st.integers(0, 0xFFFFFFFE)), "confirmation_required": draw(st.integers(0, 1)),
            "importance": draw(st.sampled_from([int(each) for each in messaging.Importance])), "start_time": 0,
            "duration_in_minutes": draw(st.sampled_from([60, price.UNTIL_CHANGED])),
            "message": draw(st.sampled_from([b"", b"HELLO", b"x" * 40])),
        }
        for _ in range(min(1, draw(_FEW)))
    ]
    return Offers(tuple(prices), tuple(events), tuple(written), draw(_meter()))


@st.composite
def _adjustments(draw: st.DrawFn) -> dict[str, Any]:
    """What an event asks for; each part may be left unused (SE 1.0, D.3.2.3.1)."""
    parts: dict[str, SearchStrategy[int]] = {
        "cooling_temperature_offset": st.integers(0, 0xFE), "heating_temperature_offset": st.integers(0, 0xFE),
        "cooling_temperature_set_point": st.integers(-27315, 32767), "heating_temperature_set_point": st.integers(-27315, 32767),
        "average_load_adjustment": st.integers(-100, 100), "duty_cycle": st.integers(0, 100),
    }
    return {name: draw(parts[name]) for name in draw(st.lists(st.sampled_from(sorted(parts)), unique=True))}


@st.composite
def _meter(draw: st.DrawFn) -> tuple[tuple[int, Any], ...]:
    mandatory = {
        metering.CURRENT_SUMMATION_DELIVERED: draw(st.integers(0, (1 << 48) - 2)), metering.STATUS: draw(st.integers(0, 0x7F)),
        metering.UNIT_OF_MEASURE: draw(st.sampled_from([0x00, 0x80])), metering.SUMMATION_FORMATTING: draw(st.integers(0, 0xFE)),
        metering.METERING_DEVICE_TYPE: int(metering.MeteringDeviceType.ELECTRIC),
    }
    optional = {0x0001: 77, 0x0301: 1, 0x0302: 1000, metering.INSTANTANEOUS_DEMAND: draw(st.integers(-(1 << 23) + 1, (1 << 23) - 1))}
    chosen = draw(st.lists(st.sampled_from(sorted(optional)), unique=True))
    return tuple({**mandatory, **{number: optional[number] for number in chosen}}.items())


@st.composite
def esis(draw: st.DrawFn, channels: Sequence[int] = ALL_CHANNELS) -> EsiProfile:
    """An ESI and the network that it has formed, on one of these channels."""
    zone = draw(st.sampled_from([0, -18000, 86400, -86400]))
    return EsiProfile(
        habits=draw(habits()), channel=draw(st.sampled_from(channels)),
        pan_id=draw(st.one_of(st.sampled_from([0x0001, 0xFFFE, 0x00FF]), st.integers(0, 0xFFFE))),
        extended_pan_id=draw(st.one_of(st.sampled_from([1, 0xFFFF_FFFF_FFFF_FFFE]), st.integers(1, 0xFFFF_FFFF_FFFF_FFFE)).map(Eui64)),
        gives_address=draw(st.one_of(st.none(), short_addresses())), key_sequence=draw(_OCTET),
        frame_counter=draw(st.one_of(st.sampled_from([0, 0xFFFF, _LAST_COUNTER]), st.integers(0, _LAST_COUNTER))),
        router_capacity=draw(st.booleans()), update_id=draw(_OCTET), longest_permit=draw(st.sampled_from([60, 120, 240, 254])),
        significance=draw(st.integers(0, 1)), extended_nonce=draw(st.booleans()), both_pans=draw(st.booleans()),
        latency=draw(st.sampled_from([0.0, 0.0, 0.05, 0.5, 2.0])), inspects=draw(st.sampled_from([True, True, False])),
        inspects_after=draw(st.sampled_from([0.0, 0.5, 5.0])),
        closed_status=draw(st.sampled_from([None, int(AssociationStatus.PAN_ACCESS_DENIED)])), accepts_bindings=draw(st.booleans()),
        time_status=draw(st.sampled_from([
            TimeStatus.MASTER, TimeStatus.MASTER | TimeStatus.MASTER_ZONE_DST, TimeStatus.SYNCHRONIZED,
        ])),
        time=((TIME_ZONE, zone),), offers=draw(offers()),
    )


def legal_profiles(channels: Sequence[int] = ALL_CHANNELS) -> SearchStrategy[LegalProfile]:
    """A legal HAN device and the legal ESI that it joins, which are two devices, on one of these channels."""
    profiles = st.builds(LegalProfile, han_devices(), esis(channels), st.one_of(st.none(), st.integers(5, 40)))
    return profiles.filter(lambda profile: profile.han_device.habits.eui64 != profile.esi.habits.eui64)
