"""What stands on the other side of a broker in the tests: STOMP and AMQP clients that are not ours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import proton
import stomp
from proton.utils import BlockingConnection, BlockingSender

from harness.tests.inbox import WITHIN
from harness.tests.peers.rabbitmq import PASSWORD, USER

HOST = "127.0.0.1"


@contextmanager
def amqp_client(port: int) -> Iterator[BlockingConnection]:
    """A plain client by proton, on a reactor and a socket of its own."""
    client = BlockingConnection(f"amqp://{USER}:{PASSWORD}@{HOST}:{port}", timeout=WITHIN)
    try:
        yield client
    finally:
        client.close()


def octets_of(message: proton.Message) -> bytes:
    """The body of a message that has one of octets."""
    assert isinstance(message.body, (bytes, memoryview)), message
    return bytes(message.body)


def amqp_answers(port: int, queue: str, times: int = 1) -> threading.Thread:
    """Somebody who answers as many requests at a queue, in a thread; an exclamation mark makes the answer."""
    def serve() -> None:
        with amqp_client(port) as client:
            receiver = client.create_receiver(queue, credit=1)
            senders: dict[str | None, BlockingSender] = {}
            for _ in range(times):
                asked = receiver.receive(WITHIN)
                answer = proton.Message(correlation_id=asked.correlation_id, body=octets_of(asked) + b"!", inferred=True)
                if asked.reply_to not in senders:
                    senders[asked.reply_to] = client.create_sender(asked.reply_to)
                senders[asked.reply_to].send(answer)
                receiver.accept()

    return _started(serve)


class StompClient:
    """A plain STOMP client on a bare socket; frames are written and read as octets."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), WITHIN)
        self._unread = b""
        said = self.ask(b"CONNECT\naccept-version:1.2\nhost:/\nlogin:%b\npasscode:%b\n\n\0" % (USER.encode(), PASSWORD.encode()))
        assert said.startswith(b"CONNECTED"), said

    def say(self, octets: bytes) -> None:
        """Send these octets."""
        self._socket.sendall(octets)

    def hear(self) -> bytes:
        """The next frame, without the NUL that ends it."""
        while b"\0" not in self._unread:
            octets = self._socket.recv(1 << 16)
            assert octets, f"closed after {self._unread!r}"
            self._unread += octets
        frame, _, self._unread = self._unread.partition(b"\0")
        self._unread = self._unread.lstrip(b"\n")
        return frame

    def ask(self, octets: bytes) -> bytes:
        """Send, and the frame that comes back."""
        self.say(octets)
        return self.hear()

    def close(self) -> None:
        """Hang up without a word."""
        self._socket.close()


def stomp_answers(port: int, queue: str, times: int = 1) -> threading.Thread:
    """As `amqp_answers`, by a connection of stomp.py with its own socket and threads."""
    over = threading.Semaphore(0)

    class Listener(stomp.ConnectionListener):  # type: ignore[misc]
        def on_message(self, frame: stomp.utils.Frame) -> None:
            asked = frame.headers
            client.send(asked["reply-to"], frame.body + "!", headers={"correlation-id": asked["correlation-id"]})
            client.ack(asked["ack"])
            over.release()

    client = stomp.StompConnection12([(HOST, port)], vhost="/")
    client.set_listener("answers", Listener())
    client.connect(USER, PASSWORD, wait=True)
    client.subscribe(f"/queue/{queue}", "1", "client-individual")

    def serve() -> None:
        for _ in range(times):
            assert over.acquire(timeout=WITHIN)
        client.disconnect("over")

    return _started(serve)


@contextmanager
def odd_server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback that is no broker: what it does with each connection is up to `behave`; its port."""
    with socket.create_server((HOST, 0)) as server:
        taken: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
                    behave(taken[-1])
            except OSError:
                return  # the test is over

        thread = _started(serve)
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for each in taken:
                each.close()
            thread.join(WITHIN)


def _started(serve: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread
