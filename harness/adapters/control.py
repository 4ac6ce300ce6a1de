"""The control endpoint of a system under test, where it has one: begins anew, performs role verbs, keeps our time.

An HTTP endpoint that takes one JSON object a POST and answers one (docs/systems-under-test.md). `hanproof serve --control` has it; a
vendor may give his own system one for the laboratory. Knows no CIM message.
"""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from harness.errors import BenchError

PATIENCE = 20.0  # seconds of real time that an answer may take
LONGEST_ANSWER = 1 << 20  # octets


class Control:
    """One control endpoint, called from one thread."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL that is not http://host:port/path."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"control: {url!r}; right would be http://host:port/path")
        self._url = url
        self._path = parts.path or "/"
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)

    def call(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """Have something done. Raises BenchError naming the endpoint: that it fails is not the fault of what it controls."""
        body = json.dumps({"verb": verb, **arguments})
        try:
            self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            told = response.read(LONGEST_ANSWER)
            answer = json.loads(told) if response.status == http.client.OK else None
        except (OSError, http.client.HTTPException, ValueError) as fault:
            self._connection.close()
            raise BenchError(f"control endpoint {self._url}: {verb}: {fault or type(fault).__name__}") from fault
        if not isinstance(answer, dict):
            said = told[:200].decode("utf-8", errors="replace")
            raise BenchError(f"control endpoint {self._url}: {verb}: HTTP {response.status}: {said}")
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()
