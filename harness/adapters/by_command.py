"""A role verb that a command of the laboratory's performs or answers; knows no system and no wire.

What the command has to know stands in its environment, never on its command line, which everybody on the machine can read
(docs/systems-under-test.md).
"""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import Any

from harness.actors.verbs import in_words
from harness.errors import BenchError

PATIENCE = 60.0  # seconds that a command may take, unless it is given more


def by_command(what: str, command: str, *arguments: Any, patience: float = PATIENCE) -> str:
    """What the command printed. `what` names the verb in an error; of the arguments, an order is told field by field. `patience`
    is how many seconds it may take.

    Raises BenchError for a command that is not there, fails or does not end; it shows no output, which may hold a key.
    """
    told = in_words(arguments[0]) if arguments else {}
    words = told if isinstance(told, dict) else {"about": told}
    environment = {f"HANPROOF_{name.upper()}": str(value) for name, value in words.items()}
    try:
        done = subprocess.run(
            shlex.split(command), env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=patience, check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as fault:
        raise BenchError(f"{what}: the command cannot be run, or does not end: {type(fault).__name__}") from None
    if done.returncode:
        raise BenchError(f"{what}: the command ended with exit code {done.returncode}; right would be 0")
    return done.stdout.decode("utf-8", errors="replace").strip()
