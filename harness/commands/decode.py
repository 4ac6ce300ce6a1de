"""`hanproof decode`: the frames of a capture, or one frame given in hex, in words or as JSON lines.

The key file `zigbee_pc_keys` beside a capture is used without being asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError

if TYPE_CHECKING:
    from dissectors.capture import CapturedFrame
    from dissectors.frame import Frame
    from dissectors.keyring import KeyRing


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("decode", help="decode a capture or a frame", description=__doc__)
    parser.add_argument("what", metavar="FILE|HEX", nargs="+", help="a pcap or pcapng file, or the octets of one frame in hex")
    parser.add_argument("--key", action="append", default=[], metavar="KIND:KEY",
                        help="nwk:KEY or link:KEY (repeatable); KEY is 32 hex digits, @FILE or env:NAME")
    parser.add_argument("--install-code", action="append", default=[], metavar="CODE",
                        help="an install code (repeatable): as printed, or @FILE or env:NAME")
    parser.add_argument("--no-fcs", action="store_true", help="the frame in hex comes without its two FCS octets")
    parser.add_argument("--json", action="store_true", help="one JSON object a frame")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print every frame. Raises InputError, after the frames before the one that cannot be read."""
    from dissectors.frame import decode

    what = " ".join(arguments.what)  # hex is often copied with its spaces
    ring = _keys(what, arguments)
    for captured in _frames(what, arguments.no_fcs):
        frame = decode(captured.octets, ring, fcs=captured.fcs)
        if arguments.json:
            shown = {"frame": captured.number, "time": captured.time, "link_type": captured.link_type, **frame.as_json()}
            print(json.dumps(shown, ensure_ascii=False))
        else:
            print(f"{captured.number:>6} {captured.time:17.6f}  {_line(frame)}")
    sys.stdout.flush()
    return 0


def _line(frame: Frame) -> str:
    states = (("NWK", frame.security.nwk), ("APS", frame.security.aps))
    notes = [f"{layer} {state}" for layer, state in states if state not in (None, "ok")]
    return frame.summary() + (f"  [{', '.join(notes)}]" if notes else "")


def _frames(what: str, no_fcs: bool) -> Iterator[CapturedFrame]:
    from dissectors.capture import IEEE802_15_4, IEEE802_15_4_NO_FCS, CapturedFrame, CaptureError, read_capture

    digits = "".join(what.split()).replace(":", "")
    if what and os.path.exists(what):  # not Path.exists, which raises for hex that is too long for a name; also a pipe
        try:
            yield from read_capture(what)
        except CaptureError as fault:
            raise InputError(str(fault)) from fault
        except OSError as fault:
            raise InputError(f"{what}: cannot be read: {fault.strerror}") from fault
        return
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        raise InputError(f"{what}: neither a file nor hex; right would be a capture, or an even number of hex digits") from None
    if not octets:
        raise InputError("an empty frame; right would be a capture, or the octets of a frame in hex")
    link_type = IEEE802_15_4_NO_FCS if no_fcs else IEEE802_15_4
    yield CapturedFrame(1, 0.0, link_type, octets, fcs="absent" if no_fcs else "present")


def _keys(what: str, arguments: argparse.Namespace) -> KeyRing:
    from dissectors.key_file import KINDS
    from dissectors.keyring import KeyRing
    from harness.commands.given import install_code, key
    from harness.evidence.scenario import KEYS, read_keys

    ring = KeyRing()
    beside = Path(what).with_name(KEYS) if os.path.isfile(what) else None
    for known in read_keys(beside)[0] if beside is not None and beside.is_file() else ():
        if known.kind == "nwk":
            ring.add_network_key(known.octets)
        elif known.kind in KINDS:
            ring.add_link_key(known.octets, known.device, known.kind)
    for given in arguments.key:
        kind, octets = key(given)
        if kind == "nwk":
            ring.add_network_key(octets)
        else:
            ring.add_link_key(octets)
    for given in arguments.install_code:
        ring.add_link_key(install_code(given).link_key, kind="ic")
    return ring
