"""`make bench`: how many frames a second are decoded and decrypted, beside tshark on the same capture where it is installed.

Compared is a whole pass over one capture with its keys, one line said about each frame: ours is one Python process that has
started already, tshark is its wall time less that of a pass over an empty capture (its start-up). Nothing is judged.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from dissectors.capture import CapturedFrame, read_capture, write_pcapng
from dissectors.frame import decode
from dissectors.keyring import KeyRing
from dissectors.layer import forget
from harness.clock import wall_seconds
from harness.evidence.scenario import CAPTURE, FOLDER, KEYS, read_keys
from harness.trace import LINK_KEY_KINDS, Key

FRAMES, MORE = 20_000, 10  # ours, and how many times as many tshark gets: its start-up must not decide
LATEST = Path("reports/runs/latest")


def main() -> int:
    """Print the rates; 1 where there is no run to take frames from."""
    scenario = next((LATEST / FOLDER).glob("provisioned-*"), None)
    if scenario is None:
        print("no run to take frames from: `make certify` first", file=sys.stderr)
        return 1
    frames = list(read_capture(scenario / CAPTURE))
    keys = [key for key in read_keys(scenario / KEYS)[0] if key.kind in ("nwk", *LINK_KEY_KINDS)]
    corpus = [replace(frame, number=number, comment="") for number, frame in enumerate(islice(cycle(frames), FRAMES), start=1)]
    ours = _ours(corpus, len(frames), keys)
    print(f"{FRAMES} frames of {scenario.name} ({len(frames)} different ones), decrypted, one line said about each")
    print(f"hanproof  {ours:>9,.0f} frames/s")
    tshark = shutil.which("tshark")
    if tshark is None:
        print("tshark    is not installed: nothing to compare with")
        return 0
    theirs = _theirs(tshark, corpus, keys)
    print(f"tshark    {theirs:>9,.0f} frames/s, {theirs / ours:.1f} times as fast")
    return 0


def _ours(corpus: Sequence[CapturedFrame], different: int, keys: Sequence[Key]) -> float:
    ring = KeyRing()
    for key in keys:
        if key.kind == "nwk":
            ring.add_network_key(key.octets)
        else:
            ring.add_link_key(key.octets, key.device, key.kind)
    start = wall_seconds()
    for number, frame in enumerate(corpus):
        if number % different == 0:
            forget()  # the same frames begin again, and are read as if they were new
        decode(frame.octets, ring).summary()
    return len(corpus) / (wall_seconds() - start)


def _theirs(tshark: str, corpus: Sequence[CapturedFrame], keys: Sequence[Key]) -> float:
    table = [f'-ouat:zigbee_pc_keys:"{key.octets.hex()}","Normal","{key.kind}"' for key in keys]  # a virtual run's test keys
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.pcapng"
        command = [tshark, "-n", "-r", str(path), *table]
        write_pcapng(path, [])
        start_up = min(_seconds(command) for _ in range(3))  # the first also fills the disk cache
        write_pcapng(path, [*corpus] * MORE)
        return len(corpus) * MORE / (_seconds(command) - start_up)


def _seconds(command: Sequence[str]) -> float:
    start = wall_seconds()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return wall_seconds() - start


if __name__ == "__main__":
    sys.exit(main())
