"""RabbitMQ, the broker that our carriers are held against: starts a node of its own on loopback, in a folder of its own.

`python -m harness.tests.peers.rabbitmq start FOLDER` (which is `make broker`) leaves one running and says how to use it; `stop FOLDER`
ends it. Tests start theirs by the class. It needs no rights: Debian's wrapper, which wants root, is passed over.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from harness.backhaul.tls import Tls
from harness.tests.http_peers import Authority

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
USER, PASSWORD = "hanproof", "loopback-only"
PORTS = {"amqp": 5673, "stomp": 61623}  # of `make broker`, beside those of a service of the system; tests take what is free
PATIENCE = 90.0  # seconds of real time until it answers, on a machine that is busy
GLANCE = 0.1  # seconds between two looks at what it has written
STARTED = "Server startup complete"


def missing() -> str:
    """What this machine lacks to run it; empty where it lacks nothing."""
    if not SERVER.exists():
        return "RabbitMQ is not installed (on Debian or Ubuntu: apt install rabbitmq-server)"
    return "" if shutil.which("epmd") else "epmd is not installed (on Debian or Ubuntu: apt install erlang-base)"


def free_ports(count: int) -> list[int]:
    """Ports of loopback on which nobody listens."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


class RabbitMq:
    """One node: `ports` by "amqp" and "stomp", and with a certificate (`tls`: CA, certificate, key) by "amqps" and "stomps"."""

    def __init__(self, folder: Path, ports: dict[str, int], *, tls: tuple[Path, Path, Path] | None = None) -> None:
        self.folder, self.ports = folder, ports
        folder.mkdir(parents=True, exist_ok=True)
        names, distribution = free_ports(2)
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{ports['amqp']}", f"stomp.listeners.tcp.1 = 127.0.0.1:{ports['stomp']}",
            f"default_user = {USER}", f"default_pass = {PASSWORD}", "log.console = true", "log.file = false",
            "disk_free_limit.absolute = 50MB", "vm_memory_high_watermark.relative = 0.9",
        ]
        if tls:
            lines += [f"listeners.ssl.1 = 127.0.0.1:{ports['amqps']}", f"stomp.listeners.ssl.1 = 127.0.0.1:{ports['stomps']}"]
            lines += [f"ssl_options.{what} = {path}" for what, path in zip(("cacertfile", "certfile", "keyfile"), tls, strict=True)]
            lines += ["ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = false"]
        (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (folder / "enabled_plugins").write_text("[rabbitmq_amqp1_0,rabbitmq_stomp].\n")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")},
            "HOME": str(folder), "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(names),
            "RABBITMQ_NODENAME": f"hanproof-{ports['amqp']}@localhost", "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"), "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def log(self) -> Path:
        """What the node has to say."""
        return self.folder / "broker.log"

    def start(self) -> None:
        """Return when it takes connections. Raises AssertionError with the end of its log if it does not."""
        epmd = shutil.which("epmd") or "epmd"  # started by us, else the node would leave one behind
        with self.log.open("wb") as log:
            for command in ([epmd], [str(SERVER)]):
                self._processes.append(subprocess.Popen(
                    command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                ))
        (self.folder / "pids").write_text(" ".join(str(each.pid) for each in self._processes))
        for _ in range(int(PATIENCE / GLANCE)):
            with suppress(subprocess.TimeoutExpired):
                self._processes[-1].wait(GLANCE)
                break
            if STARTED in self._said():
                return
        said = self._said()
        self.kill()
        raise AssertionError(f"RabbitMQ did not start: {said[-2000:]}")

    def kill(self) -> None:
        """End it as a power cut would."""
        for each in reversed(self._processes):
            end_group(each.pid)
            each.wait(PATIENCE)
        self._processes.clear()

    def _said(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text(errors="replace"))


def end_group(group: int) -> None:
    """Kill a process group that we have started, if it still is there."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def end_started_in(folder: Path) -> None:
    """End the node whose folder this is, whoever started it; its data goes too."""
    pids = folder / "pids"
    for pid in pids.read_text().split() if pids.is_file() else ():
        with suppress(OSError):
            if str(folder).encode() in Path(f"/proc/{pid}/environ").read_bytes():  # not somebody else's by now
                end_group(int(pid))
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Node:
    """A broker that runs: its ports by scheme, and a client's papers from the authority that vouches for it."""

    ports: dict[str, int]
    client: Tls


@contextmanager
def shared(folder: Path) -> Iterator[Node]:
    """One node with TLS for all processes that name this folder, from the first that comes to the last that goes."""
    users, papers = folder.with_suffix(".users"), folder.with_suffix(".papers")
    with _alone(users) as use:
        if not use.read():
            papers.mkdir(exist_ok=True)
            authority = Authority(papers)
            certificate, key = authority.issue("broker")
            schemes = ("amqp", "stomp", "amqps", "stomps")
            ports = dict(zip(schemes, free_ports(len(schemes)), strict=True))
            RabbitMq(folder, ports, tls=(authority.trust, certificate, key)).start()
            client = [*map(str, (*authority.issue("client"), authority.trust))]
            (papers / "node.json").write_text(json.dumps({"ports": ports, "client": client}))
        use.write("+")
    try:
        node = json.loads((papers / "node.json").read_text())
        certificate, key, trust = map(Path, node["client"])
        yield Node(node["ports"], Tls(certificate, key, trust))
    finally:
        with _alone(users) as use:
            others = use.read()[1:]
            use.truncate(0)
            use.write(others)
            if not others:
                end_started_in(folder)


@contextmanager
def _alone(path: Path) -> Iterator[TextIO]:
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        yield file


def main(arguments: list[str]) -> int:
    """`start FOLDER` or `stop FOLDER`."""
    order, folder = arguments[0], Path(arguments[1]).resolve()
    if order == "stop":
        end_started_in(folder)
        return 0
    if why := missing():
        print(why, file=sys.stderr)
        return 4
    if (folder / "pids").is_file():
        print(f"there is a broker in {folder} already: make broker-stop", file=sys.stderr)
        return 4
    ports = {name: int(os.environ.get(f"HANPROOF_{name.upper()}_PORT", port)) for name, port in PORTS.items()}
    for name, port in ports.items():
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as fault:
            print(f"port {port}: {fault.strerror}; HANPROOF_{name.upper()}_PORT chooses another", file=sys.stderr)
            return 4
    try:
        RabbitMq(folder, ports).start()
    except AssertionError as fault:
        shutil.rmtree(folder, ignore_errors=True)
        print(fault, file=sys.stderr)
        return 4
    print("\n".join([
        *(f"export HANPROOF_{name.upper()}={name}://127.0.0.1:{port}" for name, port in ports.items()),
        f"export HANPROOF_BROKER_USER={USER}", f"export HANPROOF_BROKER_PASSWORD={PASSWORD}",
    ]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
