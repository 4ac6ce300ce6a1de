"""What a bench file may say of a radio co-processor's port. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BAUDRATES = (115_200, 230_400, 460_800, 921_600, 1_000_000)
FLOW_CONTROLS = ("none", "hardware", "software")
RESETS = {"stack": 2, "platform": 1}  # by the number that Spinel's RESET has for it
LONGEST_PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class RcpOptions:
    """`patience` is in seconds: how long the radio may take to answer a command; `interface` is Spinel's, 0 to 3."""

    port: str
    baudrate: int = 460_800
    flow_control: str = "none"
    interface: int = 0
    reset: int = RESETS["stack"]
    patience: float = 2.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> RcpOptions:
        """Read the options of a bench file. Raises ValueError saying which is wrong, and what would be right."""
        left = {name: str(value) for name, value in options.items()}
        port = left.pop("port", "")
        if not port:
            raise ValueError("port is missing; right would be /dev/ttyACM0, socket://HOST:PORT or rfc2217://HOST:PORT")
        made = cls(
            port,
            _number(left, "baudrate", cls.baudrate, min(BAUDRATES), max(BAUDRATES)),
            _word(left, "flow_control", cls.flow_control, FLOW_CONTROLS),
            _number(left, "interface", cls.interface, 0, 3),
            RESETS[_word(left, "reset", "stack", tuple(RESETS))],
            _number(left, "patience", int(cls.patience), 1, int(LONGEST_PATIENCE)),
        )
        for name in left:
            raise ValueError(f"there is no option {name}; right would be one of port, baudrate, flow_control, interface, reset, patience")
        return made


def _number(left: dict[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = left.pop(name, str(usual))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"{name} is {text!r}; right would be a whole number from {least} to {most}")
    return int(text)


def _word(left: dict[str, str], name: str, usual: str, words: tuple[str, ...]) -> str:
    text = left.pop(name, usual)
    if text not in words:
        raise ValueError(f"{name} is {text!r}; right would be one of {', '.join(words)}")
    return text
