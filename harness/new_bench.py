"""A bench file made of answers: who is under test, which radios ours have, who performs the role verbs. Asks whom it is given.

Knows how a bench file is written, as `harness.declarations` knows how it is read; loads no adapter and opens no port.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.actors.prompt import Kind, Prompt
from harness.role_verbs import VERBS
from harness.usecase import ACROSS_THE_HAN, Actor

CASE = "bench new"  # as which a file of answers knows it
LIMIT = 1800.0  # seconds for each answer
METER = "NIC and ESI"
NOBODY = "nobody in particular"
BACK_OFFICE = (Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.CIS, Actor.ODS)
DUTS = (Actor.HAN_DEVICE.value, METER, Actor.ESI.value, *(actor.value for actor in BACK_OFFICE), NOBODY)
RCP = "harness.radio.rcp:Rcp"
REAL, REMOTE = "harness.adapters.real_device:RealDevice", "harness.adapters.remote_actor:RemoteActor"
VIRTUAL = {
    Actor.DR_APPLICATION: "harness.adapters.virtual_dr_application:VirtualDrApplication",
    Actor.AMI_HEAD_END: "harness.adapters.virtual_ami_head_end:VirtualAmiHeadEnd",
    Actor.AMI_NETWORK: "harness.adapters.virtual_ami_network:VirtualAmiNetwork",
    Actor.NIC: "harness.adapters.virtual_nic:VirtualNic",
    Actor.ESI: "harness.adapters.virtual_esi:VirtualEsi",
    Actor.HAN_DEVICE: "harness.adapters.virtual_han_device:VirtualHanDevice",
    Actor.CIS: "harness.adapters.virtual_cis:VirtualCis",
    Actor.ODS: "harness.adapters.virtual_ods:VirtualOds",
}
USUAL = {  # what a person is told unless one says otherwise; the words in braces are filled in when it is shown
    "factory_reset": "Reset it to factory settings", "start_joining": "press its button so that it joins",
    "power_cycle": "take its power for 5 s and give it back", "opt_out": "have it decline the event",
    "open_window": "Open the window for {device} with the key {key_material}, {duration} s", "close_window": "Close the window of {device}",
    "renew_network_key": "Have it hand out a new network key", "switch_network_key": "Have it use the new network key",
}
LINE = r"[^\n]{1,80}"
CLASS = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"
SECONDS = r"[1-9]\d{0,6}"
PORT = r"(/|socket://|rfc2217://)\S+"
Ask = Callable[[Prompt], str]


@dataclass(frozen=True)
class Asking:
    """Puts the questions of one bench file, each by the name under which a file of answers has it."""

    put: Ask

    def text(self, name: str, text: str, default: str = "", pattern: str = LINE) -> str:
        """A line of text."""
        return self.put(Prompt("", name, text, Kind.TEXT, pattern=pattern, default=default, limit=LIMIT))

    def choice(self, name: str, text: str, choices: tuple[str, ...]) -> str:
        """One of several, the first by default."""
        return self.put(Prompt("", name, text, Kind.CHOICE, choices=choices, default=choices[0], limit=LIMIT))

    def file(self, name: str, text: str, default: str) -> str:
        """A file that is there."""
        return self.put(Prompt("", name, text, Kind.FILE, default=default, limit=LIMIT))


def new_bench(put: Ask, folder: Path) -> str:
    """The text of a bench file that will stand in `folder`, as its answers want it. Raises what `put` raises."""
    ask = Asking(put)
    name = ask.text("name", "What is the bench called?", "my bench")
    device = ask.file("device", "Which device file? (fixtures/devices/ has two to copy)", "fixtures/devices/pct.yaml")
    dut = ask.choice("dut", "Who is under test, and real?", DUTS)
    real = Actor.ESI if dut == METER else Actor(dut) if dut != NOBODY else None
    start = "60" if real is None else "5"
    duration = ask.text("window", "How many seconds is a joining window? In real time each is waited for", "300", SECONDS)
    lines = [
        "# Written by `hanproof bench new`; docs/real-devices.md tells what each word means, and `hanproof doctor` what is amiss.",
        f"name: {_quoted(name)}", f"devices: [{_quoted(os.path.relpath(device, folder))}]",
        f"dut: [{', '.join((Actor.NIC, Actor.ESI)) if dut == METER else dut if real else ''}]",
        f"window: {{start: {start}, duration: {duration}}}",
        "latencies: {cim: 0.2, 2: 0.2, 3: 0.5, 4: 0.05, 10: 0.05, 11: 0.5, 12: 0.2}",
    ]
    ours = ACROSS_THE_HAN.get(real) if real is not None else None
    if ours is not None:
        lines += ["radios:", *_radios(ask, ours)]
    lines.append("adapters:")
    for actor, virtual in VIRTUAL.items():
        if actor is Actor.NIC and dut == METER:
            lines.append(f"  {actor}: {{with: {Actor.ESI}}}")
        elif actor is not real:
            lines.append(_ours(ask, actor, virtual) if actor is ours else f"  {actor}: {virtual}")
        else:
            lines += _on_the_air(ask, actor) if actor in ACROSS_THE_HAN else _back_office(ask, actor)
    return "\n".join([*lines, ""])


def _radios(ask: Asking, ours: Actor) -> Iterator[str]:
    adapter = ask.text("radio", f"Which adapter speaks to the radio of our own {ours}?", RCP, CLASS)
    port = ask.text("port", "Where is it plugged in?", "/dev/ttyACM0", PORT)
    yield f"  {ours}: {{adapter: {_quoted(adapter)}, port: {_quoted(port)}}}"
    sniffer = ask.text("sniffer", "Where is a sniffer plugged in? (none: there is no second radio)", "none", f"none|{PORT}")
    if sniffer != "none":
        yield f"  sniffer: {{adapter: {_quoted(RCP)}, port: {_quoted(sniffer)}}}"


def _ours(ask: Asking, actor: Actor, virtual: str) -> str:
    if actor is not Actor.ESI:
        return f"  {actor}: {virtual}"
    channel = ask.text("channel", "On which channel is our ESI's network? (11 to 26)", "15", "1[1-9]|2[0-6]")
    return f"  {actor}: {{adapter: {_quoted(virtual)}, channel: {channel}}}"


def _on_the_air(ask: Asking, actor: Actor) -> Iterator[str]:
    yield f"  {actor}:"
    yield f"    adapter: {REAL}"
    for verb in VERBS[actor]:
        way = ask.choice(verb, f"Who performs {verb} at the {actor}?", ("person", "command", "adapter", "nobody"))
        if way == "person":
            told = ask.text(f"{verb}_text", "What is the person told?", USUAL[verb], r"[^\n]{1,400}")
        elif way == "command":
            told = ask.text(f"{verb}_text", "Which command?", pattern=r"[^\n]{1,400}")
        elif way == "adapter":
            told = ask.text(f"{verb}_text", "Which class, as module:Class?", pattern=CLASS)
        else:
            continue
        yield f"    {verb}: {{{way}: {_quoted(told)}}}"


def _back_office(ask: Asking, actor: Actor) -> Iterator[str]:
    address = ask.text("address", f"Where does the {actor} take messages?", pattern=r"https?://\S+")
    listen = ask.text("listen", "Where do we listen, as HOST:PORT?", "127.0.0.1:8081", r"\S+:\d{1,5}")
    yield f"  {actor}:"
    yield f"    adapter: {REMOTE}"
    yield f"    address: {_quoted(address)}"
    yield f"    listen: {_quoted(listen)}"


def _quoted(text: str) -> str:
    """As YAML and JSON both write a text."""
    return json.dumps(text, ensure_ascii=False)
