"""Program: become pcscd with a listening socket handed over as systemd does (sd_listen_fds(3)).

``python activate.py PARENT FD PROGRAM ARGUMENT…``. Its own file because LISTEN_PID must be the daemon's own number,
which is known only after the fork.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9
FIRST_FD = 3


def main(parent: int, fd: int, command: list[str]) -> None:
    """Never returns."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)  # survives the exec: no daemon outlives its simulator
    if os.getppid() != parent:  # it ended before we asked to be told
        sys.exit(1)
    os.dup2(fd, FIRST_FD)
    os.set_inheritable(FIRST_FD, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    os.execv(command[0], command)  # noqa: S606 - no shell is what we want


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
