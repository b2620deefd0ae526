"""Folders of live sandboxes, and the removal of folders whose owner died."""

import fcntl
import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "sandbox-"


def claim_folder(scratch: Path, name: str) -> tuple[Path, int]:
    """A new folder in ``scratch`` and a locked descriptor that shows that its owner is alive.

    The kernel releases the lock with the last process that holds it, however that ends, and unlike a process
    ID it is never reused by another process.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    folder_lock = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Without this lock a sweep could see the folder between its creation and its locking.
        fcntl.flock(folder_lock, fcntl.LOCK_EX)
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}-", dir=scratch))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        os.close(folder_lock)
    return folder, lock


def sweep_folders(scratch: Path) -> list[Path]:
    """Remove the folders in ``scratch`` whose owners no longer exist; returns those removed."""
    if not scratch.is_dir():
        return []
    folder_lock = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder_lock, fcntl.LOCK_EX)
        abandoned = [folder for folder in scratch.glob(f"{PREFIX}*") if _is_abandoned(folder)]
        for folder in abandoned:
            remove_tree(folder)
    finally:
        os.close(folder_lock)
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

    ``shutil.rmtree`` fails on folders that are nested thousands deep or have no permissions; sub-folders are
    then moved up next to their parents until nothing is nested.
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
    """Disk usage below ``folder`` in bytes; files that disappear during the scan count as zero."""
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
