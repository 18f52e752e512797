"""The receipt printer in its worker process (热敏打印机): raster out, printed only on the printer's own proof.

After the first byte of a slip is sent there are two ends: it is proven, or it is not and the slip is UNPROVEN: the
citizen is asked. Before it, every error means that nothing came out. A slip that is given up is recalled (DLE DC4 8,
connection reset), so that it does not appear later in front of somebody else. Nothing is ever sent twice.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from PIL import Image

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import CodecError, dump_proof, load_receipt
from drivers.receipt.conversation import Conversation, NoAnswer
from drivers.receipt.delivery import Delivery, Ending
from drivers.receipt.fonts import FontBook
from drivers.receipt.introduction import IN_TURN, introduce
from drivers.receipt.layout import Layout
from drivers.receipt.link import Link, LinkLost, SerialPort, parse_address, wanted_model
from drivers.receipt.models import Model, by_id, catalogue
from drivers.receipt.protocol import random_token, slip
from drivers.receipt.render import render
from drivers.receipt.sample import sample
from drivers.receipt.status import starting, summarize
from drivers.receipt.timings import Timings
from kiosk.core.devices import DeviceError, DeviceKind, DeviceStatus, Fault, StatusChanged
from kiosk.core.ports import PrintProof
from kiosk.core.receipt import Receipt
from kiosk.core.result import Err, Ok, Result


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
        """ValueError when the address cannot be understood."""
        self._where = self.identity = address.partition("?")[0]
        self._address = parse_address(address)
        wanted = wanted_model(address)
        self._wanted = by_id(wanted) if wanted else None
        self._model = self._wanted or catalogue()[0]
        self._timings = timings or Timings()
        self._book = book or FontBook()
        self._monotonic = monotonic
        self._token = token
        self._line_lock = threading.Lock()
        self._line: Conversation | None = None
        self._introduced = False
        """The printer on this line was asked who it is."""
        self._status = starting(self.identity)
        self._emit: Emit = lambda _event: None
        self._stopping = False
        self._wake = threading.Event()
        self._monitor: threading.Thread | None = None

    def open(self, emit: Emit) -> None:
        """Start to watch the printer."""
        self._emit = emit
        self._monitor = threading.Thread(target=self._watch, name="receipt-status", daemon=True)
        self._monitor.start()

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._status

    @property
    def model(self) -> Model:
        """Whose ways are followed now."""
        return self._model

    def close(self) -> None:
        """Stop watching and hang up."""
        self._stopping = True
        self._wake.set()
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
        match self._print(lambda layout: render(receipt, self._book, layout), within_s=within_s):
            case Ok():
                return Ok(PrintProof(receipt.job, 1))
            case Err() as refused:
                return refused

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Quick: how it is, who it is, one exchange in turn. Deep: a test slip, proven."""
        began = self._monotonic()
        if deep:
            match self._print(lambda layout: sample(self._book, layout, self._model.about), patient=False):
                case Err() as failed:
                    return failed
                case Ok():
                    proof = f"; test slip proven after {self._monotonic() - began:.1f} s"
        else:
            proof = ""
            with self._line_lock:
                self._look()
                if self._line is None or not self._status.well:
                    return Err(self._trouble())
                if (broken := self._ask_in_turn(self._line)) is not None:
                    return Err(broken)
        model = self._model
        return Ok(f"{self.identity}; {model.id}, {model.dots} dots, proof: {model.proving.value}{proof}")

    # --- watching ------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        retry, asked_at = self._timings.first_retry, -math.inf
        while not self._stopping:
            with self._line_lock:
                if self._line is None or self._monotonic() - asked_at >= self._timings.poll:
                    self._look()
                    asked_at = self._monotonic()
                else:
                    self._listen(self._line)
                connected = self._line is not None
            if connected:
                retry = self._timings.first_retry
                self._wake.wait(self._timings.listen)
            else:
                self._wake.wait(retry)
                retry = min(retry * 2, self._timings.last_retry)
            self._wake.clear()

    def _listen(self, line: Conversation) -> None:
        """Has the printer told of a change by itself?"""
        try:
            line.step(0.0)
        except LinkLost as error:
            self._lose(error.fault, str(error))
        else:
            self._publish(self._summary(line))

    def _look(self) -> None:
        """Connect if need be and ask the printer how it is; the answer is `self._status`."""
        try:
            if self._line is None:
                self._connect()
            if self._line is not None:
                self._line.condition()
                if not self._introduced and self._summary(self._line).well:
                    self._introduce(self._line)
                    self._line.condition()
                self._publish(self._summary(self._line))
        except LinkLost as error:
            self._lose(error.fault, str(error))
        except NoAnswer as error:
            self._lose(Fault.PROTOCOL if error.noise else Fault.TIMEOUT, str(error))

    def _connect(self) -> None:
        link = Link(self._address, connect_s=self._timings.connect)
        self._introduced = False
        self._line = line = Conversation(
            link,
            model=self._model,
            answer_s=self._timings.answer,
            obeys_flow=isinstance(self._address, SerialPort),
            monotonic=self._monotonic,
        )
        line.condition()
        if self._model.recall and not self._summary(line).well:
            # Whatever an earlier connection left waiting for paper belongs to a citizen who has gone.
            line.recall(self._timings.recall)

    def _introduce(self, line: Conversation) -> None:
        """Learn who it is; NoAnswer."""
        acquaintance = introduce(line, wanted=self._wanted, token=self._token(), quiet_s=self._timings.quiet)
        self._model = acquaintance.model
        self.identity = f"{acquaintance.name} {self._where}".lstrip()
        self._introduced = True

    def _ask_in_turn(self, line: Conversation) -> DeviceError | None:
        """Does it still work off what it is sent?"""
        try:
            if self._model.sensor and not line.settle(self._timings.quiet):
                self._lose(Fault.TIMEOUT, f"no answer to {IN_TURN}")
                return self._trouble()
        except LinkLost as error:
            self._lose(error.fault, str(error))
            return self._trouble()
        return None

    def _summary(self, line: Conversation) -> DeviceStatus:
        if line.heard is None:
            return self._status
        return summarize(line.heard, identity=self.identity, near_end=self._model.near_end)

    def _trouble(self) -> DeviceError:
        return DeviceError(self._status.fault or Fault.TIMEOUT, self._status.detail)

    def _lose(self, fault: Fault, detail: str) -> None:
        self._drop()
        self._publish(self._status.lost(fault, detail))

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.link.abort()

    def _publish(self, status: DeviceStatus) -> None:
        if status != self._status:
            self._status = status
            self._emit(StatusChanged(status))

    # --- printing ------------------------------------------------------------------------------------------------

    def _print(
        self,
        draw: Callable[[Layout], Result[Image.Image, DeviceError]],
        *,
        within_s: float | None = None,
        patient: bool = True,
    ) -> Result[None, DeviceError]:
        until = self._monotonic() + (self._timings.within if within_s is None else within_s) - self._timings.recall
        with self._line_lock:
            self._look()
            if self._line is None or not self._status.well:
                return Err(self._trouble())
            drawn = draw(Layout.of(self._model.dots))
            if isinstance(drawn, Err):
                return drawn
            if self._monotonic() >= until:
                return Err(DeviceError(Fault.TIMEOUT, "no time left to print"))
            ending = self._deliver(self._line, drawn.value, until=until, patient=patient)
            # A citizen must be asked whatever hindered the printer; a technician wants to know what it was.
            fault = Fault.UNPROVEN if patient else self._status.fault or Fault.UNPROVEN
        return Ok(None) if ending is Ending.PROVEN else Err(DeviceError(fault, ending.value))

    def _deliver(self, line: Conversation, image: Image.Image, *, until: float, patient: bool) -> Ending:
        """Send a slip and wait for its end; what is not on paper then is taken back."""
        token = self._token()
        strips = slip(image, token, model=self._model, after_break=not line.clean)
        delivery = Delivery(
            line,
            token,
            timings=self._timings,
            monotonic=self._monotonic,
            look=lambda: self._hear(line),
            patient=patient,
        )
        try:
            ending = delivery.run(strips, until=until)
            if ending not in (Ending.PROVEN, Ending.UNPROVABLE):
                if self._model.recall:
                    line.recall(self._timings.recall)
                if line.proven(token) and line.drained:
                    ending = Ending.PROVEN
        except LinkLost as error:
            self._lose(error.fault, str(error))
            return Ending.BROKEN
        line.clean = ending is Ending.PROVEN
        if ending is Ending.SILENT:
            self._lose(Fault.TIMEOUT, ending.value)
        elif ending not in (Ending.PROVEN, Ending.UNPROVABLE):
            self._drop()
            self._wake.set()  # the recall may have stuck behind the slip; a new connection recalls what is left
        return ending

    def _hear(self, line: Conversation) -> DeviceStatus:
        self._publish(self._summary(line))
        return self._status
