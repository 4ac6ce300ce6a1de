"""A role verb that a command of the laboratory's performs or answers; knows no system and no wire.

What the command has to know stands in its environment, never on its command line, which everybody on the machine can read
(docs/systems-under-test.md).
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

from harness.actors.verbs import in_words
from harness.clock import wall_seconds
from harness.errors import BenchError
from harness.ncp.line import masked

PATIENCE = 60.0  # seconds that a command may take, unless it is given more
LAST_LINES = 5  # of a command's output that are kept
SECRET = "key_material"  # the only word told that is one


def by_command(what: str, command: str, *arguments: Any, patience: float = PATIENCE, noted: dict[str, Any] | None = None) -> str:
    """What the command printed. `what` names the verb in an error; of the arguments, an order is told field by field. `patience`
    is how many seconds it may take. `noted` is told how it ended: exit code, the last it said (no key that it was told, and nothing
    that looks like one), seconds.

    Raises BenchError for a command that is not there, fails or does not end; the error shows no output.
    """
    told = in_words(arguments[0]) if arguments else {}
    words = told if isinstance(told, dict) else {"about": told}
    environment = {f"HANPROOF_{name.upper()}": str(value) for name, value in words.items()}
    record, begun = {} if noted is None else noted, wall_seconds()
    try:
        done = subprocess.run(
            shlex.split(command), env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=patience, check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as fault:
        if isinstance(fault, subprocess.TimeoutExpired):
            record["output"] = _last(fault.stdout, fault.stderr, words)
        raise BenchError(f"{what}: the command cannot be run, or does not end: {type(fault).__name__}") from None
    finally:
        record["took"] = round(wall_seconds() - begun, 3)
    record |= {"exit_code": done.returncode, "output": _last(done.stdout, done.stderr, words)}
    if done.returncode:
        raise BenchError(f"{what}: the command ended with exit code {done.returncode}; right would be 0")
    return done.stdout.decode("utf-8", errors="replace").strip()


def _last(out: bytes | None, err: bytes | None, words: Mapping[str, Any]) -> str:
    """The last lines of what it wrote, errors behind, whole lines so that no half of a key is left."""
    text = "\n".join((each or b"").decode("utf-8", errors="replace").strip() for each in (out, err)).strip()
    if secret := str(words.get(SECRET, "")):
        text = text.replace(secret, "<octets>")
    return "\n".join(masked(line) for line in text.splitlines()[-LAST_LINES:])
