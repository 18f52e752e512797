"""The ports of `kiosk.core.ports`, each over one `DriverHost`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from drivers.host.adapter import Reply
from drivers.host.codec import (
    CodecError,
    dump_document,
    dump_receipt,
    load_card,
    load_proof,
    load_shot,
    load_social_card,
    take_enum,
)
from drivers.host.host import DriverHost, Outcome
from kiosk.core.devices import (
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    Lamp,
    LampState,
    SiteChanged,
    SiteInputs,
    StatusChanged,
)
from kiosk.core.id_card import IdCard
from kiosk.core.ports import Document, JobFate, Listener, PrintProof, Shot
from kiosk.core.receipt import Receipt
from kiosk.core.result import Err, Ok, Result
from kiosk.core.social_card import SocialCard

T = TypeVar("T")

_GIVE_UP_S = 2.0
"""What a receipt driver may need beyond its time: a lost line is noticed and reset."""

_LAST_WORD_S = 5.0
"""A driver that is given a time for its work ends it so much before it would be killed."""


def _load(outcome: Outcome, load: Callable[[Reply], T], senseless: Fault = Fault.PROTOCOL) -> Result[T, DeviceError]:
    """The value in a reply; `senseless` is the fault of one that holds none."""
    match outcome:
        case Ok(reply):
            try:
                return Ok(load(reply))
            except CodecError as error:
                return Err(DeviceError(senseless, str(error)))
        case Err():
            return outcome


class _Proxy:
    """What every device can do."""

    def __init__(self, host: DriverHost, *, deadline_s: float) -> None:
        self._host = host
        self._deadline_s = deadline_s

    @property
    def kind(self) -> DeviceKind:
        """Which device."""
        return self._host.kind

    def status(self) -> DeviceStatus:
        """As last seen; never blocks."""
        return self._host.status()

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event, from the host's thread."""
        self._host.listen(listener)


class IdCardReaderProxy(_Proxy):
    """身份证阅读器 in its own process."""

    def __init__(self, host: DriverHost, *, deadline_s: float = 10.0) -> None:
        super().__init__(host, deadline_s=deadline_s)

    def read(self) -> Result[IdCard, DeviceError]:
        """Read the card that lies on the reader."""
        outcome = self._host.call("read", deadline_s=self._deadline_s)
        return _load(outcome, lambda reply: load_card(reply.values, reply.blob))


class ReceiptPrinterProxy(_Proxy):
    """热敏打印机 in its own process."""

    def __init__(self, host: DriverHost, *, deadline_s: float = 30.0) -> None:
        super().__init__(host, deadline_s=deadline_s)

    def print(self, receipt: Receipt) -> Result[PrintProof, DeviceError]:
        """Print one slip; a driver that died over it leaves it UNPROVEN.

        The driver is told to end a little before the deadline, so that it gives up in order and is not killed.
        """
        within_s = max(self._deadline_s - _GIVE_UP_S, self._deadline_s / 2)
        args = {**dump_receipt(receipt), "within_s": within_s}
        outcome = self._host.call("print", args, deadline_s=self._deadline_s, if_unknown=Fault.UNPROVEN)
        return _load(outcome, lambda reply: load_proof(reply.values), Fault.UNPROVEN)


class PagePrinterProxy(_Proxy):
    """A4 激光打印机 in its own process."""

    def __init__(self, host: DriverHost, *, deadline_s: float = 120.0) -> None:
        super().__init__(host, deadline_s=deadline_s)

    def print(self, document: Document) -> Result[PrintProof, DeviceError]:
        """Print; a driver that died over it leaves it UNPROVEN, and the same job name may be asked for again."""
        args, pdf = dump_document(document)
        args["within_s"] = max(0.9 * self._deadline_s, self._deadline_s - _LAST_WORD_S)
        outcome = self._host.call("print", args, pdf, deadline_s=self._deadline_s, if_unknown=Fault.UNPROVEN)
        return _load(outcome, lambda reply: load_proof(reply.values), Fault.UNPROVEN)

    def fate(self, job: str, *, age_s: float | None = None) -> Result[JobFate, DeviceError]:
        """Ask the printer for an earlier job."""
        args = {"job": job} if age_s is None else {"job": job, "age_s": age_s}
        outcome = self._host.call("fate", args, deadline_s=self._deadline_s)
        return _load(outcome, lambda reply: take_enum(reply.values, "fate", JobFate))


class DocumentCameraProxy(_Proxy):
    """高拍仪 in its own process."""

    def __init__(self, host: DriverHost, *, deadline_s: float = 10.0) -> None:
        super().__init__(host, deadline_s=deadline_s)

    def start_preview(self) -> Result[None, DeviceError]:
        """PreviewFrame events follow."""
        return _load(self._host.call("start_preview", deadline_s=self._deadline_s), lambda _reply: None)

    def stop_preview(self) -> Result[None, DeviceError]:
        """No more frames."""
        return _load(self._host.call("stop_preview", deadline_s=self._deadline_s), lambda _reply: None)

    def capture(self) -> Result[Shot, DeviceError]:
        """Take the page that lies there now."""
        outcome = self._host.call("capture", deadline_s=self._deadline_s)
        return _load(outcome, lambda reply: load_shot(reply.values, reply.blob))


class SocialCardReaderProxy(_Proxy):
    """社保卡读卡器 in its own process."""

    def __init__(self, host: DriverHost, *, deadline_s: float = 10.0) -> None:
        super().__init__(host, deadline_s=deadline_s)

    def read(self) -> Result[SocialCard, DeviceError]:
        """Read the card in the slot."""
        outcome = self._host.call("read", deadline_s=self._deadline_s)
        return _load(outcome, lambda reply: load_social_card(reply.values))


class CodeScannerProxy(_Proxy):
    """扫码器 in its own process: it only speaks."""

    def __init__(self, host: DriverHost) -> None:
        super().__init__(host, deadline_s=0.0)


class SiteIoProxy(_Proxy):
    """机柜 I/O 板 in its own process. What it felt last is forgotten when contact is lost."""

    def __init__(self, host: DriverHost, *, deadline_s: float = 3.0) -> None:
        super().__init__(host, deadline_s=deadline_s)
        self._inputs = SiteInputs()
        host.listen(self._hear)

    def inputs(self) -> SiteInputs:
        """As last felt; never blocks."""
        return self._inputs

    def light(self, lamp: Lamp, state: LampState) -> Result[None, DeviceError]:
        """Switch a lamp."""
        outcome = self._host.call("light", {"lamp": lamp.value, "state": state.value}, deadline_s=self._deadline_s)
        return _load(outcome, lambda _reply: None)

    def _hear(self, event: DeviceEvent) -> None:
        match event:
            case SiteChanged(inputs):
                self._inputs = inputs
            case StatusChanged(status) if status.state is not DeviceState.ONLINE:
                self._inputs = SiteInputs()
            case _:
                pass
