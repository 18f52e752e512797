"""Which readers pcscd has, and results as numbers."""

from __future__ import annotations

from typing import Any

import smartcard.scard as pcsc

from drivers.pcsc.status import Code


def unsigned(code: int) -> int:
    """Results as PC/SC documents them, whatever the sign of a C long."""
    return code & 0xFFFFFFFF


def list_readers(context: Any) -> tuple[int, list[str]]:
    """Result and names; no reader at all is not an error."""
    code, names = pcsc.SCardListReaders(context, [])
    if unsigned(code) == Code.NO_READERS_AVAILABLE:
        return Code.SUCCESS, []
    return unsigned(code), list(names)
