"""社会保障卡: what its files EF05 and EF06 say without any key (人社信息函〔2012〕37号)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class SocialCard:
    """One 社保卡 as read. Lives in the memory of one session and nowhere else."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)
    """社会保障号码: the citizen's number (GB 11643)."""
    card_number: str = field(repr=False)
    """卡号, as printed on the card."""
    sex: str
    """GB/T 2261.1."""
    nation: str
    """民族 in words; empty if the code is unknown."""
    birth: date
    region: str
    """Six digits: who issued it, from the first bytes of 卡识别码."""
    issued: date
    valid_to: date | None
    """None: the card does not say."""
    standard: str
    """规范版本, like ``3.00``."""
