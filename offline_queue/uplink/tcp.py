"""Socket options for lines that lose packets and lines that somebody else needs at the same time."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

_TCP_NOTSENT_LOWAT = 25
_NOT_SENT = 16 * 1024
"""What may lie in the kernel unsent. More could not be held back any more when a citizen asks something."""
_CONGESTION = b"bbr"
"""Goes by the bandwidth that it measures. Loss-based control halves at every lost packet: on a village line with 2 %
loss it leaves a third of the line unused, and where nothing is lost it fills every queue on the way."""


_INFO = struct.Struct("=16x I 4x 4I 104x 2I 8x Q")
"""Of `struct tcp_info` (linux/tcp.h): snd_mss; unacked, sacked, lost, retrans; notsent_bytes, min_rtt; rate."""


@dataclass(frozen=True, slots=True)
class Flight:
    """What a connection has on the way, and what the kernel has learnt of the way from it."""

    bytes: int
    """Given to the kernel and not arrived, as far as it knows."""
    bytes_per_s: float
    """At which the last ones arrived; 0: none did yet."""
    shortest_s: float
    """There and back, when nothing waits in between."""


def flight_of(connection: socket.socket) -> Flight | None:
    """None: this kernel does not tell, or there is no connection any more."""
    try:
        told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    except OSError:
        return None
    if len(told) < _INFO.size:
        return None
    mss, unacked, sacked, lost, again, unsent, rtt_us, rate = _INFO.unpack(told)
    return Flight(max(0, unacked - sacked - lost + again) * mss + unsent, float(rate), rtt_us / 1e6)


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
