"""The line to a radio co-processor: aiospinel's protocol over serialx, made fit for a line on which anything may come.

aiospinel 1.2.0 ends the connection at a frame without content, keeps whatever comes without a flag, always speaks to interface 0,
and tells nobody that the port was closed. serialx 1.15.1 waits until an access server confirms which modem states it is to tell,
which ser2net and pyserial's server never do. All this is mended here, and nothing else of either is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import serialx
from aiospinel import CommandID, HDLCSpecial, PropertyID, SpinelFrame, SpinelHeader, SpinelProtocol
from aiospinel import HDLCLiteFrame as Hdlc
from serialx.platforms.serial_rfc2217 import RFC2217SerialTransport
from serialx.platforms.serial_rfc2217.types import Rfc2217Command, SetLinestateMaskCmd, SetModemstateMaskCmd

from harness.radio.rcp_options import RcpOptions
from harness.radio.spinel import LONGEST, Property

OPEN_LIMIT = 5.0  # seconds for a port to open
SPINEL_FLAG = 0b10  # of a header


class Refused(Exception):
    """The port or the radio does not do what it is asked to; the message says what, and what to do about it."""


@dataclass(frozen=True)
class Asked:
    """A command that wants an answer: what is sent again is sent `retries` times, `patience` seconds are waited for each."""

    command: CommandID
    payload: bytes
    patience: float
    retries: int = 1


class Line(SpinelProtocol):
    """`garbage` counts what came that was no frame; `lost` is told when the port is closed by somebody else."""

    def __init__(self, interface: int, lost: Callable[[str], None]) -> None:
        super().__init__()
        self.garbage = 0
        self._interface = interface
        self._lost = lost
        self._closing = False

    @property
    def is_connected(self) -> bool:
        """Whether the port is open."""
        return self._transport is not None

    def data_received(self, data: bytes) -> None:
        """Take what came over the line, however it is cut."""
        self._buffer += data
        *chunks, self._buffer = self._buffer.split(bytes((HDLCSpecial.FLAG,)))
        if len(self._buffer) > LONGEST:
            self._buffer.clear()
            self.garbage += 1
        for chunk in filter(None, chunks):
            try:
                frame = SpinelFrame.from_bytes(Hdlc.from_bytes(chunk).data)
                self.frame_received(frame)
            except (ValueError, IndexError):
                self.garbage += 1

    def connection_lost(self, exc: BaseException | None) -> None:
        """The port is closed, by us or by somebody else."""
        super().connection_lost(exc)
        if not self._closing:
            self._lost(str(exc or ""))

    async def disconnect(self) -> None:
        """Leave the port."""
        self._closing = True
        await super().disconnect()

    def on(self, name: Property, listener: Callable[[bytes], None]) -> None:
        """Have `listener` told the values of a property."""
        self.add_property_listener(_key(name), listener)

    def off(self, name: Property, listener: Callable[[bytes], None]) -> None:
        """No longer."""
        self.remove_property_listener(_key(name), listener)

    def say(self, command: CommandID, payload: bytes) -> None:
        """Send what nobody answers by its number."""
        if self._transport is not None:
            self.send_data(Hdlc(self._frame(command, payload, 0).serialize()).serialize())

    async def ask(self, asked: Asked) -> bytes:
        """The payload of the answer, which begins with the property. Raises Refused where none comes."""
        if self._transport is None:
            raise Refused("the port is closed")
        frame = self._frame(asked.command, asked.payload, None)
        try:
            answer = await self.send_frame(frame, wait_response=True, retries=asked.retries, timeout=asked.patience)
        except TimeoutError:
            waited = asked.patience * (1 + asked.retries)
            raise Refused(f"does not answer within {waited:g} s; {self.garbage} pieces of garbage came") from None
        return answer.data

    def _frame(self, command: CommandID, payload: bytes, transaction: int | None) -> SpinelFrame:
        return SpinelFrame(SpinelHeader(transaction, self._interface, SPINEL_FLAG), command, payload)


def _key(name: Property) -> PropertyID | int:
    """As aiospinel looks a property up: by its own name where it has one for the number."""
    return PropertyID(name) if name in set(map(int, PropertyID)) else int(name)


class _AccessServer(RFC2217SerialTransport):
    async def _send_and_wait(self, cmd: Rfc2217Command) -> Rfc2217Command:
        if isinstance(cmd, (SetModemstateMaskCmd, SetLinestateMaskCmd)):
            self._send_command(cmd)
            return cmd
        return await super()._send_and_wait(cmd)


async def connect(options: RcpOptions, lost: Callable[[str], None]) -> Line:
    """Open the port. Raises Refused saying why it cannot be opened."""
    line = Line(options.interface, lost)
    try:
        await asyncio.wait_for(serialx.create_serial_connection(
            asyncio.get_running_loop(), lambda: line, options.port, baudrate=options.baudrate,
            xonxoff=options.flow_control == "software", rtscts=options.flow_control == "hardware",
            transport_cls=_AccessServer if options.port.startswith("rfc2217://") else None,
        ), OPEN_LIMIT)
    except TimeoutError:
        raise Refused(f"the port does not open within {OPEN_LIMIT:g} s") from None
    except PermissionError:
        raise Refused("the port may not be opened; right would be a user in the group of the device file (dialout)") from None
    except (OSError, ValueError, serialx.SerialException) as fault:
        raise Refused(f"the port does not open: {fault}; is it plugged in, and used by nobody else?") from fault
    return line
