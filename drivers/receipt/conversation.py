"""One connection's talk with the printer: what is to be sent, what was asked, what was heard. One thread at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from drivers.receipt.link import Link
from drivers.receipt.protocol import (
    RECALL,
    Answer,
    Demultiplexer,
    Noise,
    Proof,
    RealTimeStatus,
    Recalled,
    StatusBack,
    StatusKind,
    ask_status,
)
from drivers.receipt.status import Condition, from_real_time, from_status_back


class NoAnswer(Exception):
    """The printer takes bytes but does not say how it is. `noise`: it said something that is no answer."""

    def __init__(self, *, noise: bool) -> None:
        super().__init__("answers make no sense" if noise else "no answer to a status request")
        self.noise = noise


class Conversation:
    """Sends and listens in small bounded steps; LinkLost from any step ends it."""

    def __init__(self, link: Link, *, answer_s: float, monotonic: Callable[[], float]) -> None:
        self.link = link
        self.clean = False
        """A slip was proven on this connection: nothing of an earlier one can be in the printer."""
        self.heard: Condition | None = None
        """The last thing the printer said about itself."""
        self._answer_s = answer_s
        self._monotonic = monotonic
        self._demultiplexer = Demultiplexer()
        self._unsent = bytearray()
        self._round: list[int] | None = None
        """Bytes of the status round in progress; the printer is asked one thing at a time."""
        self._proofs: set[bytes] = set()
        self._recalled = False
        self._noise = False

    @property
    def sent_all(self) -> bool:
        """Has the line taken everything? The printer may still hold it in its buffer."""
        return not self._unsent

    def send(self, data: bytes) -> None:
        """To be sent by the next steps."""
        self._unsent += data

    def step(self, timeout_s: float) -> int:
        """Send and hear what goes without waiting longer than `timeout_s`; bytes sent."""
        sent, received = self.link.exchange(bytes(self._unsent[: 16 * 1024]), timeout_s=timeout_s)
        del self._unsent[:sent]
        for answer in self._demultiplexer.feed(received):
            self._hear(answer)
        return sent

    def ask(self) -> None:
        """Begin a status round unless one is going on; its end shows in `heard`."""
        if self._round is None:
            self._round = []
            self.send(ask_status(StatusKind.PRINTER))

    def condition(self) -> Condition:
        """Ask and wait; NoAnswer."""
        self.ask()
        self._noise = False
        round_size, until = -1, 0.0
        while self._round is not None:
            now = self._monotonic()
            if len(self._round) != round_size:
                round_size, until = len(self._round), now + self._answer_s
            if now >= until:
                raise NoAnswer(noise=self._noise)
            self.step(until - now)
        assert self.heard is not None
        return self.heard

    def proven(self, token: bytes) -> bool:
        """Did the printer say that everything before this process id is on paper?"""
        return token in self._proofs

    def recall(self, timeout_s: float) -> bool:
        """Make the printer forget what it has not printed; True when it says so."""
        self._unsent.clear()
        self._recalled = False
        self.send(RECALL)
        until = self._monotonic() + timeout_s
        while not self._recalled and (now := self._monotonic()) < until:
            self.step(until - now)
        return self._recalled

    def _hear(self, answer: Answer) -> None:
        match answer:
            case RealTimeStatus(bits):
                self._continue_round(bits)
            case StatusBack(bits):
                self.heard = from_status_back(bits)
            case Proof(token):
                self._proofs.add(token)
            case Recalled():
                self._recalled = True
            case Noise():
                self._noise = True
            case _:
                assert_never(answer)

    def _continue_round(self, bits: int) -> None:
        if self._round is None:
            return
        self._round.append(bits)
        if len(self._round) < len(StatusKind):
            self.send(ask_status(StatusKind(len(self._round) + 1)))
            return
        self.heard = from_real_time(*self._round)
        self._round = None
