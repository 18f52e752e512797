"""Getting to know the printer at the other end of a new line: who it is, and what its ways are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from drivers.receipt.conversation import Conversation, NoAnswer
from drivers.receipt.models import Model, Proving, by_name
from drivers.receipt.protocol import InfoKind

IN_TURN = "what it is asked in turn: it has stopped, or its address must name a model that never answers"
_SHOWN_OF_SERIAL = 4
"""Last characters of a serial number: enough to tell two printers apart."""


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What was learned."""

    model: Model
    name: str
    """Name, firmware and the end of the serial number, as far as the printer tells them."""


def introduce(line: Conversation, *, wanted: Model | None, token: bytes, quiet_s: float) -> Acquaintance:
    """Ask a printer at rest. `wanted`: the model that the address names; `token`: a fresh process id.

    NoAnswer if it answers nothing in turn and the address does not say that it never will. From here on `line` follows
    the model's ways.
    """
    line.tell_changes(False)
    in_turn = line.settle(quiet_s)
    said = _ask_names(line) if wanted is None or wanted.identifies else {}
    model = wanted or by_name(said.get(InfoKind.NAME, ""))
    if model.proving is Proving.FOUND_OUT:
        proving = Proving.PROCESS_ID if line.returns(token) else Proving.DRAINED
        model = replace(model, proving=proving, sensor=in_turn)
    if not in_turn and (model.sensor or model.proving is Proving.DRAINED):
        raise NoAnswer(IN_TURN, noise=False)
    line.model = model
    line.tell_changes(True)
    serial = said.get(InfoKind.SERIAL, "")
    parts = (said.get(InfoKind.NAME), said.get(InfoKind.FIRMWARE), serial and f"no. …{serial[-_SHOWN_OF_SERIAL:]}")
    return Acquaintance(model, " ".join(part for part in parts if part))


def _ask_names(line: Conversation) -> dict[InfoKind, str]:
    """What it says of itself; it is not asked further when it does not know its name."""
    said: dict[InfoKind, str] = {}
    for kind in InfoKind:
        if (text := line.info(kind)) is None:
            break
        said[kind] = text
    return said
