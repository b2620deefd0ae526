"""A port that forwards its data while a block runs."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

HERE = "127.0.0.1"


@contextmanager
def relay(
    listens: tuple[str, int], port: int, on_call: Callable[[str], object] = lambda _: None
) -> Iterator[None]:
    """Forwards connections to a port of this machine; ``on_call`` receives the caller's address.

    Afterwards, new connections are refused; open ones end with the service.
    """
    with socket.create_server(listens) as listener:

        def accept() -> None:
            with suppress(OSError):  # the listener was closed
                while True:
                    caller, (address, *_) = listener.accept()
                    on_call(address)
                    try:
                        service = socket.create_connection((HERE, port))
                    except OSError:  # the service has ended, and so does the connection
                        caller.close()
                        continue
                    threading.Thread(target=_connect, args=(caller, service), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)


def _connect(caller: socket.socket, service: socket.socket) -> None:
    with caller, service:
        back = threading.Thread(target=_carry, args=(service, caller), daemon=True)
        back.start()
        _carry(caller, service)
        back.join()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(64 * 1024):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
