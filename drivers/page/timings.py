"""Every wait of the page printer's driver."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds."""

    poll: float = 2.0
    """Between two looks at an idle printer."""
    follow: float = 0.4
    """Between two looks at a job."""
    exchange: float = 3.0
    """For one question."""
    send: float = 30.0
    """For the document."""
    within: float = 110.0
    """For a whole job, with paper put in half-way; shorter than the host's deadline. `within_s` of a command wins."""
    lost: float = 20.0
    """For a printer that went silent over a job to come back."""
    settle: float = 5.0
    """For a document to show up at the printer whose sending ended unclear, or that left its queue."""
    cancel: float = 5.0
    """For the printer to confirm that it gave a job up."""
    quick: float = 1.8
    """For a quick self-test."""
    deep: float = 20.0
    """For the page of a deep self-test, warming up included."""
    first_retry: float = 0.3
    last_retry: float = 5.0
