"""A sniffing stick for tests whose air is a served one: `python -m harness.tests.peers.ezsp_on_air RADIO VERSION` prints its port.

Its firmware is that of `ezsp_firmware`, what it hears is what the co-processor at RADIO does. It ends with its standard input.
"""

from __future__ import annotations

import sys
import threading

from harness.clock import LiveClock
from harness.ports import Received
from harness.radio.rcp import Rcp
from harness.tests.ezsp_world import Ear


def main(radio: str, version: int) -> None:
    """Hear and tell."""
    clock = LiveClock()
    hears = Rcp({"port": radio}, clock.interrupt)
    ear = Ear(version, clock.interrupt)
    ended = threading.Event()

    def until_the_end() -> None:
        sys.stdin.read()
        ended.set()
        clock.interrupt()

    threading.Thread(target=until_the_end, daemon=True).start()
    print(ear.port.place, flush=True)
    while not ended.is_set():
        for settings in ear.transmit(clock.now()):
            hears.submit(settings, clock.now())
        for _, pdu in hears.told(clock.now()):
            if isinstance(pdu, Received):
                ear.receive(pdu, clock.now())
        clock.wait_until(clock.now() + 1.0)
    hears.close()
    ear.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
