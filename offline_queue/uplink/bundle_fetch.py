"""Fetches a bundle piece by piece: as a delta where the hall offers one, on from where a broken line left it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.contract.bundle_delta import DeltaError, apply_delta
from kiosk.contract.sync import BundleManifest
from kiosk.core.result import Err, Ok, Result
from offline_queue.hall_client import HallClient
from offline_queue.uplink.policy import CallError, Trouble
from offline_queue.uplink.replies import Piece
from offline_queue.uplink.traffic import Rank, Traffic

PIECE_BYTES = 64 * 1024
_PATIENCE_S = 60.0


@dataclass(slots=True)
class BundleFetch:
    """Holds what has come of one bundle, in memory: a restart begins anew."""

    client: HallClient
    traffic: Traffic
    _wanted: tuple[str, int] = ("", 0)
    _since: int = 0
    """The bundle that the pieces are a delta from; 0: they are the file itself."""
    _spoilt: str = ""
    """SHA-256 of a bundle whose delta did not fit."""
    _total: int = 0
    _held: bytearray = field(default_factory=bytearray)

    def fetch(self, manifest: BundleManifest, *, have: int, old: bytes) -> Result[bytes, CallError]:
        """The bundle file, not verified here. `have`: number of the bundle on disk, `old`: its bytes."""
        have = 0 if self._spoilt == manifest.sha256 else have
        if self._wanted != (manifest.sha256, have):
            self._begin(manifest, have)
        while not self._total or len(self._held) < self._total:
            self.traffic.give_way(Rank.BLOBS, seconds=_PATIENCE_S)
            with self.traffic.using(Rank.BLOBS):
                piece = self.client.bundle_piece(
                    manifest.number, have=have, offset=len(self._held), most=PIECE_BYTES, size=manifest.size
                )
            if isinstance(piece, Err):
                return piece
            if piece.value.total > manifest.size:
                return Err(CallError(Trouble.TOO_LARGE))
            if not self._fits(piece.value):
                self._wanted = ("", 0)
                return Err(CallError(Trouble.GARBAGE))
        whole, since = bytes(self._held), self._since
        self._wanted = ("", 0)
        if not since:
            return Ok(whole)
        try:
            return Ok(apply_delta(old, whole, size=manifest.size))
        except DeltaError:
            self._spoilt = manifest.sha256  # the next time the file itself
            return Err(CallError(Trouble.GARBAGE))

    def _begin(self, manifest: BundleManifest, have: int) -> None:
        self._wanted = (manifest.sha256, have)
        self._since = self._total = 0
        self._held = bytearray()

    def _fits(self, piece: Piece) -> bool:
        """Take it if it goes on where the last one ended."""
        if not self._held:
            self._since, self._total = piece.since, piece.total
        if (piece.since, piece.total, piece.offset) != (self._since, self._total, len(self._held)):
            return False
        self._held += piece.content
        return len(piece.content) > 0 and len(self._held) <= self._total
