"""A simulated ID card reader, by every way there is to one: real pcscd with our own IFD handler, and a SAM_V module on
a pty, behind a TCP port, or in escape commands. Cards in Python, faults on request.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from drivers.host.codec import load_card
from drivers.sim.card_deck import PHOTO_BYTES, CardFault, CardKind, SimCard, Trouble
from drivers.sim.ifd.reader import Answer, Code
from drivers.sim.ifd.station import BUILD_DIR, Station
from drivers.sim.sam_v import AfterRead, Faults, PtyModule, SamFault, SamModule, TcpModule
from drivers.sim.specimens import specimen
from kiosk.core.id_card import CardType
from kiosk.core.id_card_text import encode_address_record, encode_text_block

READER_NAME = "Kiosk IC Reader"
PLAIN_READER_NAME = "ACS ACR122U PICC Interface"
_MAKER, _FIRMWARE = 0x00010100, 0x00010102
"""PC/SC part 3 §3.1.1: SCARD_ATTR_VENDOR_NAME and _IFD_VERSION."""
_ESCAPE = 0x42000001
"""SCARD_CTL_CODE(1) of pcsc-lite."""
Reply = tuple[dict[str, Any], bytes]


class Transport(StrEnum):
    """The way to the reader."""

    STREAM = "stream"
    """PC/SC, resident cards shown as storage cards (FF B0)."""
    PLAIN = "plain"
    """PC/SC, an ordinary contactless reader: nothing of a resident card can be read."""
    ESCAPE = "escape"
    """PC/SC, SAM_V frames in escape commands."""
    SAM = "sam"
    """A SAM_V module on a serial line."""
    SAM_TCP = "sam_tcp"
    """A SAM_V module behind a TCP port."""


class CardReaderSim:
    """A terminal's card reader, with a hand that lays cards on it and breaks things.

    Verbs: put, lift, sam, use, status; by PC/SC those of Station; of SAM_V on a line: plug, unplug, hang_up.
    """

    def __init__(
        self,
        *,
        dir: Path,  # noqa: A002 - the simulators' common word
        build_dir: Path = BUILD_DIR,
        transport: Transport = Transport.STREAM,
        baud: int = 0,
    ) -> None:
        """`baud` paces the answers of a serial module; 0: it is as fast as it can be."""
        self._dir = dir
        self._transport = transport
        name = PLAIN_READER_NAME if transport is Transport.PLAIN else READER_NAME
        self._station = Station(folder=dir, reader_name=name, build_dir=build_dir)
        self._station.reader.attributes = {_MAKER: b"Citizens Window\0", _FIRMWARE: bytes((7, 0, 2, 1))}
        self._station.reader.escape = self._escape
        self._module = SamModule(self._card_in_field)
        self._line = PtyModule(self._module, path=dir / "sam", baud=baud)
        self._server = TcpModule(self._module)
        self._pcsc_address = self._address = ""

    def start(self) -> str:
        """The address of the reader by its transport."""
        self._dir.mkdir(parents=True, exist_ok=True)
        self._use(self._transport)
        return self._address

    def stop(self) -> None:
        """Everything away."""
        self._station.stop()
        self._line.unplug()
        self._server.stop()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        """Do one verb; ValueError, KeyError or TypeError when it makes no sense.

        `put`: see `_make_card`; `tail` is its photo. `sam`: `fault` (SamFault, empty: none), `sw` and `of` as
        hexadecimal, `times`, `delay_s`, `after_read` (AfterRead). `use`: another `transport` (Transport) to the
        same cards; `address` of the answer is for the terminal's profile.
        """
        if not self._address:
            raise ValueError("not started")
        match verb:
            case "put":
                self._station.reader.insert(self._make_card(args, tail))
            case "lift":
                self._station.reader.lift()
            case "sam":
                self._break_module(**args)
            case "use":
                self._use(Transport(args["transport"]))
            case "plug" | "unplug" if self._transport is Transport.SAM:
                self._line.plug() if verb == "plug" else self._line.unplug()
            case "hang_up":
                self._server.hang_up()
            case "status":
                pass
            case _:
                self._station.do(verb)
        return self._status(), b""

    def _status(self) -> dict[str, Any]:
        card = self._station.reader.card
        return {
            "card": card.kind.value if isinstance(card, SimCard) else "",
            "fault": card.trouble.fault.value if isinstance(card, SimCard) and card.trouble else "",
            "plugged": self._station.plugged,
            "daemon": self._station.running,
            "address": self._address,
        }

    def _use(self, transport: Transport) -> None:
        """Another way to the same cards; those in use before go on."""
        if Transport.PLAIN in (transport, self._transport) and self._address:
            raise ValueError("a reader keeps its name")
        match transport:
            case Transport.STREAM | Transport.PLAIN | Transport.ESCAPE:
                self._station.reader.shy = transport is Transport.ESCAPE
                if not self._pcsc_address:
                    self._pcsc_address = self._station.start()
                escape = transport is Transport.ESCAPE
                self._address = self._pcsc_address.replace("pcsc:", "pcsc-escape:", 1) if escape else self._pcsc_address
            case Transport.SAM:
                self._line.plug()
                self._address = f"sam:{quote(str(self._line.path))}"
            case Transport.SAM_TCP:
                self._address = f"sam://127.0.0.1:{self._server.start()}"
        self._transport = transport

    def _make_card(self, args: dict[str, Any], photo: bytes) -> SimCard:
        """`kind` (CardKind). A resident card has `text_block` and `photo` as hexadecimal, or `card` as
        `codec.dump_card` makes it, or is a specimen of its `layout` (CardType); `newest_address` was added to its
        chip. Any card takes `fault` (CardFault) with `after`, `delay_s`, `sw`, `times`.
        """
        kind = CardKind(args.get("kind", CardKind.RESIDENT))
        if kind is CardKind.RESIDENT and self._transport is Transport.PLAIN:
            kind = CardKind.PLAIN_TYPE_B
        card = SimCard(
            kind,
            photo=bytes.fromhex(args.get("photo", "")) or photo or bytes(PHOTO_BYTES),
            trouble=_trouble(args),
            pull=self._station.reader.lift,
        )
        if "newest_address" in args:
            card.newest_address = encode_address_record(args["newest_address"])
        if "text_block" in args:
            return replace(card, text_block=bytes.fromhex(args["text_block"]))
        holder = load_card(args["card"], b"") if "card" in args else specimen(CardType(args.get("layout", "resident")))
        return replace(card, text_block=encode_text_block(holder))

    def _break_module(
        self,
        *,
        fault: str = "",
        sw: str = "60",
        of: str = "",
        times: int = 0,
        delay_s: float = 0.3,
        after_read: str = "",
    ) -> None:
        if after_read:
            self._module.after_read = AfterRead(after_read)
        commands = frozenset(int(word, 16) for word in of.split())
        kind = SamFault(fault) if fault else None
        self._module.break_down(Faults(fault=kind, sw=int(sw, 16), of=commands, times=times, delay_s=delay_s))

    def _card_in_field(self) -> SimCard | None:
        card = self._station.reader.card
        return card if isinstance(card, SimCard) else None

    def _escape(self, code: int, data: bytes) -> Answer:
        if code != _ESCAPE or self._transport is not Transport.ESCAPE:
            return Answer(Code.COMMUNICATION_ERROR)
        return Answer(Code.DONE, self._module.feed(data))


def _trouble(args: dict[str, Any]) -> Trouble | None:
    if not args.get("fault"):
        return None
    trouble = Trouble(CardFault(args["fault"]))
    return replace(
        trouble,
        after=int(args.get("after", trouble.after)),
        delay_s=float(args.get("delay_s", trouble.delay_s)),
        sw=bytes.fromhex(args["sw"]) if "sw" in args else trouble.sw,
        times=int(args.get("times", trouble.times)),
    )
