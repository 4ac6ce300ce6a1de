"""A capturing tool of somebody else's, for tests: hears a radio of a served air and writes pcap, without FCS, to its standard output.

`python -m harness.tests.peers.tool_on_air PORT CHANNEL`; it ends when nobody reads any more.
"""

from __future__ import annotations

import sys

from dissectors.encapsulation import IEEE802_15_4_NO_FCS
from harness.clock import LiveClock
from harness.ports import RadioSettings, Received
from harness.radio.rcp import Rcp
from harness.tests.field_captures import pcap

AHEAD = 1_700_000_000.0  # seconds by which its clock is: nobody's
HEADER = len(pcap(0, ()))


def main(port: str, channel: int) -> None:
    """Hear and write."""
    clock = LiveClock()
    radio = Rcp({"port": port}, clock.interrupt)
    radio.submit(RadioSettings(channel, promiscuous=True), clock.now())
    written = pcap(IEEE802_15_4_NO_FCS, ())
    while True:
        sys.stdout.buffer.write(written)
        sys.stdout.buffer.flush()
        clock.wait_until(clock.now() + 1.0)
        heard = [(AHEAD + at, pdu.psdu[:-2]) for at, pdu in radio.told(clock.now()) if isinstance(pdu, Received)]
        written = pcap(IEEE802_15_4_NO_FCS, heard)[HEADER:]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
