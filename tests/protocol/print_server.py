"""A real cupsd of our own: private folder, socket and port, root or not, ended by its pid.

The spool is volatile: whatever an earlier cupsd left is deleted before the next one starts, so that it never prints a
job twice; the terminal's own ledger is the only memory (cupsd with any ErrorPolicy printed twice after a kill).
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from drivers.page.address import parse
from drivers.page.client import IppClient, NotReached
from drivers.page.http import post

PATIENCE_S = 20.0
_FILES = """\
ServerRoot {d}/etc
RequestRoot {d}/spool
TempDir {d}/spool/tmp
CacheDir {d}/cache
StateDir {d}/state
ServerKeychain {d}/etc/ssl
ErrorLog {d}/error.log
AccessLog {d}/access.log
PageLog {d}/page.log
DataDir /usr/share/cups
ServerBin /usr/lib/cups
User {user}
Group {group}
SystemGroup root
Sandboxing relaxed
SyncOnClose yes
"""
_DAEMON = """\
LogLevel debug
Listen 127.0.0.1:{port}
Listen {d}/s
Browsing No
WebInterface No
DefaultAuthType None
ErrorPolicy retry-job
JobRetryInterval 2
DirtyCleanInterval 0
MaxLogSize 0
<Location />
  Order allow,deny
  Allow all
</Location>
<Location /admin>
  Order allow,deny
  Allow all
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  <Limit All>
    Order allow,deny
    Allow all
  </Limit>
</Policy>
"""


def wait_for(condition: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> None:
    """Poll until it holds; AssertionError."""
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, f"{what}: not in time"
        time.sleep(0.01)


def free_port() -> int:
    """A loopback port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def start(
    command: list[str], *, log: Path, env: dict[str, str] | None = None, user: str = ""
) -> subprocess.Popen[bytes]:
    """A process that dies with this one (setpriv --pdeathsig), as another user if wanted."""
    leave = ["--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"] if user else []
    with log.open("ab") as said:
        return subprocess.Popen(
            ["setpriv", *leave, "--pdeathsig", "KILL", *command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **(env or {})},
        )


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """End a process and its children by their pids."""
    children = descendants(process.pid)
    process.send_signal(number)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Children and their children."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


@dataclass
class CupsDaemon:
    """cupsd; `start`, then `add` a printer. Restarted as often as one likes."""

    folder: Path
    user: str = ""
    """Run it as this user; empty: as ourselves."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        for name in ("etc/ssl", "spool/tmp", "cache", "state/certs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        account = pwd.getpwnam(self.user or ("lp" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name))
        group = (
            "lp" if os.getuid() == 0 and not self.user else "nogroup" if self.user == "nobody" else str(account.pw_gid)
        )
        told = {"d": self.folder, "port": self.port, "user": account.pw_name, "group": group}
        (self.folder / "etc/cups-files.conf").write_text(_FILES.format(**told))
        (self.folder / "etc/cupsd.conf").write_text(_DAEMON.format(**told))
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, account.pw_uid if self.user else 0, account.pw_gid)
                path.chmod(0o1770 if path.name == "tmp" else 0o775)

    @property
    def environment(self) -> dict[str, str]:
        """For the tools of CUPS."""
        return {"CUPS_SERVER": f"127.0.0.1:{self.port}", "HOME": str(self.folder)}

    def start(self) -> None:
        """Start with an empty spool; returns when it answers."""
        for path in (*self.folder.glob("spool/[cd]*"), self.folder / "cache/job.cache"):
            path.unlink(missing_ok=True)
        command = [
            "cupsd",
            "-f",
            "-c",
            str(self.folder / "etc/cupsd.conf"),
            "-s",
            str(self.folder / "etc/cups-files.conf"),
        ]
        command[0] = shutil.which("cupsd", path="/usr/sbin:/sbin") or "cupsd"
        self.process = start(command, log=self.folder / "said.log", user=self.user)
        wait_for(self.answers, "cupsd answers")

    def answers(self) -> bool:
        """Does it take connections?"""
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0

    def add(self, queue: str, device: str) -> str:
        """A driverless queue in front of an IPP printer; its address. Returns when its description is made."""
        self.tool("lpadmin", "-p", queue, "-E", "-v", device, "-m", "everywhere")
        client = self.client(queue)
        wait_for(lambda: "Everywhere" in client.facts().model, "description of the queue")
        return client.address.uri

    def tool(self, name: str, *arguments: str) -> None:
        """Run one of CUPS' own tools."""
        told = subprocess.run(
            [shutil.which(name, path="/usr/sbin:/sbin:/usr/bin") or name, *arguments],
            env={"PATH": os.environ["PATH"], **self.environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert told.returncode == 0, told.stderr

    def client(self, queue: str) -> IppClient:
        """Asks cupsd itself."""
        address = parse(f"ipp://127.0.0.1:{self.port}/printers/{queue}")
        return IppClient(address, post=post, exchange_s=PATIENCE_S, send_s=PATIENCE_S)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it; SIGKILL: as a crash would. Its helpers go with it, as with a service of systemd."""
        process, self.process = self.process, None
        if process is not None:
            end(process, number)


_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={d}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/><allow receive_type="signal"/></policy></busconfig>
"""
_AVAHI = """\
[server]
allow-interfaces=lo
use-ipv6=no
[publish]
publish-workstation=no
publish-hinfo=no
"""
_EVERYWHERE = """\
set -e
mkdir -p /run/avahi-daemon
export DBUS_SYSTEM_BUS_ADDRESS=unix:path={d}/bus
setpriv --pdeathsig KILL dbus-daemon --config-file={d}/bus.conf --nofork &
until [ -S {d}/bus ]; do sleep 0.02; done
setpriv --pdeathsig KILL avahi-daemon -f {d}/avahi.conf --no-drop-root --no-chroot --no-rlimits &
until dbus-send --system --print-reply --dest=org.freedesktop.Avahi / org.freedesktop.Avahi.Server.GetState
do sleep 0.02; done
exec ippeveprinter -n localhost -p {port} -d {d}/spool -k -f application/pdf -c {d}/print.sh "Another A4"
"""
"""ippeveprinter wants a name service, and that a bus: both of our own."""
_OWN_RUN = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "-"]
"""Beside the machine's own name service, where this machine lets us."""


@dataclass
class EverywherePrinter:
    """ippeveprinter, an IPP Everywhere printer that we did not write; it keeps what it prints in `spool`."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def spool(self) -> Path:
        """Documents."""
        return self.folder / "spool"

    def start(self) -> str:
        """Its address, once it answers."""
        self.spool.mkdir()
        told = {"d": self.folder, "port": self.port}
        (self.folder / "bus.conf").write_text(_BUS.format(**told))
        (self.folder / "avahi.conf").write_text(_AVAHI)
        (self.folder / "start.sh").write_text(_EVERYWHERE.format(**told))
        engine = self.folder / "print.sh"
        engine.write_text("#!/bin/sh\nexit 0\n")
        engine.chmod(0o755)
        apart = subprocess.run([*_OWN_RUN, "true"], capture_output=True, check=False).returncode == 0
        script = [*(_OWN_RUN if apart else ()), "sh", str(self.folder / "start.sh")]
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        self.process = start(script, log=self.folder / "said.log", env={"PATH": path})
        address = parse(f"ipp://127.0.0.1:{self.port}/ipp/print")
        client = IppClient(address, post=post, exchange_s=PATIENCE_S, send_s=PATIENCE_S)

        def answers() -> bool:
            try:
                return client.facts().condition.state is not None
            except NotReached:
                return False

        wait_for(answers, "ippeveprinter answers")
        return address.uri

    def stop(self) -> None:
        """End it; bus and name service end with it."""
        if self.process is not None:
            end(self.process)
