"""A simulated contact slot: real pcscd of its own, own IFD handler, cards in Python, faults on request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from drivers.host.codec import load_card, load_social_card
from drivers.sim.ifd.station import BUILD_DIR, Station
from drivers.sim.social_deck import ContactCard, Reads, SlotCard, SlotFault, Trouble, social_card, social_card_of
from drivers.sim.specimens import specimen
from kiosk.core.social_card import SocialCard

READER_NAME = "Kiosk Contact Slot"
_NOTICE_S = 0.5
Reply = tuple[dict[str, Any], bytes]


class SocialCardSim:
    """A terminal's contact slot, with a hand that pushes cards into it and breaks things.

    Verbs: put, lift, status, and those of `Station`.
    """

    def __init__(self, *, dir: Path, build_dir: Path = BUILD_DIR) -> None:  # noqa: A002 - the simulators' common word
        self._station = Station(folder=dir, reader_name=READER_NAME, build_dir=build_dir)

    def start(self) -> str:
        """Reader and daemon; the address for a terminal's profile."""
        return self._station.start()

    def stop(self) -> None:
        """End both."""
        self._station.stop()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        """Do one verb; ValueError, KeyError or TypeError when it makes no sense.

        `put`: `kind` (SlotCard, default social). A social card is `card` (as `codec.dump_social_card` makes it), that
        of `holder` (an identity card, as `codec.dump_card` makes it), or a specimen; `reads` (Reads), `standard`. Any
        card takes `fault` (SlotFault) with `sw` (hexadecimal), `after`, `delay_s`, `times`.
        """
        match verb:
            case "put":
                card = self._make_card(args)
                self._station.reader.insert(card)
                card.noticed.wait(_NOTICE_S)  # a hand is slower than the service, unless that hangs
            case "lift":
                self._station.reader.lift()
            case "status":
                pass
            case _:
                self._station.do(verb)
        return self._status(), b""

    def _status(self) -> dict[str, Any]:
        card = self._station.reader.card
        return {
            "card": card.kind.value if isinstance(card, ContactCard) else "",
            "fault": card.trouble.fault.value if isinstance(card, ContactCard) and card.trouble else "",
            "plugged": self._station.plugged,
            "daemon": self._station.running,
        }

    def _make_card(self, args: dict[str, Any]) -> ContactCard:
        kind, trouble, pull = SlotCard(args.get("kind", SlotCard.SOCIAL)), _trouble(args), self._station.reader.lift
        if kind is not SlotCard.SOCIAL:
            return ContactCard(kind, trouble=trouble, pull=pull)
        card = _holder_card(args)
        if "standard" in args:
            card = replace(card, standard=str(args["standard"]))
        return social_card(card, reads=Reads(args.get("reads", Reads.BOTH)), trouble=trouble, pull=pull)


def _holder_card(args: dict[str, Any]) -> SocialCard:
    if "card" in args:
        return load_social_card(args["card"])
    return social_card_of(load_card(args["holder"], b"") if "holder" in args else specimen())


def _trouble(args: dict[str, Any]) -> Trouble | None:
    if not args.get("fault"):
        return None
    trouble = Trouble(SlotFault(args["fault"]))
    return replace(
        trouble,
        sw=int(args["sw"], 16) if "sw" in args else trouble.sw,
        after=int(args.get("after", trouble.after)),
        delay_s=float(args.get("delay_s", trouble.delay_s)),
        times=int(args.get("times", trouble.times)),
    )
