"""Asks one question at a time and sees it through: silence before it, patience after it, another attempt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.site_io.line import BoardTrouble, Line
from drivers.site_io.protocol import MOST_BYTES, Answer, Flaw, Refused, Request, find_answer, judge, transfer_s
from kiosk.core.devices import Fault


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits of one question, seconds. At worst it takes ``attempts * (silence + answer)`` and the transfer."""

    answer_s: float = 0.3
    """From the last byte of the question to the last of the answer, without the time that they are under way."""
    silence_s: float = 0.15
    """For old bytes to end before a question."""
    busy_s: float = 0.05
    """Before a slave that is busy is asked again."""
    attempts: int = 2


class Unanswered(BoardTrouble):
    """No good answer; the line itself is there."""


class Refusal(Unanswered):
    """The slave understood and said no: asking again changes nothing."""


class Master:
    """Our side of the line."""

    def __init__(
        self,
        line: Line,
        *,
        patience: Patience | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._line = line
        self._patience = patience or Patience()
        self._monotonic = monotonic
        self._sleep = sleep

    def ask(self, request: Request) -> Answer:
        """The answer; Unanswered, or LineLost of the line."""
        flaw = Flaw.SILENCE
        refused: Refused | None = None
        for _ in range(self._patience.attempts):
            match self._exchange(request):
                case Answer() as answer:
                    return answer
                case Refused() as refused if not refused.transient:
                    break
                case Refused() as refused:
                    self._sleep(self._patience.busy_s)
                case Flaw() as flaw:
                    refused = None
        what = f"{request.function.name.lower().replace('_', ' ')} at {request.address}"
        if refused is not None:
            raise Refusal(Fault.PROTOCOL, f"{what}: {refused}")
        raise Unanswered(Fault.TIMEOUT if flaw is Flaw.SILENCE else Fault.PROTOCOL, f"{what}: {flaw.value}")

    def _exchange(self, request: Request) -> Answer | Refused | Flaw:
        """Once. A late answer to an earlier question looks like one to this: it must have passed before we ask."""
        line, frame = self._line, request.frame()
        line.wait_for_silence(most_s=self._patience.silence_s)
        under_way_s = transfer_s(len(frame) + request.answer_bytes, line.baud)
        ends = self._monotonic() + self._patience.answer_s + under_way_s
        line.send(frame, timeout_s=self._patience.answer_s)
        received = b""
        while (left := ends - self._monotonic()) > 0:
            came = line.receive(timeout_s=min(left, line.pause_s) if received else left)
            if not came and received:
                break
            received = (received + came)[-MOST_BYTES:]  # somebody who babbles must not cost us time
            if (found := find_answer(request, received)) is not None:
                return found
        return judge(request, received)
