"""What one node has still to do and when: named instants, each with one action. Knows no protocol and reads no clock."""

from __future__ import annotations

from collections.abc import Callable, Hashable

Action = Callable[[float], None]
"""Called with the time at which it runs."""


class Agenda:
    """A node's timers. Setting a name again replaces its instant; times are seconds since the bench started."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[float, int, Action]] = {}
        self._count = 0

    def set(self, name: Hashable, instant: float, action: Action) -> None:
        """Run `action` at `instant`."""
        self._count += 1  # entries of one instant run in the order they were made
        self._entries[name] = (instant, self._count, action)

    def cancel(self, name: Hashable) -> None:
        """Forget an entry; one that does not exist is no error."""
        self._entries.pop(name, None)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()

    def __contains__(self, name: Hashable) -> bool:
        return name in self._entries

    def deadline(self) -> float | None:
        """The earliest instant, None when nothing is to do."""
        return min((instant for instant, _, _ in self._entries.values()), default=None)

    def run(self, now: float) -> None:
        """Run every action due by `now`, earliest first; an action may set others, which run too when they are due."""
        while due := [(entry[0], entry[1], name) for name, entry in self._entries.items() if entry[0] <= now]:
            _, _, name = min(due, key=lambda item: item[:2])
            _, _, action = self._entries.pop(name)
            action(now)
