"""What a bench file says of a network co-processor, an ESI's or a sniffer's, and whether its library is the right one. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from harness.ncp.libraries import LIBRARIES, WHAT

OPTIONS = ("radio", "port", "baudrate", "flow_control")
FLOW_CONTROL = ("hardware", "software", "none")


def device_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The port and its line, as a radio library is told of them. Raises ValueError."""
    for option in ("radio", "port"):
        if not isinstance(options.get(option), str):
            raise ValueError(f"`{option}` is missing; right would be `radio: bellows` and `port: /dev/ttyACM0`")
    if options["radio"] in LIBRARIES and options["port"].startswith("rfc2217://"):
        raise ValueError(
            "`port` is an access server's of RFC 2217, and zigpy's line waits there for what ser2net and others never answer; "
            "right would be `socket://HOST:PORT` of the same server in raw mode"
        )
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


@dataclass(frozen=True)
class Examined:
    """What a stick says of itself, what its library cannot, each with the reason, and dBm by channel, or why those are not known."""

    about: Mapping[str, str]
    cannot: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[int, float] = field(default_factory=dict)
    unknown: str = ""


def demand(radio: str, need: str) -> None:
    """Raises ValueError where a library that we know by name is not installed, or cannot do what everything rests on."""
    library = LIBRARIES.get(radio)
    if library is None:
        if ":" not in radio:
            raise ValueError(f"`radio: {radio}` is not known; right would be one of {', '.join(LIBRARIES)}, or module:Class")
        return
    if need in library.cannot:
        right = [name for name, other in LIBRARIES.items() if need not in other.cannot]
        raise ValueError(f"{radio} cannot {WHAT[need]}: {library.cannot[need]}; right would be {' or '.join(right)}")
    if find_spec(library.application.partition(".")[0]) is None:
        raise ValueError(f"`radio: {radio}` needs {library.package}; right would be `pip install {library.package}`")


def cannot(radio: str) -> Mapping[str, str]:
    """What a library that we know by name cannot, each in a few words, with the reason."""
    library = LIBRARIES.get(radio)
    return {} if library is None else {WHAT[need]: why for need, why in library.cannot.items()}
