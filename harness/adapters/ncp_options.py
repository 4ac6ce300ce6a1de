"""What a bench file says of a network co-processor's port, whether it is an ESI's or a sniffer's. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPTIONS = ("radio", "port", "baudrate", "flow_control")
FLOW_CONTROL = ("hardware", "software", "none")


def device_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The port and its line, as a radio library is told of them. Raises ValueError."""
    for option in ("radio", "port"):
        if not isinstance(options.get(option), str):
            raise ValueError(f"`{option}` is missing; right would be `radio: bellows` and `port: /dev/ttyACM0`")
    device: dict[str, Any] = {"path": options["port"]}
    if "baudrate" in options:
        if not str(options["baudrate"]).isdecimal():
            raise ValueError("`baudrate` is no number; right would be `baudrate: 115200`")
        device["baudrate"] = int(options["baudrate"])
    if "flow_control" in options:
        if options["flow_control"] not in FLOW_CONTROL:
            raise ValueError(f"`flow_control` is not known; right would be one of {', '.join(FLOW_CONTROL)}")
        device["flow_control"] = None if options["flow_control"] == "none" else options["flow_control"]
    return device
