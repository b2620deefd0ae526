"""Messages between the worker and its zygote: a length, JSON, and file descriptors with the length."""

import json
import socket
from collections.abc import Sequence
from typing import Any

_LENGTH_BYTES = 4
_DESCRIPTORS_MAX = 2


def send(connection: socket.socket, message: object, descriptors: Sequence[int] = ()) -> None:
    """Raises ``ConnectionError`` if the peer is closed."""
    body = json.dumps(message).encode()
    length = len(body).to_bytes(_LENGTH_BYTES, "big")
    if descriptors:
        socket.send_fds(connection, [length], list(descriptors))
    else:
        connection.sendall(length)
    connection.sendall(body)


def receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """The next message and its descriptors. Raises ``ConnectionError`` if the peer is closed."""
    length, descriptors, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, _DESCRIPTORS_MAX)
    length += _receive_exactly(connection, _LENGTH_BYTES - len(length))
    body = _receive_exactly(connection, int.from_bytes(length, "big"))
    return json.loads(body), descriptors


def _receive_exactly(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        chunk = connection.recv(length - len(data))
        if not chunk:
            raise ConnectionError("the peer closed the connection")
        data += chunk
    return bytes(data)
