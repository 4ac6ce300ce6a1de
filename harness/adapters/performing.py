"""The role verbs of one real actor, performed as its bench file says: by command, by a person, or by a class of the vendor's.

Knows no radio and nothing of what a verb does; what it means is the device's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from typing import Any

from harness.actors.prompt import DONE, LIMIT, Prompt
from harness.actors.setup import Setup
from harness.actors.verbs import in_words
from harness.adapters.by_command import PATIENCE, by_command
from harness.clock import wall_seconds
from harness.errors import BenchError, HanproofError, Inconclusive
from harness.loading import load
from harness.ncp.line import masked
from harness.role_verbs import VERBS, Verb, Way, way_of
from harness.usecase import Actor, Order
from harness.values import Eui64

FIRST = "when you are ready, press Enter, and then at once: {what}"
OF_THE_BENCH = ("codec", "legs")  # options that a bench adds for those that stand on a leg
THEN = "{what}; press Enter when it is done"


class Performing:
    """Performs verbs, and says for each by whom it was done."""

    def __init__(self, setup: Setup, verbs: Mapping[str, Verb]) -> None:
        """Raises ValueError for a class that has not the verb, BenchError for one that cannot be had."""
        self._setup = setup
        self._verbs = verbs
        self._ways = {verb: way_of(setup.options.get(verb)) for verb in verbs}
        self._adapters: dict[tuple[str, tuple[tuple[str, str], ...]], Any] = {}  # one for all verbs that name it alike
        self._running: list[threading.Thread] = []
        self._fault: HanproofError | None = None
        try:
            for verb, way in self._ways.items():
                if way is not None and way.adapter and not hasattr(self._adapter(way), verb):
                    raise ValueError(f"{verb}: {way.adapter} has no {verb}; right would be a class that has")
        except BaseException:
            self.close()
            raise

    def has(self, verb: str) -> bool:
        """Whether the bench file says how it is performed."""
        return self._ways[verb] is not None

    def perform(self, verb: str, about: Order | Eui64 | None, now: float, told: Any = None) -> str:
        """Perform it; returns by whom. `about` is what a command or a person has to know, `told` what a class is given before `now`.

        Raises Inconclusive for what nobody performs or a person did not do, BenchError for what failed.
        """
        way = self._ways[verb]
        if way is None:
            raise Inconclusive(
                f"nobody performs {verb} for the {self._setup.actor}: the bench file names no one; right would be "
                f"`{verb}: {{person: ...}}`, `{{command: ...}}` or `{{adapter: ...}}` under adapters.{self._setup.actor}"
            )
        if way.person:
            self._by_person(verb, way, about)
            return "a person"
        with nullcontext() if self._verbs[verb].at_once else self._setup.aside():
            if way.adapter:
                self._by_class(verb, way, *(() if told is None else (told,)), now)
            else:
                self._by_command(verb, way, about)
        return way.adapter or "a command"

    def check(self) -> None:
        """Raises what ended a command that was not waited for."""
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault

    def close(self) -> None:
        """Wait for commands that still run, and let the vendor's classes go. Raises what a command ended with."""
        with ExitStack() as closing:  # all of them, also where one raises
            closing.callback(self.check)
            while self._adapters:
                closing.callback(getattr(self._adapters.popitem()[1], "close", lambda: None))
            while self._running:
                self._running.pop().join()  # ends: a command has its limit

    def _by_person(self, verb: str, way: Way, about: Order | Eui64 | None) -> None:
        told = in_words(about) if isinstance(about, Order) else {"device": str(about)} if about is not None else {}
        text = (FIRST if self._verbs[verb].at_once else THEN).replace("{what}", way.person.rstrip("."))
        words = {name: str(value) for name, value in told.items()}
        if self._setup.ask(Prompt(self._setup.actor, verb, text, words=words, limit=way.limit or LIMIT)) != DONE:
            raise Inconclusive(f"{self._setup.actor}.{verb}: the operator says that it was not done")

    def _by_class(self, verb: str, way: Way, *told: Any) -> None:
        noted, begun = self._setup.note(actor=self._setup.actor, verb=verb, adapter=way.adapter), wall_seconds()
        try:
            getattr(self._adapter(way), verb)(*told)
            noted |= {"answer": DONE}
        except HanproofError:
            raise
        except Exception as fault:  # of somebody else's, which may fail in any way and show what it was told
            raise BenchError(f"{self._setup.actor}: {verb}: {way.adapter} failed: {type(fault).__name__}: {masked(str(fault))}") from None
        finally:
            noted |= {"took": round(wall_seconds() - begun, 3)}

    def _by_command(self, verb: str, way: Way, about: Order | Eui64 | None) -> None:
        arguments, limit = () if about is None else (about,), way.limit or PATIENCE
        noted = self._setup.note(actor=self._setup.actor, verb=verb, command=way.command, limit=limit)

        def run() -> None:
            by_command(f"{self._setup.actor}: {verb}", way.command, *arguments, patience=limit, noted=noted)

        if self._verbs[verb].at_once:
            self._beside(run)
        else:
            run()

    def _beside(self, run: Callable[[], None]) -> None:
        """While a button is still being pressed the device may be on the air, and the bench must answer it."""
        def guarded() -> None:
            try:
                run()
            except HanproofError as fault:
                self._fault = fault
                self._setup.interrupt()

        thread = threading.Thread(target=guarded, daemon=True)
        self._running.append(thread)
        thread.start()

    def _adapter(self, way: Way) -> Any:
        key = way.adapter, tuple(sorted(way.options.items()))
        if key not in self._adapters:
            try:
                self._adapters[key] = load(way.adapter)(way.options)
            except HanproofError:
                raise
            except Exception as fault:  # as above
                raise BenchError(f"{way.adapter} cannot be set up: {type(fault).__name__}: {masked(str(fault))}") from None
        return self._adapters[key]


def check(actor: Actor, options: Mapping[str, Any]) -> None:
    """Whether every option is a role verb of the actor. Raises ValueError naming one that is not."""
    known = VERBS.get(actor)
    if known is None:
        raise ValueError(f"the {actor} has no role verbs; right would be at HAN Device or ESI, and `NIC: {{with: ESI}}` for a meter")
    for name in options:
        if name not in (*known, *OF_THE_BENCH):
            raise ValueError(f"{name}: the {actor} has no such role verb; right would be one of {', '.join(known)}")
