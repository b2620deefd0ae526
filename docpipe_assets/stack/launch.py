"""Starts a service of the stack as a process that ends with the supervisor, however that ends.

    python launch.py SUPERVISOR_PID DEATH_SIGNAL USER COMMAND [ARGUMENT...]

USER is a name, or "-" for the current user. Runs standalone, without the package, so that it takes only a few
milliseconds.
"""

import ctypes
import os
import pwd
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    supervisor_pid, death_signal, user, *command = sys.argv[1:]
    if user != "-":
        _switch_user(user)
    if sys.platform == "linux":
        # After the change of user, which would reset it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != int(supervisor_pid):
            os.kill(os.getpid(), signal.SIGKILL)  # the supervisor died before prctl took effect
    # A shell starts background jobs with SIGINT ignored. A service would inherit that, and SIGINT is what
    # stops most of them. Python itself ignores SIGPIPE.
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


def _switch_user(user: str) -> None:
    """Switch the user, because Postgres refuses to run as root; files that only root can access stay
    accessible.

    The data folder or the virtual environment may be below a folder such as /root.
    """
    account = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True)
    on_linux = sys.platform == "linux"
    if on_linux:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if on_linux:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        mask = 1 << _CAP_DAC_OVERRIDE
        # effective, permitted, inheritable; twice, for 64 capabilities
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if libc.capset(header, sets) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main()
