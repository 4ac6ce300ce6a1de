"""An OpenThread radio co-processor (RCP) behind a port, as a Radio: aiospinel speaks to it in a thread. Knows nothing above MAC.

The port is whatever serialx opens: a device file, `socket://HOST:PORT`, `rfc2217://HOST:PORT`. Declared, not exercised on
hardware: what it was tried against is `harness.radio.spinel_endpoint`, whose framing and types are not aiospinel's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from dissectors.mac import MAX_PSDU
from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import FCS_LENGTH, has_right_fcs
from harness.radio.rcp_line import Refused
from harness.radio.rcp_options import RcpOptions
from harness.radio.rcp_session import Session
from harness.radio.spinel import Property, unpack
from harness.radio.telling import Telling

OPENING_LIMIT = 20.0  # seconds for a port to open and its radio to say who it is
SCAN_LIMIT = 10.0  # seconds for an energy scan of all channels
CLOSING_LIMIT = 2.0  # seconds to leave the port


class Rcp:
    """One co-processor. Options: `port`, and those of `RcpOptions` that are not as usual."""

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        """Open the port and reset the radio. Raises BenchError naming the port, ValueError for an option that cannot be read."""
        self._options = RcpOptions.of(options)
        self.port = self._options.port
        self._interrupt = interrupt
        self._fault: BenchError | None = None
        self._loop = asyncio.new_event_loop()
        self._telling = Telling(self._loop.time)
        self._session = Session(self._options, self._tell, self._fail)
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"RCP {self.port}", daemon=True)
        self._thread.start()
        try:
            self._await(self._session.open(), OPENING_LIMIT)
        except BaseException:
            self.close()
            raise
        self.offers = self._session.offers
        self.about: Mapping[str, str] = {"port": self.port, "exercised on hardware": "no", **self._session.about}

    # -- the Radio

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Take new settings, or a frame to send. Raises Unsupported for a frame that no co-processor sends."""
        self._raise()
        if isinstance(pdu, Transmit):
            self._check(pdu)
        self._loop.call_soon_threadsafe(self._session.take, pdu)

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """What it told since the last call, with bench times that are never ahead of `now`. Raises what broke it."""
        return self._telling.take_before(self._fault, now, self._interrupt)

    def perform(self, operation: str, **given: object) -> object:
        """`energy_scan` (`channels`: dBm by channel) and `noise` (dBm on this channel). Raises Unsupported for anything else."""
        self._raise()
        if operation == "noise":
            value = self._await(self._session.get(Property.PHY_RSSI), self._options.patience)
            return int(unpack("c", value)[0])
        if operation == "energy_scan" and "energy-scan" in self.offers:
            channels = given.get("channels") or self._session.channels
            return self._await(self._session.scan(bytes(channels)), SCAN_LIMIT)  # type: ignore[call-overload]
        raise Unsupported(f"{self.port}: an OpenThread co-processor has no {operation}")

    def close(self) -> None:
        """Switch the radio off, where it still hears us, and leave the port."""
        if not self._thread.is_alive():
            return
        with suppress(BenchError):
            self._await(self._session.leave(), CLOSING_LIMIT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSING_LIMIT)
        if not self._thread.is_alive():
            self._loop.close()

    @property
    def garbage(self) -> int:
        """How many pieces of the line were no frame."""
        return self._session.garbage

    # -- called by the bench's thread

    def _await(self, work: Coroutine[Any, Any, Any], limit: float) -> Any:
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, limit), self._loop)
        try:
            return future.result(limit + CLOSING_LIMIT)
        except TimeoutError:
            future.cancel()
            raise self._broken(f"does not answer within {limit:g} s") from None
        except (Refused, OSError, ValueError, IndexError) as fault:
            raise self._broken(str(fault)) from fault

    def _check(self, frame: Transmit) -> None:
        if not FCS_LENGTH < len(frame.psdu) <= MAX_PSDU:
            raise Unsupported(f"{self.port}: an OpenThread co-processor sends no frame of {len(frame.psdu)} octets")
        if not has_right_fcs(frame.psdu):
            raise Unsupported(f"{self.port}: an OpenThread co-processor writes the FCS itself, so that none goes out wrong")

    def _raise(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _broken(self, cause: str) -> BenchError:
        return BenchError(f"radio at {self.port}: {cause}")

    # -- called by the loop

    def _tell(self, pdu: Received | Transmitted, at: float) -> None:
        self._telling.put(pdu, at)
        self._interrupt()

    def _fail(self, cause: str) -> None:
        """What comes first is the cause; what follows from it is not told."""
        if self._fault is None:
            self._fault = self._broken(cause)
            self._interrupt()
