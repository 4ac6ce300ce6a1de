"""The zigpy radio libraries that we know by name, and what an ESI needs that each cannot, with where in its source that is seen.

A table and nothing more, for both ends: it imports no library. Every reason that is not the firmware's is held to the library itself
(`test_ncp_libraries.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

INSTALL_CODE, LINK_KEY, HOW_JOINED, REFUSES, REMOVES, APS_SECURITY, ENDPOINTS, RAW, CAPTURE = NEEDS = (
    "install-code", "link-key", "how-joined", "refuses-strangers", "removes", "aps-security", "endpoints", "raw", "capture",
)
WHAT: Mapping[str, str] = {
    INSTALL_CODE: "let a device join with a link key of its own",
    LINK_KEY: "take the link key that key establishment made",
    HOW_JOINED: "tell a join from a rejoin, or who was refused",
    REFUSES: "promise to keep out whoever has no link key of his own",
    REMOVES: "make a device leave",
    APS_SECURITY: "send and tell APS security",
    ENDPOINTS: "send from the ESI's endpoint",
    RAW: "send a frame of ours",
    CAPTURE: "capture frames",
}
_NO_RAW = "its radio has no command for one"
_NO_CAPTURE = "its application has no _packet_capture"


@dataclass(frozen=True)
class Library:
    """`application` is `module:Class`, `package` what has to be installed; `cannot` has the reason for each need that is not met."""

    application: str
    package: str
    cannot: Mapping[str, str] = field(default_factory=dict, hash=False)


def _of(name: str, package: str, cannot: Mapping[str, str]) -> Library:
    return Library(f"{name}.zigbee.application:ControllerApplication", package, cannot)


LIBRARIES: Mapping[str, Library] = {
    "bellows": _of("bellows", "bellows", {}),
    "znp": _of("zigpy_znp", "zigpy-znp", {
        LINK_KEY: "it writes keys into the APS key table with a whole network only (znp/security.py: write_devices)",
        HOW_JOINED: "ZDO.TCDevInd does not say it (zigbee/application.py: on_zdo_tc_device_join)",
        REFUSES: "Z-Stack does not promise it",
        REMOVES: "Z-Stack has no way to do it (zigbee/application.py: force_remove does nothing)",
        RAW: _NO_RAW,
        CAPTURE: _NO_CAPTURE,
    }),
    "deconz": _of("zigpy_deconz", "zigpy-deconz", {
        LINK_KEY: "it has one link key parameter, for who joins (api.py: NetworkParameter.link_key)",
        HOW_JOINED: "it tells of no join but by the device's own announcement (api.py)",
        REFUSES: "its firmware does not promise it",
        REMOVES: "zigbee/application.py: force_remove does nothing",
        APS_SECURITY: "a packet that comes in does not say whether it had any (api.py: aps_data_indication)",
        ENDPOINTS: "every endpoint but Green Power's becomes 1 (zigbee/application.py: send_packet)",
        RAW: _NO_RAW,
        CAPTURE: _NO_CAPTURE,
    }),
    "xbee": _of("zigpy_xbee", "zigpy-xbee", {
        LINK_KEY: "it registers keys for who joins only (zigbee/application.py: register_joining_device)",
        HOW_JOINED: "it tells of no join but by the device's own announcement (zigbee/application.py)",
        REFUSES: "its firmware does not promise it",
        REMOVES: "zigbee/application.py: force_remove does nothing",
        APS_SECURITY: "it neither asks for it nor tells it (zigbee/application.py: send_packet, handle_rx)",
        RAW: _NO_RAW,
        CAPTURE: _NO_CAPTURE,
    }),
    "zigate": _of("zigpy_zigate", "zigpy-zigate", {
        INSTALL_CODE: "zigbee/application.py: permit_with_link_key writes a warning and does nothing",
        LINK_KEY: "its commands have none (api.py: CommandId)",
        HOW_JOINED: "it tells of a join by the device's own announcement (zigbee/application.py: zigate_callback_handler)",
        REFUSES: "its firmware does not promise it",
        APS_SECURITY: "it neither asks for it nor tells it (zigbee/application.py: send_packet, zigate_callback_handler)",
        ENDPOINTS: "its firmware has endpoint 1 only (zigbee/application.py: send_packet)",
        RAW: _NO_RAW,
        CAPTURE: _NO_CAPTURE,
    }),
}


def reason(radio: str, need: str) -> str:
    """Why a library cannot meet a need; nothing where it can, or is none that we know."""
    library = LIBRARIES.get(radio)
    return "" if library is None else library.cannot.get(need, "")
