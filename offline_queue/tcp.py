"""Socket options for lines that lose packets and lines that somebody else needs at the same time."""

from __future__ import annotations

import socket

_TCP_NOTSENT_LOWAT = 25
_NOT_SENT = 16 * 1024
"""What may lie in the kernel unsent. More could not be held back any more when a citizen asks something."""
_CONGESTION = b"bbr"
"""Goes by the bandwidth that it measures. Loss-based control halves at every lost packet: on a village line with 2 %
loss it leaves a third of the line unused, and where nothing is lost it fills every queue on the way."""


def line_options() -> list[tuple[int, int, int | bytes]]:
    """What this kernel offers; the rest stays as it is."""
    wanted: list[tuple[int, int, int | bytes]] = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, _NOT_SENT),
        (socket.IPPROTO_TCP, socket.TCP_CONGESTION, _CONGESTION),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        return [option for option in wanted if _takes(trial, option)]


def _takes(trial: socket.socket, option: tuple[int, int, int | bytes]) -> bool:
    try:
        trial.setsockopt(*option)
    except OSError:
        return False
    return True
