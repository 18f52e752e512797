"""The receipt printer in its worker process (热敏打印机): raster out, printed only on the printer's own proof.

After the first byte of a slip is sent there are two ends: the proof (GS ( H) came, or it did not and the slip is
UNPROVEN: the citizen is asked. Before it, every error means that nothing came out. A slip that is given up is
recalled (DLE DC4 8, connection reset), so that it does not appear later in front of somebody else.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import CodecError, dump_proof, load_receipt
from drivers.receipt.conversation import Conversation, NoAnswer
from drivers.receipt.fonts import FontBook
from drivers.receipt.link import Link, LinkLost, parse_address
from drivers.receipt.protocol import slip
from drivers.receipt.render import render
from drivers.receipt.status import starting, summarize, unreachable
from kiosk.core.devices import DeviceError, DeviceKind, DeviceStatus, Fault, StatusChanged
from kiosk.core.ports import PrintProof
from kiosk.core.receipt import Receipt
from kiosk.core.result import Err, Ok, Result

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Timings:
    """Every wait of this driver, seconds."""

    poll: float = 1.0
    """Between two looks at an idle printer."""
    answer: float = 0.6
    """For one status byte."""
    connect: float = 2.0
    proof: float = 12.0
    """For the proof of a printer that says that it is well, counted from the last sign of progress."""
    within: float = 25.0
    """For a whole slip, with paper put in half-way; shorter than the host's deadline. `within_s` of a command wins."""
    recall: float = 1.0
    """For the printer to confirm that it forgot the slip."""
    step: float = 0.1
    first_retry: float = 0.3
    last_retry: float = 5.0


def random_token() -> bytes:
    """A process id that no earlier slip is likely to have had, also before a restart."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(4)).encode()


class ReceiptAdapter:
    """Adapter for `drivers.host.worker`: verb `print` with a dumped Receipt → a dumped PrintProof."""

    kind = DeviceKind.RECEIPT
    capabilities = frozenset({"print"})

    def __init__(
        self,
        address: str,
        *,
        timings: Timings | None = None,
        book: FontBook | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        token: Callable[[], bytes] = random_token,
    ) -> None:
        self.identity = address
        self._address = parse_address(address)
        self._timings = timings or Timings()
        self._book = book or FontBook()
        self._monotonic = monotonic
        self._token = token
        self._line_lock = threading.Lock()
        self._line: Conversation | None = None
        self._status = starting(address)
        self._emit: Emit = lambda _event: None
        self._stop = threading.Event()
        self._monitor: threading.Thread | None = None

    def open(self, emit: Emit) -> None:
        """Start to watch the printer."""
        self._emit = emit
        self._monitor = threading.Thread(target=self._watch, name="receipt-status", daemon=True)
        self._monitor.start()

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._status

    def close(self) -> None:
        """Stop watching and hang up."""
        self._stop.set()
        if self._monitor is not None:
            self._monitor.join()
        with self._line_lock:
            self._drop()

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """`print`."""
        if verb not in self.capabilities:
            return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))
        try:
            receipt, within_s = load_receipt(args), float(args.get("within_s", self._timings.within))
        except (CodecError, TypeError, ValueError) as error:
            return Err(DeviceError(Fault.PROTOCOL, f"command is malformed ({type(error).__name__})"))
        match self.print(receipt, within_s=within_s):
            case Ok(proof):
                return Ok(Reply(dump_proof(proof)))
            case Err() as refused:
                return refused

    def print(self, receipt: Receipt, *, within_s: float | None = None) -> Result[PrintProof, DeviceError]:
        """One slip; see the module for what its errors mean."""
        until = self._monotonic() + (self._timings.within if within_s is None else within_s)
        rendered = render(receipt, self._book)
        if isinstance(rendered, Err):
            return rendered
        with self._line_lock:
            self._look()
            if self._line is None or not self._status.well:
                # A state without a named fault is an error that the printer does not explain.
                return Err(DeviceError(self._status.fault or Fault.PROTOCOL, self._status.detail))
            delivered = self._deliver(self._line, rendered.value, until - self._timings.recall)
        if delivered is None:
            return Ok(PrintProof(receipt.job, 1))
        return Err(DeviceError(Fault.UNPROVEN, delivered))

    # --- watching ------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        retry = self._timings.first_retry
        while not self._stop.is_set():
            with self._line_lock:
                self._look()
                connected = self._line is not None
            if connected:
                retry = self._timings.first_retry
                self._stop.wait(self._timings.poll)
            else:
                self._stop.wait(retry)
                retry = min(retry * 2, self._timings.last_retry)

    def _look(self) -> None:
        """Connect if need be and ask the printer how it is; the answer is `self._status`."""
        try:
            if self._line is None:
                self._connect()
            if self._line is not None:
                self._publish(summarize(self._line.condition(), identity=self.identity))
        except LinkLost as error:
            self._lose(Fault.UNREACHABLE, str(error))
        except NoAnswer as error:
            self._lose(Fault.PROTOCOL if error.noise else Fault.TIMEOUT, str(error))

    def _connect(self) -> None:
        link = Link(self._address, connect_s=self._timings.connect)
        self._line = Conversation(link, answer_s=self._timings.answer, monotonic=self._monotonic)
        if not summarize(self._line.condition(), identity=self.identity).well:
            # Whatever an earlier connection left waiting for paper belongs to a citizen who has gone.
            self._line.recall(self._timings.recall)

    def _lose(self, fault: Fault, detail: str) -> None:
        self._drop()
        self._publish(unreachable(fault, identity=self.identity, detail=detail))

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.link.abort()

    def _publish(self, status: DeviceStatus) -> None:
        if status != self._status:
            self._status = status
            self._emit(StatusChanged(status))

    # --- printing ------------------------------------------------------------------------------------------------

    def _deliver(self, line: Conversation, image: Image.Image, until: float) -> str | None:
        """Send a slip and wait for its proof. None: proven; otherwise why not."""
        token = self._token()
        line.send(slip(image, token, after_break=not line.clean))
        try:
            if not self._wait_for(line, token, until):
                line.recall(self._timings.recall)
                if not line.proven(token):
                    self._drop()
                    self._look()  # the recall may have stuck behind the slip; a new connection recalls what is left
                    return "no proof in time"
        except LinkLost as error:
            self._lose(Fault.UNREACHABLE, str(error))
            return "line broke while printing"
        line.clean = True
        return None

    def _wait_for(self, line: Conversation, token: bytes, until: float) -> bool:
        """False when a printer that is well has not moved (taken bytes, changed its status) for too long,
        or when the time is up: a printer that waits for paper is waited for."""
        moved_at = asked_at = self._monotonic()
        sending = True
        while not line.proven(token):
            moved = line.step(self._timings.step) > 0 and sending
            sending = sending and not line.sent_all  # later bytes are only our own questions
            now = self._monotonic()
            before = self._status
            if line.heard is not None:
                self._publish(summarize(line.heard, identity=self.identity))
            if moved or self._status != before:
                moved_at = now
            if now >= until or (self._status.well and now - moved_at >= self._timings.proof):
                return False
            if line.sent_all and now - asked_at >= self._timings.poll:
                line.ask()
                asked_at = now
        return True
