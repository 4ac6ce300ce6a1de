"""What a person of the laboratory is asked: kinds of prompt, and what counts as an answer. Knows no terminal and no file of answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from harness.errors import Inconclusive

LIMIT = 300.0  # seconds that a person has for an answer, unless the bench file says otherwise
DONE, NOT_DONE = "done", "no"
_YES = ("", "y", "yes", "ok", DONE)


class Kind(StrEnum):
    """What is asked for."""

    CONFIRM = "confirm"  # that something was done, or that it may begin
    CHOICE = "choice"  # one of several words, or its number
    TEXT = "text"  # a line of text
    FILE = "file"  # the path of a file that is there


@dataclass(frozen=True)
class Prompt:
    """One question to a person, with a limit in seconds.

    `text` may name words in braces, as `{device}`: they are filled in from `words` where it is shown, and stay as they are where it
    is recorded, for a word may be a key. `default` is the answer of whoever only presses Enter.
    """

    actor: str
    verb: str
    text: str
    kind: Kind = Kind.CONFIRM
    choices: tuple[str, ...] = ()
    pattern: str = ""
    default: str = ""
    limit: float = LIMIT
    words: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    @property
    def name(self) -> str:
        """By which answers and errors call it."""
        return f"{self.actor}.{self.verb}" if self.actor else self.verb

    @property
    def shown(self) -> str:
        """The text as a person reads it."""
        return re.sub(r"\{(\w+)\}", lambda word: self.words.get(word[1], word[0]), self.text)

    @property
    def right(self) -> str:
        """What would be an answer."""
        if self.kind is Kind.CONFIRM:
            return f"Enter or `{DONE}`, or `{NOT_DONE}`"
        if self.kind is Kind.CHOICE:
            return "one of " + ", ".join(self.choices)
        return "the path of a file" if self.kind is Kind.FILE else f"text that fits {self.pattern}" if self.pattern else "a line of text"

    def accept(self, said: str) -> str:
        """The answer that these words are. Raises ValueError with what would be one."""
        said = said.strip() or self.default
        if self.kind is Kind.CONFIRM:
            if said.lower() in _YES or said.lower() in (NOT_DONE, "n"):
                return DONE if said.lower() in _YES else NOT_DONE
        elif self.kind is Kind.CHOICE:
            numbered = {str(number): choice for number, choice in enumerate(self.choices, start=1)}
            chosen = said if said in self.choices else numbered.get(said)
            if chosen is not None:
                return chosen
        elif self.kind is Kind.FILE:
            if said and Path(said).is_file():
                return said
        elif said.isprintable() and re.fullmatch(self.pattern or ".+", said):
            return said
        raise ValueError("is no answer")


def nobody(prompt: Prompt) -> NoReturn:
    """Who is asked where there is no operator. Raises Inconclusive."""
    raise Inconclusive(f"{prompt.name}: nobody is there to be asked {prompt.text!r}")
