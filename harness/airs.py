"""The airs of one run: that of the HAN, virtual or of real radios, and that of whoever is out of its range. Knows no adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

from harness.declarations import BenchFile
from harness.errors import BenchError, Inconclusive
from harness.loading import load
from harness.plan import Plan
from harness.ports import Chance, Radio, RadioSettings, Received, Transmit, Transmitted
from harness.radio.real import RealAir
from harness.radio.virtual import VirtualAir
from harness.radio_declaration import CHANNEL, Plugged, is_sniffer, passed_on
from harness.taps import SECOND_AIR, Taps
from harness.trace import RADIOS
from harness.usecase import ACROSS_THE_HAN, Actor, second


def open_radio(plugged: Plugged, interrupt: Callable[[], None]) -> Radio:
    """The radio that a bench file names, opened. One that is tuned elsewhere, by whom the bench does not reach, is told where.

    Raises BenchError naming the place in the file, or the port.
    """
    try:
        made: Any = load(plugged.adapter)
        radio: Radio = made(passed_on(made, plugged.options), interrupt)
    except BenchError:
        raise
    except Exception as fault:  # a module of somebody else's may fail in any way
        raise BenchError(f"{plugged.place}radio {plugged.adapter}: {fault}") from fault
    return radio


class Airs:
    """`first` is the one that faults are made for; the others are always virtual."""

    def __init__(
        self, file: BenchFile, plan: Plan, chance: Callable[[str], Chance], taps: Taps, interrupt: Callable[[], None],
        about: dict[str, Any],
    ) -> None:
        """`about` is the trace header's. Raises BenchError for a radio that cannot be had, Inconclusive for a plan that real
        radios cannot serve."""
        self.first: VirtualAir | RealAir
        self._of: dict[str, VirtualAir] = {}
        self._others: list[VirtualAir] = []
        if file.radios:
            self.first = _real(file, plan, taps, interrupt)
            taps.attested = self.first.listening.attested
            about[RADIOS] = self.first.listening.about
        else:
            self.first = VirtualAir(chance("air"), tap=taps.hear, apart=plan.apart)
        if plan.has_second_meter:
            there = VirtualAir(chance(SECOND_AIR), keyring=self.first.keyring, tap=partial(taps.hear, air=SECOND_AIR))
            self._others.append(there)
            self._of = dict.fromkeys((second(Actor.ESI), second(Actor.HAN_DEVICE)), there)

    def move(self, name: str) -> None:
        """Whoever this is is taken out of range of the first air, into the last."""
        self._of[name] = self._others[-1]

    def submit(self, name: str, pdu: RadioSettings | Transmit, now: float) -> None:
        """Ask a radio, wherever it is."""
        self._of.get(name, self.first).submit(name, pdu, now)

    @property
    def is_behind(self) -> bool:
        """Whether somebody has been told what the tap has yet to be told; a moment later it has."""
        return isinstance(self.first, RealAir) and self.first.is_behind

    def deadlines(self) -> Iterator[float | None]:
        """When each is to be woken."""
        yield self.first.deadline()
        yield from (air.deadline() for air in self._others)

    def wake(self, now: float) -> Iterator[tuple[str, Received | Transmitted]]:
        """What every radio has to tell."""
        yield from self.first.wake(now)
        for air in self._others:
            yield from air.wake(now)

    def close(self) -> None:
        """Let go of real radios."""
        self.first.close()


def _real(file: BenchFile, plan: Plan, taps: Taps, interrupt: Callable[[], None]) -> RealAir:
    if plan.has_second_meter or plan.apart:
        raise Inconclusive("real radios all hear each other: nobody on this bench can be out of range of the others")
    with ExitStack() as opened:  # what was opened before one that fails is closed again
        radios: dict[str, Radio] = {}
        for name, plugged in file.radios.items():
            radios[name] = open_radio(plugged, interrupt)
            opened.callback(radios[name].close)
            if is_sniffer(name) and "promiscuous" not in radios[name].offers:
                raise BenchError(
                    f"{plugged.place}radio {plugged.adapter} hears only what is for itself; right would be a radio that offers "
                    "promiscuous as the sniffer"
                )
        air = _with(file, radios, taps)
        opened.pop_all()
    return air


def _with(file: BenchFile, radios: Mapping[str, Radio], taps: Taps) -> RealAir:
    fixed = [int(each.options[CHANNEL]) for name, each in file.radios.items() if is_sniffer(name) and CHANNEL in each.options]
    ours = {name: radio for name, radio in radios.items() if not is_sniffer(name)}
    sniffers = {name: radio for name, radio in radios.items() if is_sniffer(name)}
    return RealAir(
        ours, sniffers, across=[actor for actor in ACROSS_THE_HAN if actor not in ours], tap=taps.hear, channel=fixed[0] if fixed else None,
    )
