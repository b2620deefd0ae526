"""Folders that belong to a living sandbox, and the sweep of those whose owner died."""

import fcntl
import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "sandbox-"


def claim_folder(scratch: Path, name: str) -> tuple[Path, int]:
    """A new folder in ``scratch`` and the locked descriptor that says its owner lives.

    The kernel drops the lock with the last process that holds it, however that ends, and unlike
    a process number it is never mistaken for somebody else's.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    gate = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Without the gate a sweep could see the folder between its making and its locking.
        fcntl.flock(gate, fcntl.LOCK_EX)
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-", dir=scratch))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        os.close(gate)
    return folder, lock


def sweep_folders(scratch: Path) -> list[Path]:
    """Remove the folders in ``scratch`` whose owners are gone; returns those removed."""
    if not scratch.is_dir():
        return []
    gate = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        abandoned = [folder for folder in scratch.glob(f"{PREFIX}*") if _is_abandoned(folder)]
        for folder in abandoned:
            remove_tree(folder)
    finally:
        os.close(gate)
    return abandoned


def _is_abandoned(folder: Path) -> bool:
    try:
        probe = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(probe)
    return True


def remove_tree(folder: Path) -> None:
    """Remove a folder that hostile code may have filled.

    Folders nested thousands deep and folders without permissions defeat ``shutil.rmtree``; so
    when it fails, sub-folders are moved up next to their parents until nothing is nested.
    """
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
    if not folder.exists():
        return
    moved, token = 0, secrets.token_hex(8)
    pending = [folder]
    while pending:
        here = pending.pop()
        with suppress(FileNotFoundError):
            os.chmod(here, 0o700)
            with os.scandir(here) as entries:
                children = list(entries)
            for child in children:
                if not child.is_dir(follow_symlinks=False):
                    os.unlink(child.path)
                    continue
                moved += 1
                target = folder / f".{token}-{moved}"
                os.chmod(child.path, 0o700)
                os.rename(child.path, target)
                pending.append(target)
            if here != folder:
                os.rmdir(here)
    with suppress(FileNotFoundError):
        os.rmdir(folder)


def size_of_tree(folder: Path) -> int:
    """Bytes on disk below ``folder``; files that vanish meanwhile count nothing."""
    total = 0
    pending = [os.fspath(folder)]
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
