"""Every wait of the receipt printer's driver, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds."""

    poll: float = 1.0
    """Between two questions to an idle printer."""
    listen: float = 0.2
    """Between two looks whether it has said something by itself."""
    answer: float = 0.6
    """For one answer of an idle printer."""
    quiet: float = 0.25
    """After this a printer of unknown past has said all that it was asked before."""
    connect: float = 2.0
    step: float = 0.1
    look: float = 0.5
    """Between two looks at a printer that prints: shorter than any printer takes to start after a power cut."""
    silence: float = 2.0
    """A printer that prints and leaves a question unanswered for so long has lost its power or its mind."""
    proof: float = 5.0
    """For a printer that says that it is well to go on, counted from the last strip that it worked off."""
    within: float = 25.0
    """For a whole slip, with paper put in half-way; shorter than the host's deadline. `within_s` of a command wins."""
    recall: float = 1.0
    """For the printer to confirm that it forgot the slip."""
    first_retry: float = 0.3
    last_retry: float = 2.0
