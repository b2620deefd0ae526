"""Simulated hosts: network namespaces, each connected to this machine by a virtual cable."""

import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from docpipe_assets_tests.relay import HERE, relay


def reason_without_hosts() -> str | None:
    """The reason why hosts can't be simulated; None if they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    if shutil.which("ip") is None:
        return "network namespaces are made by ip"
    name = f"docpipe-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "network namespaces are not permitted here"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return None


@dataclass(frozen=True)
class Host:
    name: str
    gateway: str
    """The address of this machine as seen from the host."""
    callers: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Callers of a port of this machine through the gateway."""

    def command(self, words: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    def seen_from_there(self, environment: Mapping[str, str]) -> dict[str, str]:
        return {name: value.replace(HERE, self.gateway) for name, value in environment.items()}


@contextmanager
def host(number: int, ports: Sequence[int]) -> Iterator[Host]:
    """A namespace whose only network is a cable to this machine, with the given ports of this machine."""
    name, cable = f"docpipe-{os.getpid()}-{number}", f"dp{os.getpid() % 10_000}n{number}"
    made = Host(name, f"10.213.{number}.1")
    there = f"10.213.{number}.2"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("address", "add", f"{made.gateway}/24", "dev", cable)
        _ip("link", "set", cable, "up")
        _ip("-n", name, "address", "add", f"{there}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        with ExitStack() as relays:
            for port in ports:
                # The services listen only on the loopback interface.
                relays.enter_context(relay((made.gateway, port), port, made.callers[port].add))
            yield made
    finally:
        _ip("netns", "delete", name)  # this also removes the cable


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
