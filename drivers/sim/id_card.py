"""A simulated ID card reader: real pcscd, own IFD handler, cards in Python, faults on request."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from drivers.host.codec import load_card
from drivers.sim.card_deck import PHOTO_BYTES, CardFault, CardKind, SimCard, Trouble
from drivers.sim.ifd.build import build_driver
from drivers.sim.ifd.pcscd import PrivatePcscd
from drivers.sim.ifd.reader import VirtualReader
from kiosk.core.id_card_text import encode_text_block

READER_NAME = "Kiosk IC Reader"
BUILD_DIR = Path(__file__).parents[2] / "build" / "ifd"
Reply = tuple[dict[str, Any], bytes]


class CardReaderSim:
    """A terminal's card reader, with a hand that lays cards on it and breaks things.

    Verbs: put, lift, unplug, plug, kill_daemon, freeze_daemon, thaw_daemon, restart_daemon, status.
    """

    def __init__(self, *, dir: Path, build_dir: Path = BUILD_DIR) -> None:  # noqa: A002 - the simulators' common word
        self._build_dir = build_dir
        self._dir = dir
        self._reader = VirtualReader(dir / "card.sock")
        self._daemon: PrivatePcscd | None = None
        self._plugged = True
        # pcscd dies with the thread that started it, so all of its life is this one thread's business.
        self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pcscd-keeper")

    def start(self) -> str:
        """Compile the handler if need be, start reader and daemon; the address of the reader."""
        self._dir.mkdir(parents=True, exist_ok=True)
        self._daemon = PrivatePcscd(folder=self._dir, library=build_driver(self._build_dir))
        self._reader.start()
        self._keep(self._start_daemon)
        return f"pcsc:{quote(str(self._daemon.socket_path))}?reader={quote(READER_NAME)}"

    def stop(self) -> None:
        """End the daemon and the reader."""
        if self._daemon is not None:
            self._keep(self._daemon.stop)
        self._keeper.shutdown()
        self._reader.stop()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        """Do one verb; ValueError, KeyError or TypeError when it makes no sense. `tail`: the photo of `put`."""
        daemon = self._daemon
        if daemon is None:
            raise ValueError("not started")
        match verb:
            case "put":
                self._reader.insert(self._make_card(args, tail))
            case "lift":
                self._reader.lift()
            case "plug" | "unplug":
                # pcscd reads its list of serial readers only when it starts
                self._plugged = verb == "plug"
                self._keep(self._start_daemon)
            case "kill_daemon":
                self._keep(lambda: daemon.stop(signal.SIGKILL))
            case "restart_daemon":
                self._keep(self._start_daemon)
            case "freeze_daemon":
                daemon.signal(signal.SIGSTOP)
            case "thaw_daemon":
                daemon.signal(signal.SIGCONT)
            case "status":
                pass
            case _:
                raise ValueError(f"no such verb {verb!r}")
        return self._status(), b""

    def _status(self) -> dict[str, Any]:
        card = self._reader.card
        return {
            "card": card.kind.value if isinstance(card, SimCard) else "",
            "fault": card.trouble.fault.value if isinstance(card, SimCard) and card.trouble else "",
            "plugged": self._plugged,
            "daemon": self._daemon is not None and self._daemon.running,
        }

    def _make_card(self, args: dict[str, Any], photo: bytes) -> SimCard:
        """`text_block` and `photo` as hexadecimal, or `card` as `codec.dump_card` makes it."""
        kind = CardKind(args.get("kind", CardKind.RESIDENT))
        card = SimCard(kind, trouble=_trouble(args), pull=self._reader.lift)
        photo = bytes.fromhex(args.get("photo", "")) or photo or bytes(PHOTO_BYTES)
        if "card" in args:
            return replace(card, text_block=encode_text_block(load_card(args["card"], b"")), photo=photo)
        if "text_block" in args:
            return replace(card, text_block=bytes.fromhex(args["text_block"]), photo=photo)
        if kind is CardKind.RESIDENT:
            raise ValueError("a resident card needs card or text_block")
        return card

    def _start_daemon(self) -> None:
        if self._daemon is not None:
            self._daemon.start({READER_NAME: self._reader.path} if self._plugged else {})

    def _keep(self, job: Callable[[], None]) -> None:
        self._keeper.submit(job).result()


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
