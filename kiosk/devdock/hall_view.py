"""What the hall knows, asked as its clerk asks: over the staff pages' JSON."""

from __future__ import annotations

import base64
import http.cookiejar
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from kiosk.contract.bundle import parse_bundle
from kiosk.devdock.street import Hall, StreetError


class HallView:
    """Signs in with a one-time link and reads counts; signs in again when the hall was restarted."""

    def __init__(self, hall: Hall, *, bundle_file: Path) -> None:
        self._hall = hall
        self._bundle_file = bundle_file
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        self._signed_in = False

    def submissions(self) -> list[dict[str, Any]]:
        """`id`, `application_no`, `sha256`, `effects` (cases or tickets it made), `state`."""
        return list(self._get("/staff/api/submissions"))

    def print_jobs(self) -> list[dict[str, Any]]:
        """Print jobs, newest first: `outcome`, `serials`, and `papers` with what became of each."""
        return list(self._get("/staff/api/print-jobs"))

    def terminals(self) -> list[dict[str, Any]]:
        """Last heartbeat of each terminal."""
        return list(self._get("/staff/api/terminals"))

    def numbers(self) -> frozenset[str]:
        """Ids of every submission so far."""
        return frozenset(row["id"] for row in self.submissions())

    def keys(self) -> dict[str, bytes]:
        """The hall's public keys by id, as a terminal got them in its bundle."""
        raw = self._bundle_file.read_bytes()
        return {key.id: base64.b64decode(key.public) for key in parse_bundle(raw).bundle.keys}

    def _get(self, path: str) -> Any:
        for attempt in range(40):
            try:
                if not self._signed_in:
                    self._opener.open(self._hall.staff_link(), timeout=5).close()
                    self._signed_in = True
                with self._opener.open(f"http://127.0.0.1:{self._hall.staff_port}{path}", timeout=5) as answer:
                    return json.loads(answer.read())
            except urllib.error.HTTPError as error:
                if error.code not in (401, 403) or attempt > 2:
                    raise StreetError(f"hall answered {error.code} to {path}") from None
                self._signed_in = False
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                self._hall.wait_ready()
        raise StreetError(f"the hall does not answer {path}")
