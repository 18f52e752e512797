"""An ID card reader by PC/SC that shows resident cards as storage cards (FF B0): a monitor thread for cards, readings
in the worker's main thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from drivers.host.adapter import Emit
from drivers.idcard.address import Transport
from drivers.idcard.profiles import FAULT_OF, CardClass, Plan, Profiles
from drivers.idcard.protocol import PLAN, AskAgain, Block, CardBytes, parse_answer, split_stream
from drivers.idcard.recognise import get_response, select, verdict
from drivers.pcsc.address import PcscAddress
from drivers.pcsc.card import T0, ConnectedCard, PcscFailure, connected
from drivers.pcsc.monitor import Monitor
from drivers.pcsc.reader import connected_reader, describe
from drivers.pcsc.status import Sight, events_between, status_of
from kiosk.core.devices import DeviceError, DeviceKind, DeviceState, DeviceStatus, Fault, MediaState
from kiosk.core.result import Err, Ok, Result

KIND = DeviceKind.ID_CARD
BUDGET_S = 6.0
"""For one reading; a card slower than that is given up before the host gives up the driver."""


LEAVES_S = 0.3
"""So soon after a failed exchange the service tells that the card is gone, if it is."""


class PcscReader:
    """One reader of a PC/SC service."""

    def __init__(
        self, address: PcscAddress, profiles: Profiles, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = address
        self._profiles = profiles
        self._clock = clock
        self._lock = threading.Lock()
        self._sight: Sight | None = None
        self._seen = threading.Event()
        self._monitor: Monitor | None = None

    def open(self, emit: Emit) -> None:
        """Begin to watch."""

        def see(sight: Sight) -> None:
            with self._lock:
                before, self._sight = self._sight, sight
            self._seen.set()
            for event in events_between(before, sight, KIND, self._status_of):
                emit(event)

        self._monitor = Monitor(self._address, see)
        self._monitor.start()

    def close(self) -> None:
        """Stop watching."""
        if self._monitor is not None:
            self._monitor.stop()

    def status(self) -> DeviceStatus:
        """As last seen."""
        with self._lock:
            sight = self._sight
        return self._status_of(sight, KIND) if sight else DeviceStatus(KIND, DeviceState.STARTING, MediaState.UNKNOWN)

    def identify(self) -> Result[str, DeviceError]:
        """Reader, maker, firmware and profile, asked now."""
        if error := self._hopeless():
            return Err(error)
        try:
            with connected_reader(self._address) as reader:
                found = describe(reader)
        except PcscFailure as failed:
            return Err(failed.error)
        profile = self._profiles.reader(Transport.PCSC, reader.name)
        return Ok(f"{found}; {profile.id if profile else 'no profile'}")

    def read(self) -> Result[CardBytes, DeviceError]:
        """The card that lies there."""
        if error := self._hopeless():
            return Err(error)
        ends = self._clock() + BUDGET_S
        try:
            with connected(self._address) as card:
                self._demand_readable(card)
                stream = b"".join(self._read_block(card, block, ends) for block in PLAN)
        except PcscFailure as failed:
            return Err(self._or_the_reader(failed.error))
        match split_stream(stream):
            case Err(wrong):
                return Err(DeviceError(Fault.CARD_UNREADABLE, f"{wrong.why} {wrong.detail}".rstrip()))
            case Ok() as good:
                return good

    def _or_the_reader(self, error: DeviceError) -> DeviceError:
        """A card that is said to be gone, and still lies there: it is the reader that does not answer."""
        if error.fault is not Fault.CARD_REMOVED:
            return error
        ends = self._clock() + LEAVES_S
        while self._lies_there():
            if self._clock() > ends:
                return DeviceError(Fault.UNREACHABLE, error.detail)
            self._seen.wait(LEAVES_S)
            self._seen.clear()
        return error

    def _lies_there(self) -> bool:
        with self._lock:
            return self._sight is not None and self._sight.present is True

    def _status_of(self, sight: Sight, kind: DeviceKind) -> DeviceStatus:
        """A reader without SAM_V is ill for good, whatever lies on it."""
        status = status_of(sight, kind)
        if status.state is DeviceState.ONLINE and self._plan(sight.reader) is Plan.NONE:
            detail = "an ordinary contactless reader; a resident card needs one with SAM_V"
            return replace(status, state=DeviceState.ERROR, fault=Fault.READER_UNSUITED, detail=detail)
        return status

    def _plan(self, reader: str) -> Plan:
        profile = self._profiles.reader(Transport.PCSC, reader)
        return profile.plan if profile else Plan.NONE

    def _hopeless(self) -> DeviceError | None:
        """A service that hangs would hold the main thread until the host ends the whole driver."""
        with self._lock:
            sight = self._sight
        if sight is None or not sight.hung:
            return None
        status = self._status_of(sight, KIND)
        return DeviceError(status.fault or Fault.SERVICE_DOWN, status.detail)

    def _demand_readable(self, card: ConnectedCard) -> None:
        known = self._profiles.card(card.atr()) or self._ask_whose(card)
        if known is CardClass.RESIDENT and self._plan(card.reader) is not Plan.NONE:
            return
        raise PcscFailure(FAULT_OF.get(known, Fault.READER_UNSUITED), known.value)

    def _ask_whose(self, card: ConnectedCard) -> CardClass:
        byte_wise = card.protocol == T0
        for question in self._profiles.questions:
            answer = card.transmit(select(question, byte_wise=byte_wise))
            if more := get_response(answer):
                answer = card.transmit(more)
            if (known := verdict(self._profiles, question, answer)) is not None:
                return known
        return CardClass.FOREIGN

    def _read_block(self, card: ConnectedCard, block: Block, ends: float) -> bytes:
        """One block, asked for once more if the reader names another Le."""
        if self._clock() > ends:
            raise PcscFailure(Fault.TIMEOUT, f"card is too slow, {block.offset} bytes in {BUDGET_S:g} s")
        answer = parse_answer(block, card.transmit(block.command()))
        if isinstance(answer, Ok) and isinstance(answer.value, AskAgain):
            answer = parse_answer(block, card.transmit(block.command(answer.value.le)))
        match answer:
            case Ok(bytes() as data):
                return data
            case Ok():
                raise PcscFailure(Fault.CARD_UNREADABLE, "length named twice")
            case Err(error):
                raise PcscFailure(Fault.CARD_UNREADABLE, f"{error.why} {error.detail}".rstrip())
