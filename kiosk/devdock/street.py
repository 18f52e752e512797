"""The street: hall, terminals with all their simulated hardware, and the lines between them, as real processes."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.sim.bench import DEVICES
from hall.admin import AdminError, perform
from kiosk.app.processes import spawn, stop
from kiosk.app.supervisor import Program, Supervisor
from kiosk.contract.tickets import EnrolTicket
from kiosk.core.devices import DeviceKind
from kiosk.core.result import Err
from kiosk.devdock.link import Link
from kiosk.devdock.persons import PERSONS_FILE, SyntheticPerson, load_persons
from kiosk.devdock.remote import Remote, RemoteError
from provisioning.enrol import enrol
from provisioning.profile import load_profile

SCREEN = "kiosk.devdock.terminal"
"""Module that is a terminal's screen process."""


class StreetError(RuntimeError):
    """A part of the street did not come up; the message says which and where its log is."""


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, what: str, within_s: float = 90.0, every_s: float = 0.03) -> None:
    """Poll until true; StreetError naming `what` when it does not come."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise StreetError(f"timed out after {within_s:g} s: {what}")
        time.sleep(every_s)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.3)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(frozen=True, slots=True)
class TerminalSpec:
    """Which terminal to build."""

    id: str
    site_name: str
    terminal_name: str
    width: int = 1080
    height: int = 1920
    card_reader: str = ""
    """`drivers.sim.id_card.Transport`; empty: that which the simulator begins with."""


DEFAULT_TERMINALS = (
    TerminalSpec("T001", "祖庙街道24小时自助服务区", "1号机"),
    TerminalSpec("T002", "石湾镇街道便民服务中心", "2号机"),
)


class Hall:
    """The hall as a kept process on fixed ports, so that it can be killed and come back where it was."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.staff_port = free_port()
        self.program = Program(
            "hall",
            (
                *(sys.executable, "-m", "hall", "serve", "--data", str(data)),
                *("--port", str(self.port), "--staff-port", str(self.staff_port), "--decide-after", "1"),
            ),
        )

    def fill(self) -> None:
        """Catalogue, and the synthetic persons' records."""
        self._ask("publish")
        self._ask("seed", persons=str(PERSONS_FILE))

    def ticket(self, spec: TerminalSpec) -> str:
        """A one-time enrolment code."""
        return str(self._ask("ticket", terminal=spec.id, site=spec.site_name, name=spec.terminal_name)["ticket"])

    def staff_link(self) -> str:
        """A one-time sign-in address for the clerk's page."""
        return f"http://127.0.0.1:{self.staff_port}{self._ask('staff_link', name='值班员')['path']}"

    def set_licence(self, *, holder: str, type_name: str, status: str) -> None:
        """A department suspends, revokes or gives back what somebody holds."""
        self._ask("licence_status", holder=holder, type=type_name, status=status)

    def wait_ready(self) -> None:
        """Both ports and the operator's socket answer."""
        wait_until(
            lambda: _answers(self.port) and _answers(self.staff_port) and self._operator_heard(),
            what="hall to be ready",
        )

    def _operator_heard(self) -> bool:
        try:
            perform(self.data, "init")
        except AdminError:
            return False
        return True

    def _ask(self, operation: str, **words: str) -> dict[str, Any]:
        """What `hall …` on the command line asks the running hall, without starting a process for each word."""
        try:
            return perform(self.data, operation, **words)
        except AdminError as error:
            raise StreetError(f"hall {operation}: {error}") from None


class Terminal:
    """One terminal: its simulated hardware, its line to the hall, its sync and screen processes."""

    def __init__(
        self, spec: TerminalSpec, root: Path, *, hall: Hall, platform: str, motion: bool, screen: str = SCREEN
    ) -> None:
        self.spec = spec
        self.root = root
        self.data = root / "data"
        self.profile = root / "machine.toml"
        self._hall = hall
        self._platform = platform
        self._motion = motion
        self._screen_module = screen
        self._hardware_process: subprocess.Popen[bytes] | None = None
        self._supervisor: Supervisor | None = None
        self.addresses: dict[str, str] = {}
        self.link: Link | None = None
        self.hardware = Remote(root / "hardware" / "control.sock")
        self.screen = Remote(root / "screen.sock")

    def start_hardware(self) -> None:
        """Card reader, camera and printers, with their addresses."""
        directory = self.root / "hardware"
        directory.mkdir(parents=True, exist_ok=True)
        with (self.root / "hardware.stderr").open("ab") as log:
            self._hardware_process = spawn(
                [sys.executable, "-m", "drivers.sim", "--dir", str(directory)], stdout=subprocess.PIPE, stderr=log
            )

    def wait_hardware(self) -> None:
        """Until it has told its addresses."""
        assert self._hardware_process is not None
        self.addresses = json.loads(_first_line(self._hardware_process, within_s=60.0, what="simulated hardware"))
        if self.spec.card_reader:
            used, _ = self.hardware.do("card.use", transport=self.spec.card_reader)
            self.addresses[DeviceKind.ID_CARD.value] = used["address"]

    def start_link(self) -> None:
        """The line to the hall, up."""
        server = self._hall.data / "server"
        self.link = Link(target_port=self._hall.port, certificate=server / "server.pem", key=server / "server.key")
        port = self.link.start()
        self.profile.write_text(self._profile_toml(port), encoding="utf-8")

    def enrol(self, ticket: str) -> None:
        """As `provision enrol` does it."""
        result = enrol(load_profile(self.profile), EnrolTicket.parse(ticket))
        if isinstance(result, Err):
            raise StreetError(f"enrolment of {self.spec.id} failed: {result.error}")

    def start_software(self, on_event: Callable[[str, str, int], None]) -> None:
        """Sync and screen, kept running."""
        screen_command = (
            *(sys.executable, "-m", self._screen_module),
            *("--profile", str(self.profile), "--screen-socket", str(self.root / "screen.sock")),
        )
        self._supervisor = Supervisor(
            (
                Program("sync", (sys.executable, "-m", "kiosk.app", "sync", "--profile", str(self.profile))),
                Program("ui", screen_command, {"QT_QPA_PLATFORM": self._platform}),
            ),
            log_dir=self.root / "logs",
            on_event=on_event,
        )
        self._supervisor.start()

    def wait_ready(self) -> None:
        """The screen answers and has its catalogue."""
        wait_until(lambda: self.view() == "attract", what=f"screen of {self.spec.id} ({self.root / 'logs'})")

    def view(self) -> str:
        """Name of the view on the screen; empty while the screen is down."""
        try:
            return str(self.screen.do("state")[0]["view"])
        except RemoteError:
            return ""

    def pid(self, name: str) -> int | None:
        """Of `ui`, `sync`, or a driver (`idcard`, `receipt`, `page`, `camera`)."""
        if self._supervisor is None:
            return None
        if name in ("ui", "sync"):
            return self._supervisor.pid(name)
        parent = self._supervisor.pid("ui")
        return _child_with(parent, f"driver {name}") if parent else None

    def stop(self) -> None:
        """Everything of this terminal."""
        if self._supervisor is not None:
            self._supervisor.stop()
        if self._hardware_process is not None:
            stop(self._hardware_process, grace_s=3.0)
            if self._hardware_process.stdout is not None:
                self._hardware_process.stdout.close()
        if self.link is not None:
            self.link.stop()

    def _profile_toml(self, hall_port: int) -> str:
        devices = "\n".join(f"{kind.value} = {json.dumps(self.addresses[kind.value])}" for kind in DEVICES)
        return (
            f'schema = 1\nterminal_id = "{self.spec.id}"\nregion = "440604"\n'
            f'site_name = "{self.spec.site_name}"\nterminal_name = "{self.spec.terminal_name}"\ndata = "data"\n\n'
            f'[hall]\nurl = "https://127.0.0.1:{hall_port}"\n\n[devices]\n{devices}\n\n'
            f"[screen]\nwidth = {self.spec.width}\nheight = {self.spec.height}\n"
            f"motion = {str(self._motion).lower()}\n"
        )


def _first_line(process: subprocess.Popen[bytes], *, within_s: float, what: str) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], within_s)
    line = process.stdout.readline() if ready else b""
    if not line:
        raise StreetError(f"{what} did not come up")
    return line.decode()


def _child_with(parent: int, words: str) -> int | None:
    """Process id of the child whose command line contains `words` (or the frozen form of it)."""
    try:
        children = Path(f"/proc/{parent}/task").glob("*/children")
        pids = [int(pid) for file in children for pid in file.read_text().split()]
        for pid in pids:
            if words.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "):
                return pid
    except OSError:  # it ended while we looked
        return None
    return None


class Street:
    """Everything on one street; a context manager that leaves no process behind."""

    def __init__(
        self,
        root: Path,
        *,
        terminals: tuple[TerminalSpec, ...] = DEFAULT_TERMINALS[:1],
        platform: str = "offscreen",
        motion: bool = False,
        screen: str = SCREEN,
        on_progress: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.root = root
        self._specs = terminals
        self._platform = platform
        self._motion = motion
        self._screen = screen
        self._on_progress = on_progress
        self._placed = False
        self.persons: dict[str, SyntheticPerson] = load_persons()
        self.events: list[dict[str, Any]] = []
        self._events_lock = threading.Lock()
        self.hall = Hall(root / "hall")
        self._hall_keeper = Supervisor((self.hall.program,), log_dir=root / "hall-logs", on_event=self._note)
        self.terminals: dict[str, Terminal] = {}

    def __enter__(self) -> Street:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Bring everything up; the hardware starts while the hall makes its keys.

        Hardware is spawned from the caller's thread: children die with the thread that started them.
        """
        self.make_place()
        for spec in self._specs:
            self._add(spec)
            self.terminals[spec.id].start_hardware()
        self._start_hall()
        for terminal in self.terminals.values():
            self._start_terminal(terminal)
        for terminal in self.terminals.values():
            terminal.wait_ready()

    def make_place(self) -> None:
        """An empty root; once only, so that a disk may be mounted in it before the start."""
        if not self._placed:
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
            self._placed = True

    def add_terminal(self, spec: TerminalSpec) -> Terminal:
        """One more terminal on a running street."""
        terminal = self._add(spec)
        terminal.start_hardware()
        self._start_terminal(terminal)
        terminal.wait_ready()
        return terminal

    def stop(self) -> None:
        """End every process that was started."""
        for terminal in self.terminals.values():
            terminal.stop()
        self._hall_keeper.stop()

    def kill(self, terminal: Terminal, name: str) -> int | None:
        """kill -9 of `hall`, `ui`, `sync` or a driver; its pid, or None if it was down already."""
        pid = self.hall_pid() if name == "hall" else terminal.pid(name)
        if pid is not None:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                return None
            self._note(name, "killed", pid)
        return pid

    def hall_pid(self) -> int | None:
        """Of the hall's process, None while it is down."""
        return self._hall_keeper.pid("hall")

    def _add(self, spec: TerminalSpec) -> Terminal:
        terminal = Terminal(
            spec,
            self.root / spec.id,
            hall=self.hall,
            platform=self._platform,
            motion=self._motion,
            screen=self._screen,
        )
        self.terminals[spec.id] = terminal
        return terminal

    def _start_hall(self) -> None:
        self._on_progress("大厅 hall: keys, catalogue, records")
        self._hall_keeper.start()
        self.hall.wait_ready()
        self.hall.fill()

    def _start_terminal(self, terminal: Terminal) -> None:
        self._on_progress(f"终端 terminal {terminal.spec.id}: enrolment")
        terminal.wait_hardware()
        terminal.start_link()
        terminal.enrol(self.hall.ticket(terminal.spec))
        self._on_progress(f"终端 terminal {terminal.spec.id}: screen and devices")
        terminal.start_software(self._note)

    def _note(self, name: str, what: str, number: int) -> None:
        with self._events_lock:
            self.events.append({"at": time.time(), "process": name, "what": what, "number": number})
