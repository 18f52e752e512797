"""Address of a PC/SC reader: ``pcsc:/path/of/pcscd.comm?reader=PREFIX``; pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class PcscAddress:
    """Where pcscd listens and what the reader's name begins with; empty: the system's pcscd, its first reader."""

    socket: str
    reader: str

    def choose(self, names: list[str]) -> str:
        """The reader meant among those that are there; empty if it is not."""
        return next((name for name in sorted(names) if name.startswith(self.reader)), "")


def parse_address(text: str) -> PcscAddress:
    """ValueError if it is no PC/SC address."""
    parts = urlsplit(text)
    query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    if parts.scheme != "pcsc" or parts.netloc or parts.fragment or not set(query) <= {"reader"}:
        raise ValueError("a card reader's address looks like pcsc:/path/of/pcscd.comm?reader=NAME")
    return PcscAddress(unquote(parts.path), query.get("reader", [""])[0])
