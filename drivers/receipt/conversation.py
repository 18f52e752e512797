"""One connection's talk with the printer: what is to be sent, what was asked, what was heard. One thread at a time.

A slip is sent in strips. Behind each goes a GS r, which the printer answers in its turn; what is not answered is never
more than the printer's buffer holds. So the buffer never runs over, on a serial line without handshake too, a question
about its state always gets through, and a printer that lost its power lost the answers with its buffer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from drivers.receipt.answers import (
    Answer,
    Demultiplexer,
    Flow,
    FullStatus,
    Info,
    Noise,
    Proof,
    RealTimeStatus,
    Recalled,
    Sensor,
    StatusBack,
)
from drivers.receipt.link import CHUNK, Link
from drivers.receipt.models import Model, Mouth
from drivers.receipt.protocol import (
    ASK_SENSOR,
    INITIALIZE,
    RECALL,
    ROUND,
    STATUS_BACK_OFF,
    STATUS_BACK_ON,
    InfoKind,
    StatusKind,
    ask_info,
    ask_proof,
    ask_status,
    resync,
)
from drivers.receipt.status import Condition, from_real_time, from_status_back

_SPARE = 512
"""Bytes of the printer's buffer that are left for questions: half a minute of them."""


class NoAnswer(Exception):
    """The printer takes bytes but does not answer. `noise`: it said something that is no answer."""

    def __init__(self, what: str, *, noise: bool) -> None:
        super().__init__("answers make no sense" if noise else f"no answer to {what}")
        self.noise = noise


class Conversation:
    """Sends and listens in small bounded steps; LinkLost from any step ends it."""

    def __init__(
        self, link: Link, *, model: Model, answer_s: float, obeys_flow: bool, monotonic: Callable[[], float]
    ) -> None:
        """`obeys_flow`: XOFF and XON mean something on this line."""
        self.link = link
        self.clean = False
        """A slip was proven on this connection: nothing of an earlier one can be in the printer."""
        self.heard: Condition | None = None
        """The last thing the printer said about itself."""
        self.rounds = 0
        """Status rounds that came to their end."""
        self.progress = 0
        """Grows with every byte of a slip that leaves and every strip that the printer has worked off."""
        self.doubtful = False
        """Something was heard since the slip began that was no answer, or an answer to nothing."""
        self._answer_s = answer_s
        self._obeys_flow = obeys_flow
        self._monotonic = monotonic
        self._demultiplexer = Demultiplexer()
        self._wire = bytearray()
        """Begun: must go out before anything else."""
        self._questions = bytearray()
        self._strips: deque[bytes] = deque()
        self._window: deque[int] = deque()
        """Sizes of what was sent and not worked off."""
        self._held = False
        """XOFF."""
        self._round: list[RealTimeStatus | FullStatus] | None = None
        """Answers of the status round in progress; the printer is asked one thing at a time."""
        self._asked_at = 0.0
        self._awaited: set[bytes] = set()
        self._proofs: set[bytes] = set()
        self._info: str | None = None
        self._sensors = 0
        self._recalled = False
        self._noise = False
        self.model = model

    @property
    def model(self) -> Model:
        """Whose ways are followed."""
        return self._model

    @model.setter
    def model(self, model: Model) -> None:
        self._model = model
        self._demultiplexer.full_status = model.mouth is Mouth.FULL_STATUS

    # --- sending -------------------------------------------------------------------------------------------------

    def begin(self, strips: Sequence[bytes], token: bytes) -> None:
        """A slip, to be sent by the next steps; `token` is its process id, where the model has such."""
        self._awaited.add(token)
        self._strips.extend(strips)
        self.doubtful = False

    @property
    def sent(self) -> bool:
        """Has the line taken the whole slip? The printer may still hold it in its buffer."""
        return not self._strips and not self._wire

    @property
    def drained(self) -> bool:
        """Everything is sent, and the printer said of each strip that it was worked off."""
        return self.sent and not self._window

    def step(self, timeout_s: float) -> None:
        """Send and hear what goes without waiting longer than `timeout_s`."""
        self._fill()
        sent, received = self.link.exchange(bytes(self._wire[:CHUNK]), timeout_s=timeout_s)
        del self._wire[:sent]
        for answer in self._demultiplexer.feed(received):
            self._hear(answer)

    def _fill(self) -> None:
        """Questions first, then strips as far as the printer has room."""
        while len(self._wire) < CHUNK:
            if self._questions:
                self._wire += self._questions
                self._questions.clear()
            elif self._strips and self._has_room(len(self._strips[0]) + len(ASK_SENSOR)):
                strip = self._strips.popleft()
                self._wire += strip
                self.progress += len(strip)
                if self._model.sensor:
                    self._wire += ASK_SENSOR
                    self._window.append(len(strip) + len(ASK_SENSOR))
            else:
                return

    def _has_room(self, size: int) -> bool:
        if self._held:
            return False
        return not self._window or sum(self._window) + size <= self._model.buffer - _SPARE

    # --- asking --------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Begin a status round unless one is going on; its end shows in `heard` and `rounds`."""
        if self._round is None:
            self._round = []
            self._ask_next(ROUND[0])

    @property
    def silent_s(self) -> float:
        """How long a question has been waiting for its answer; 0 when there is none."""
        return 0.0 if self._round is None else self._monotonic() - self._asked_at

    def condition(self) -> Condition:
        """Ask and wait; NoAnswer."""
        self.ask()
        self._noise = False
        while self._round is not None:
            if (left := self._answer_s - self.silent_s) <= 0:
                raise NoAnswer("a status request", noise=self._noise)
            self.step(left)
        assert self.heard is not None
        return self.heard

    def tell_changes(self, on: bool) -> None:
        """Automatic status back. It must be off while the printer says who it is: the two can look the same."""
        self._questions += (STATUS_BACK_ON if on else STATUS_BACK_OFF) if self._model.status_back else b""

    def settle(self, quiet_s: float) -> bool:
        """Bring a printer of unknown past into order and wait until it has said all that it was asked before.

        True: it answers GS r in its turn.
        """
        before = self._sensors
        self._questions += resync(self._model) + INITIALIZE + ASK_SENSOR
        heard, until = before, self._monotonic() + self._answer_s
        while (now := self._monotonic()) < until:
            self.step(until - now)
            if self._sensors != heard:
                heard, until = self._sensors, self._monotonic() + quiet_s
        return heard > before

    def info(self, kind: InfoKind) -> str | None:
        """What the printer says of itself, or None: it does not answer. What it takes for text is wiped."""
        self._info = None
        self._demultiplexer.info_asked = True
        self._questions += ask_info(kind) + INITIALIZE
        self._wait(lambda: self._info is not None)
        self._demultiplexer.info_asked = False
        return self._info

    def returns(self, token: bytes) -> bool:
        """Does it know GS ( H?"""
        self._awaited.add(token)
        self._questions += ask_proof(token) + INITIALIZE
        self._wait(lambda: token in self._proofs)
        return token in self._proofs

    def proven(self, token: bytes) -> bool:
        """Did the printer say that everything before this process id is on paper?"""
        return token in self._proofs

    def recall(self, timeout_s: float) -> bool:
        """Make the printer forget what it has not printed; True when it says so."""
        self._wire.clear()
        self._strips.clear()
        self._recalled = False
        self._questions += RECALL
        self._wait(lambda: self._recalled, timeout_s)
        return self._recalled

    def _wait(self, happened: Callable[[], bool], timeout_s: float | None = None) -> None:
        until = self._monotonic() + (self._answer_s if timeout_s is None else timeout_s)
        while not happened() and (now := self._monotonic()) < until:
            self.step(until - now)

    # --- hearing -------------------------------------------------------------------------------------------------

    def _hear(self, answer: Answer) -> None:
        match answer:
            case RealTimeStatus() | FullStatus():
                self._continue_round(answer)
            case StatusBack(bits):
                seen = self.heard.in_mouth if self.heard else None
                self.heard = replace(from_status_back(bits), in_mouth=seen)
            case Sensor():
                self._sensors += 1
                if self._window:
                    self.progress += self._window.popleft()
                else:
                    self.doubtful = True
            case Proof(token):
                self._proofs.add(token)
                self.doubtful |= token not in self._awaited
            case Info(text):
                self._info = text
            case Recalled():
                self._recalled = True
            case Flow(go):
                self._held = self._obeys_flow and not go
            case Noise():
                self._noise = self.doubtful = True
            case _:
                assert_never(answer)

    def _continue_round(self, answer: RealTimeStatus | FullStatus) -> None:
        wanted = self._wanted()
        if self._round is None or isinstance(answer, FullStatus) != (wanted is StatusKind.FULL):
            self.doubtful = True
            return
        self._round.append(answer)
        if (following := self._wanted()) is not None:
            self._ask_next(following)
            return
        bits = [said.bits for said in self._round if isinstance(said, RealTimeStatus)]
        self.heard = replace(
            from_real_time(*bits), in_mouth=answer.in_mouth if isinstance(answer, FullStatus) else None
        )
        self._round = None
        self.rounds += 1

    def _wanted(self) -> StatusKind | None:
        """What the round in progress waits for."""
        kinds = (*ROUND, StatusKind.FULL) if self._model.mouth is Mouth.FULL_STATUS else ROUND
        done = len(self._round or ())
        return kinds[done] if done < len(kinds) else None

    def _ask_next(self, kind: StatusKind) -> None:
        self._asked_at = self._monotonic()
        self._questions += ask_status(kind)
