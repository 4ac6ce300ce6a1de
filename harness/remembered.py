"""Results kept with the object that they were worked out of. Knows nothing of either."""

from __future__ import annotations

from typing import Generic, TypeVar

Owner = TypeVar("Owner")
Result = TypeVar("Result")
_ATTRIBUTE = "_remembered"


class Remembered(Generic[Owner, Result]):
    """One kind of result, by its owner.

    It stands on the owner itself and goes with it, also where it refers back to it: a WeakKeyDictionary would then keep both for ever.
    """

    def get(self, owner: Owner) -> Result | None:
        """What is known; None where nothing is."""
        found: Result | None = vars(owner).get(_ATTRIBUTE, {}).get(self)
        return found

    def __setitem__(self, owner: Owner, result: Result) -> None:
        vars(owner).setdefault(_ATTRIBUTE, {})[self] = result
