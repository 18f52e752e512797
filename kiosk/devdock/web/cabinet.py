"""The dock's way to the contact slot and the code scanner; lamps and sensors need no more than the hardware's verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from drivers.sim.social_deck import SlotCard
from kiosk.core.scanned_code import MAX_CODE_BYTES
from kiosk.devdock import hands
from kiosk.devdock.persons import SyntheticPerson
from kiosk.devdock.street import Terminal


class SlotOrder(BaseModel):
    """Push this person's social security card, or some other card, into the slot; nothing: pull it out."""

    model_config = ConfigDict(extra="forbid")
    person: str | None = None
    other: SlotCard | None = None


class CodeOrder(BaseModel):
    """Hold this text under the scanner, or the code on the last paper of a printer."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(default="", max_length=MAX_CODE_BYTES)
    paper: Literal["receipt", "page"] | None = None


def build_router(terminal_of: Callable[[str], Terminal], persons: Mapping[str, SyntheticPerson]) -> APIRouter:
    """Routes under ``/api/terminals/{name}``."""
    router = APIRouter(prefix="/api/terminals/{name}")

    @router.post("/slot")
    def slot(name: str, order: SlotOrder) -> dict[str, Any]:
        terminal = terminal_of(name)
        if order.person is not None and order.person not in persons:
            raise HTTPException(404, "no such person")
        if order.person is not None:
            hands.push_social_card(terminal, persons[order.person])
        elif order.other is not None:
            hands.push_other_card(terminal, order.other)
        else:
            hands.pull_social_card(terminal)
        return {}

    @router.post("/code")
    def code(name: str, order: CodeOrder) -> dict[str, Any]:
        terminal = terminal_of(name)
        text = hands.code_on_last(terminal, order.paper) if order.paper is not None else order.text
        if not text:
            raise HTTPException(404, "没有码 no code there")
        hands.show_code(terminal, text)
        return {}

    return router
