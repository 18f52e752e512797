"""Is a card on a SAM_V module? Pure.

The module tells nothing by itself, so it is asked again and again. `find` finds a card that was laid down, and finds
it no more once it was read, until it is lifted (public clients tell people to lay it down anew; no real module was
seen). So a card that was read is watched by another question, its keeper: the first one that still gets a good answer
right after the reading, while the card surely lies there. A module that answers none leaves us blind: then the card
is taken to lie there until `find` finds one, which is a card laid down anew, and may be read once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from drivers.idcard.sam_v import FIND, FOUND, GOOD, NO_SUCH_ITEM, READ_NEWEST_ADDRESS, SELECT, Command

KEEPERS = (READ_NEWEST_ADDRESS, SELECT)
"""In this order: the first disturbs the card least."""
MISSES = 2
"""So many bad answers in a row mean that the card is gone; one may be a slip of the field."""
_HERE = {READ_NEWEST_ADDRESS: (GOOD, NO_SUCH_ITEM), SELECT: (GOOD,), FIND: (FOUND, GOOD)}


def is_here(command: Command, status: int) -> bool:
    """Does this answer prove that a card lies there?"""
    return status in _HERE[command]


class Change(Enum):
    """What became known."""

    NOTHING = "nothing"
    LAID = "laid"
    LIFTED = "lifted"
    LAID_ANEW = "laid_anew"
    """Lifted in an unseen moment, and another one laid down, or the same again."""
    MAYBE_ANOTHER = "maybe_another"
    """A card that was read is found anew: it was lifted and laid down, jolted, or swapped. Reading it tells."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of the card."""

    here: bool | None = None
    """None: nothing is known yet."""
    was_read: bool = False
    keeper: Command | None = None
    """Of a card that was read; None: this module answers nothing about it."""
    misses: int = 0
    searching: bool = False
    """The keeper got a bad answer; perhaps the card was laid down anew, and can be found."""

    @property
    def question(self) -> Command:
        """To be asked next."""
        if self.here and self.was_read and self.keeper is not None and not self.searching:
            return self.keeper
        return FIND

    @property
    def doubtful(self) -> bool:
        """Ask again at once."""
        return self.misses > 0

    def after(self, question: Command, status: int) -> tuple[Presence, Change]:
        """An answer came."""
        here = is_here(question, status)
        if self.here is not True:
            if here:
                return Presence(here=True), Change.LAID
            return Presence(here=False), Change.NOTHING if self.here is False else Change.LIFTED
        if here and question is FIND and self.was_read:
            return (self, Change.MAYBE_ANOTHER) if self.keeper else (Presence(here=True), Change.LAID_ANEW)
        if here:
            return replace(self, misses=0), Change.NOTHING
        if question is FIND and self.was_read:
            if self.keeper is None or self.misses < MISSES:
                return replace(self, searching=False), Change.NOTHING
            return Presence(here=False), Change.LIFTED
        misses = self.misses + 1
        if not self.was_read and misses >= MISSES:
            return Presence(here=False), Change.LIFTED
        return replace(self, misses=misses, searching=self.was_read), Change.NOTHING
