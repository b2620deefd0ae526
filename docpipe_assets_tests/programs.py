"""Programs that are not Python packages: if one is missing, the tests that require it are skipped."""

import shutil

PACKAGES = {
    "chromium": "chromium",
    "ip": "iproute2",
    "systemd-analyze": "systemd",
    "tesseract": "tesseract-ocr tesseract-ocr-eng",
}
"""The Debian packages of each program. ``.ci/run`` installs them."""


def reason_to_leave_out(program: str) -> str | None:
    """The reason why a test that needs the program can't run here; None if it can."""
    if shutil.which(program) is not None:
        return None
    return f"needs {program}: apt-get install {PACKAGES[program]}"
