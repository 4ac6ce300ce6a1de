"""How often Python looks for garbage, in a process that plays and judges. Knows nothing of what is kept."""

import gc

YOUNG = 10_000  # objects, instead of 700: a play leaves tens of thousands of records, and hardly one is garbage before it ends


def settle() -> None:
    """What there is by now, everything imported, stays; it is not looked through any more, and what comes less often."""
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
