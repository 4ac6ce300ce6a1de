"""A head-end of nobody's, on plain sockets: it does with each request what a script says, and knows nothing of ours.

Its control endpoint, for whoever wants virtual time, tells the truth about what it has taken and not answered.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

WITHIN = 10.0  # seconds that a socket may take
Script = Callable[[socket.socket, bytes], None]  # with the connection and the request's body

_GRANTED = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ResponseMessage xmlns="http://iec.ch/TC57/2011/schema/message">
<Header><Verb>reply</Verb><Noun>EndDeviceControls</Noun><Timestamp>{now}</Timestamp><Source>AMI Head-End</Source>
<MessageID>{identifier}</MessageID><CorrelationID>{correlation}</CorrelationID></Header>
<Reply><Result>OK</Result><Error><code>0.0</code></Error></Reply>{payload}</ResponseMessage></s:Body></s:Envelope>"""


def granted(body: bytes, *, correlation: str = "", payload: str = "") -> bytes:
    """The right answer to an order, in SOAP 1.1; with another CorrelationID, or with something behind the reply."""
    echoed = re.search(rb"CorrelationID>([^<]*)<", body)
    assert echoed is not None
    return _GRANTED.format(
        now=datetime.now(UTC).isoformat(), identifier=uuid.uuid4(), correlation=correlation or echoed[1].decode(), payload=payload,
    ).encode()


def response(body: bytes, *, length: int | None = None, content_type: str = "text/xml; charset=utf-8", status: str = "200 OK") -> bytes:
    """An HTTP response; `length` is what it says of itself."""
    said = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {said}\r\n\r\n".encode() + body


class HostileHeadEnd:
    """Listens on loopback; `script` may be changed between two requests."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.taken = 0
        self.silent = 0  # requests that it has not answered and whose connection it keeps open
        self._listener = socket.create_server(("127.0.0.1", 0))
        where = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.address, self.control = f"{where}/cim", f"{where}/control"
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Let go of everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in (self._accepting, *self._threads):
            thread.join(WITHIN)

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                peer, _ = self._listener.accept()
                peer.settimeout(WITHIN)
                self._peers.append(peer)
                thread = threading.Thread(target=self._attend, args=(peer,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _attend(self, peer: socket.socket) -> None:
        with peer, suppress(OSError):  # the other side has enough
            while (request := read_message(peer)) is not None:
                head, body = request
                if head.startswith(b"POST /control"):
                    peer.sendall(response(self._controlled(), content_type="application/json"))
                    continue
                self.taken += 1
                self.script(peer, body)
                return

    def _controlled(self) -> bytes:
        state = {"deadline": None, "posts": 0, "arrivals": self.taken, "outstanding": 0, "open": self.silent}
        return json.dumps(state).encode()


def read_message(peer: socket.socket) -> tuple[bytes, bytes] | None:
    """Head and body of what comes, None where nothing does any more."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        more = peer.recv(1 << 16)
        if not more:
            return None
        octets += more
    head, _, body = octets.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: *(\d+)", head)
    while len(body) < int(found[1] if found else 0):
        body += peer.recv(1 << 16)
    return head, body


def post(url: str, body: bytes, target: str = "") -> bytes:
    """Post it, and what is answered."""
    host, port, path = re.fullmatch(r"http://([\d.]+):(\d+)(/.*)", url).groups()  # type: ignore[union-attr]
    with socket.create_connection((host, int(port)), WITHIN) as peer:
        head = f"POST {target or path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/xml; charset=utf-8\r\n"
        peer.sendall(f"{head}SOAPAction: \"x\"\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b""
        with suppress(OSError):
            while more := peer.recv(1 << 16):
                answer += more
        return answer


@contextmanager
def hostile(script: Script) -> Iterator[HostileHeadEnd]:
    """One, until the context ends."""
    head_end = HostileHeadEnd(script)
    try:
        yield head_end
    finally:
        head_end.close()
