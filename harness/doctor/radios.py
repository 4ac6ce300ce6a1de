"""The radios of a bench: each is opened, asked what it is and can, and has it listen for noise; then it is closed again.

A radio is whatever satisfies `harness.ports.Radio`. Nothing is sent, so that no device on the air notices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dissectors.smart_energy import ALL_CHANNELS
from harness.airs import open_radio
from harness.declarations import BenchFile, Filled
from harness.doctor.finding import Finding, Grade
from harness.doctor.ports import examine_port
from harness.errors import BenchError, Unsupported
from harness.loading import load
from harness.ports import Radio
from harness.radio_declaration import Plugged, is_sniffer
from harness.usecase import ACROSS_THE_HAN, Actor

ANOTHER_TOOL = "look with another tool, as a Wi-Fi analyser"
NOISY = -75  # dBm; the CCA threshold that a 2.4 GHz radio may have (IEEE 802.15.4-2006, 6.9.9: 10 dB over -85 dBm)
WANTED = {  # what a radio ought to have, and what comes of it where it has not
    "timestamps": "times of frames are then those of the host, and clauses about milliseconds inconclusive",
    "source-match": "sleepy devices may then be told that a frame waits when none does",
}


def examine_radios(file: BenchFile) -> Iterator[Finding]:
    """Every radio, and whether every one of our own actors on the air has one."""
    real = [actor for actor in ACROSS_THE_HAN if actor in file.adapters and hasattr(load(file.adapters[actor].adapter), "live")]
    ports: dict[str, str] = {}
    sticks = [actor for actor in real if hasattr(load(file.adapters[actor].adapter), "examine")]
    for actor in sticks:
        ports[str(file.adapters[actor].options.get("port", ""))] = actor
        yield from _stick(actor, file.adapters[actor], _channel(file))
    if sticks and not any(map(is_sniffer, file.radios)):
        yield Finding(Grade.DOUBT, "radios", "a stick hides the MAC, and nobody listens beside it: no clause about frames is applicable",
                      "write `radios: {sniffer: {adapter: ..., port: ..., channel: ...}}`")
    elif real and not sticks and not file.radios:
        yield Finding(Grade.PROBLEM, "radios", f"the {real[0]} is a real one, and the air is virtual",
                      f"write `radios: {{{ACROSS_THE_HAN[real[0]]}: {{adapter: ..., port: ...}}}}`")
    for ours in (ACROSS_THE_HAN[actor] for actor in real):
        if file.radios and ours not in file.radios and ours not in real:
            yield Finding(Grade.PROBLEM, "radios", f"our own {ours} has no radio",
                          f"write `{ours}: {{adapter: ..., port: ...}}` under `radios`")
    for name, plugged in file.radios.items():
        port = str(plugged.options.get("port", ""))
        if port and port in ports:
            yield Finding(Grade.PROBLEM, _about(name), f"{port} is {ports[port]}'s already", "give each radio a port of its own")
            continue
        ports[port] = name
        yield from _radio(name, plugged, port, _channel(file))


def _stick(actor: Actor, filled: Filled, channel: int | None) -> Iterator[Finding]:
    """An actor of ours that has a stick in the place of a radio: is it there, who is it, and what can its library not do?"""
    about, stick = f"stick of {actor}", load(filled.adapter)
    try:
        stick.check(actor, filled.options)
    except ValueError as fault:
        yield Finding(Grade.PROBLEM, about, str(fault), "mend the bench file, or take another stick")
        return
    found = list(examine_port(about, str(filled.options["port"])))
    yield from found
    if any(each.grade is Grade.PROBLEM for each in found):
        return
    try:
        examined = stick.examine(filled.options)
    except BenchError as fault:
        yield Finding(Grade.PROBLEM, about, str(fault), "is an NCP image on it that this library speaks to, and is nobody else using it?")
        return
    yield Finding(Grade.FINE, about, ", ".join(f"{name} {value}" for name, value in examined.about.items()))
    yield Finding(Grade.NOTE, about, "its network is lost at the start of a run", "keep a backup if it is your home's")
    for what, why in examined.cannot.items():
        yield Finding(Grade.DOUBT, about, f"its library cannot {what}: {why}", "clauses that need it are not applicable")
    if examined.unknown:
        yield Finding(Grade.NOTE, about, f"interference is unknown: {examined.unknown}", ANOTHER_TOOL)
    else:
        yield _levels(about, examined.levels, channel)


def _channel(file: BenchFile) -> int | None:
    """The channel of our own ESI; a real one has its own, and nobody knows which."""
    filled = file.adapters.get(Actor.ESI)
    adapter = load(filled.adapter) if filled is not None else None
    if filled is None or (hasattr(adapter, "live") and not hasattr(adapter, "examine")):
        return None
    named = str(filled.options.get("channel", ""))
    return int(named) if named.isdecimal() else getattr(adapter, "channel", None)


def _about(name: str) -> str:
    return name if is_sniffer(name) else f"radio of {name}"


def _radio(name: str, plugged: Plugged, port: str, channel: int | None) -> Iterator[Finding]:
    about = _about(name)
    found = list(examine_port(about, port)) if port else []
    yield from found
    if any(each.grade is Grade.PROBLEM for each in found):
        return
    try:
        radio = open_radio(plugged, lambda: None)
    except BenchError as fault:
        yield Finding(Grade.PROBLEM, about, str(fault), "is the firmware on it one that this adapter speaks to, and are its options right?")
        return
    try:
        try:
            yield from _opened(about, radio, is_sniffer=is_sniffer(name))
            yield from _noise(about, radio, channel)
        finally:
            radio.close()
    except BenchError as fault:
        yield Finding(Grade.PROBLEM, about, str(fault), "unplug it, plug it in again, and look at its cable")
    except Exception as fault:  # of somebody else's class, which may fail in any way
        said = " ".join(f"{type(fault).__name__}: {fault}".split())
        yield Finding(Grade.PROBLEM, about, f"{plugged.adapter} failed: {said}",
                      "tell whoever wrote it; a radio raises BenchError, or Unsupported")


def _opened(about: str, radio: Radio, *, is_sniffer: bool) -> Iterator[Finding]:
    said = ", ".join(f"{name} {value}" for name, value in radio.about.items())
    yield Finding(Grade.FINE, about, said or "says nothing of itself")
    yield Finding(Grade.FINE, about, f"can do {', '.join(sorted(radio.offers)) or 'nothing beyond sending and receiving'}")
    if radio.about.get("exercised on hardware") == "no":
        yield Finding(Grade.NOTE, about, "this adapter was never run on hardware", "tell us what you find")
    if is_sniffer and "promiscuous" not in radio.offers:
        yield Finding(Grade.PROBLEM, about, "it cannot hear what is not for itself", "take a radio that offers promiscuous as the sniffer")
    for offer, without in WANTED.items():
        if not is_sniffer and offer not in radio.offers:
            yield Finding(Grade.DOUBT, about, f"has no {offer}: {without}", "take firmware that has it, or put a sniffer beside it")


def _noise(about: str, radio: Radio, channel: int | None) -> Iterator[Finding]:
    try:
        heard = radio.perform("energy_scan", channels=ALL_CHANNELS)
    except Unsupported as fault:
        yield Finding(Grade.NOTE, about, f"interference is unknown: {fault}", ANOTHER_TOOL)
        return
    levels = {int(each): float(level) for each, level in heard.items()} if isinstance(heard, Mapping) else {}
    yield _levels(about, levels, channel)


def _levels(about: str, levels: Mapping[int, float], channel: int | None) -> Finding:
    quiet = sorted(levels, key=lambda each: (levels[each], each))[:4]
    if not levels:
        return Finding(Grade.DOUBT, about, "its energy scan told nothing", "scan again; if it stays so, it is the radio's fault")
    if channel is None:
        return Finding(Grade.FINE, about, f"hears least on channels {', '.join(map(str, quiet))}; the ESI's own is not known")
    if levels.get(channel, NOISY) >= NOISY:
        return Finding(Grade.DOUBT, about, f"channel {channel} is busy ({levels.get(channel, NOISY):g} dBm)",
                       f"the quietest are {', '.join(map(str, quiet))}: write one as `channel` of the ESI")
    return Finding(Grade.FINE, about, f"channel {channel} is quiet ({levels[channel]:g} dBm)")
