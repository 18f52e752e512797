"""Where a page printer is, as the terminal's profile says it; pure.

``ipp://host:port/path`` or ``ipps://…`` (RFC 8010, RFC 7472), a printer itself or a queue of a print server, with
optionally ``?`` and, joined by ``&``:

``ca=FILE``     ipps: who may have signed the printer's certificate, or that certificate itself; nothing else is trusted
``name=NAME``   ipps: the name in the certificate, where it is not the host of the address
``proof=queue`` a queue whose printer cannot be asked (USB): take the queue's word that a job is on paper
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

_HTTP = {"ipp": "http", "ipps": "https"}
_KNOWN = frozenset({"ca", "name", "proof"})


@dataclass(frozen=True, slots=True)
class Tls:
    """How the printer proves who it is."""

    ca: str = ""
    """PEM file; empty: the system's authorities."""
    name: str = ""
    """Empty: the host."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """A printer's address, taken apart."""

    uri: str
    """As IPP wants it (printer-uri): no credentials, no query."""
    url: str
    """What is posted to (RFC 8010 §4)."""
    tls: Tls | None = None
    """None: plain HTTP."""
    trusts_queue: bool = False


def parse(address: str, *, tls: Tls | None = None) -> PageAddress:
    """ValueError if it is something else; it never quotes the address. `tls` holds where the query says nothing."""
    parts = urlsplit(address)
    if parts.scheme not in _HTTP or not parts.hostname:
        raise ValueError("page printer address is ipp://host:port/path or ipps://host:port/path")
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if set(query) - _KNOWN or query.get("proof", "queue") != "queue":
        raise ValueError("page printer address knows ca=, name= and proof=queue")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = f"{host}:{parts.port or 631}{parts.path or '/'}"
    return PageAddress(
        uri=f"{parts.scheme}://{place}",
        url=f"{_HTTP[parts.scheme]}://{place}",
        tls=(tls or Tls(query.get("ca", ""), query.get("name", ""))) if parts.scheme == "ipps" else None,
        trusts_queue="proof" in query,
    )


def behind(device_uri: str, *, tls: Tls | None) -> PageAddress | None:
    """The printer that a queue stands for (CUPS device-uri); None if it speaks no IPP. Its options are CUPS's own."""
    if not device_uri.startswith(("ipp://", "ipps://")):
        return None
    try:
        return parse(device_uri.partition("?")[0], tls=tls)
    except ValueError:
        return None
