"""What a technician asks of the store, over the socket or beside it: held items as they are, receipts that came back.

Nothing here can read a submission: envelopes and materials go out sealed, as they lie on the disk.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, TypeAdapter, ValidationError

from kiosk.contract.envelope import BlobRef
from kiosk.contract.frames import Frame
from kiosk.contract.media import MediaResult
from kiosk.contract.signing import PublicKeys
from kiosk.contract.wire import Sha256, Short, SubmissionId, Whole
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.counters import count_on, counted
from offline_queue.disk.rows import Waiting
from offline_queue.drain import Drain
from offline_queue.ipc.messages import BadMessage, Message, error_head
from offline_queue.journal import notes as journal_notes
from offline_queue.requeue import requeue
from offline_queue.store import Store
from offline_queue.uplink.policy import Accept, Later, Park, Send, decide

PAGE = 32
"""Held items in one answer: with all the materials that an envelope may have they fit into a frame."""
SETTLE = 200
"""Results in one request."""
Answer = tuple[dict[str, Any], bytes]


class HeldPage(Message):
    """Items that the hall has not signed for, behind row `after`."""

    op: Literal["held"] = "held"
    after: Whole = 0


class HeldEnvelope(Message):
    """The envelope of a held item, in the answer's tail."""

    op: Literal["held_envelope"] = "held_envelope"
    seq: Whole
    id: SubmissionId
    sha256: Sha256


class HeldBlob(Message):
    """A sealed material, in the answer's tail."""

    op: Literal["held_blob"] = "held_blob"
    sha256: Sha256


class Settle(Message):
    """The hall's words, brought on a stick."""

    op: Literal["settle_media"] = "settle_media"
    results: Annotated[tuple[MediaResult, ...], Field(max_length=SETTLE)]


class Requeue(Message):
    """Parked items are to be sent again; without ids: all of them."""

    op: Literal["requeue"] = "requeue"
    ids: Annotated[tuple[SubmissionId, ...], Field(max_length=1000)] | None = None


class NoteMedia(Message):
    """A stick left, or came: for the journal."""

    op: Literal["note_media"] = "note_media"
    what: Literal["exported", "imported"]
    sha256: Sha256
    """Of the manifest, or of the receipts file."""
    count: Whole


class KeepHouse(Message):
    """Give room back. Forgetting is left to the journal's watch, which knows when the clock is in doubt."""

    op: Literal["keep_house"] = "keep_house"


class Inspect(Message):
    """Does SQLite find its own structures whole?"""

    op: Literal["inspect"] = "inspect"


class Counters(Message):
    """Last serials of application numbers by day."""

    op: Literal["counters"] = "counters"


class RaiseCounters(Message):
    """A queue that came here under the same terminal id: its numbers are given."""

    op: Literal["raise_counters"] = "raise_counters"
    counters: dict[Short, Annotated[int, Field(ge=0, le=9999)]]


Request = (
    HeldPage | HeldEnvelope | HeldBlob | Settle | Requeue | NoteMedia | KeepHouse | Inspect | Counters | RaiseCounters
)  # fmt: skip
_REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="op")])
_MODELS = (HeldPage, HeldEnvelope, HeldBlob, Settle, Requeue, NoteMedia, KeepHouse, Inspect, Counters, RaiseCounters)
_OPS = frozenset(model.model_fields["op"].default for model in _MODELS)


class MediaDesk:
    """One answer for every request of a technician."""

    def __init__(self, store: Store, *, hall_keys: Callable[[], PublicKeys], wake: Callable[[], None]) -> None:
        """`hall_keys`: whose receipts are believed now; `wake`: there is something to send again."""
        self._store = store
        self._drain = Drain(store)
        self._hall_keys = hall_keys
        self._wake = wake

    @staticmethod
    def knows(head: dict[str, Any]) -> bool:
        """Is this for here?"""
        return isinstance(op := head.get("op"), str) and op in _OPS

    def answer(self, frame: Frame) -> Answer:
        """Head and tail; BadMessage."""
        try:
            # By way of JSON: wire types are strict, and lists are tuples in JSON only.
            request = _REQUESTS.validate_json(json.dumps(frame.head))
        except ValidationError as error:
            raise BadMessage(f"request has {error.error_count()} faults") from None
        match request:
            case HeldPage():
                return _plain(self._held(request.after))
            case HeldEnvelope():
                item = Waiting(request.seq, request.id, request.sha256, 0, 0, ())
                return _bytes(self._drain.envelope(item))
            case HeldBlob():
                return _bytes(self._drain.blob(BlobRef(sha256=request.sha256, size=0)))
            case Settle():
                return _plain(self._settle(request.results))
            case Requeue():
                return _plain(self._requeue(request.ids))
            case NoteMedia():
                note = journal_notes.exported if request.what == "exported" else journal_notes.imported
                return _plain(self._store.journal.write(note(request.sha256, request.count)))
            case KeepHouse():
                return _plain(self._store.keep_house(forget=False))
            case Inspect():
                return _plain(self._inspect())
            case Counters():
                return _plain(counted(self._store))
            case RaiseCounters():
                return _plain(count_on(self._store, request.counters))
            case _:
                assert_never(request)

    def _held(self, after: int) -> Result[list[dict[str, Any]], StoreError]:
        def work(db: sqlite3.Connection) -> list[dict[str, Any]]:
            rows = db.execute(
                "select seq, id, application_no, sha256, size, state, last_code from submissions"
                " where state in ('sealed', 'parked') and seq > ? order by seq limit ?",
                (after, PAGE),
            ).fetchall()
            return [
                {
                    "seq": seq,
                    "item": {
                        "id": id_,
                        "application_no": number,
                        "sha256": sha256,
                        "size": size,
                        "parked": (code or "parked") if state == "parked" else "",
                        "blobs": [
                            {"sha256": blob, "size": bytes_}
                            for blob, bytes_ in db.execute(
                                "select sha256, size from blobs where seq = ? order by position", (seq,)
                            )
                        ],
                    },
                }
                for seq, id_, number, sha256, size, state, code in rows
            ]

        return self._store.db.run(work)

    def _settle(self, results: tuple[MediaResult, ...]) -> Result[list[str], StoreError]:
        """One word for each: accepted, known, parked, absent, or why it was left as it is."""
        words: list[str] = []
        for result in results:
            word = self._settle_one(result)
            if isinstance(word, Err):
                return word
            words.append(word.value)
        return Ok(words)

    def _settle_one(self, result: MediaResult) -> Result[str, StoreError]:
        verdict = result.verdict

        def find(db: sqlite3.Connection) -> tuple[int, str, int, str] | None:
            row = db.execute("select seq, sha256, size, state from submissions where id = ?", (verdict.id,)).fetchone()
            return row if row is None else (int(row[0]), str(row[1]), int(row[2]), str(row[3]))

        found = self._store.db.run(find)
        if isinstance(found, Err):
            return found
        if found.value is None:
            return Ok("absent")
        seq, sha256, size, state = found.value
        if state == "accepted":
            return Ok("known")
        if sha256 != result.sha256:
            return Ok("other_bytes")
        decision = decide(verdict, id_=verdict.id, sha256=sha256, keys=self._hall_keys())
        match decision:
            case Accept(receipt):
                done = self._drain.accept(Waiting(seq, verdict.id, sha256, size, 0, self._blobs_of(seq)), receipt)
                return done if isinstance(done, Err) else Ok("accepted")
            case Park(code):
                done = self._drain.park(Waiting(seq, verdict.id, sha256, size, 0, ()), code=code)
                return done if isinstance(done, Err) else Ok("parked")
            case Later(code):
                return Ok(code)
            case Send():
                return Ok("wanted")
            case _:
                assert_never(decision)

    def _blobs_of(self, seq: int) -> tuple[BlobRef, ...]:
        def work(db: sqlite3.Connection) -> tuple[BlobRef, ...]:
            rows = db.execute("select sha256, size from blobs where seq = ? order by position", (seq,))
            return tuple(BlobRef(sha256=sha256, size=size) for sha256, size in rows)

        found = self._store.db.run(work)
        # Without the list the row is accepted all the same, and its files are swept at the next start.
        return found.value if isinstance(found, Ok) else ()

    def _requeue(self, ids: tuple[str, ...] | None) -> Result[int, StoreError]:
        done = requeue(self._store, ids)
        if isinstance(done, Ok) and done.value:
            self._wake()
        return done

    def _inspect(self) -> Result[dict[str, Any], StoreError]:
        def work(db: sqlite3.Connection) -> dict[str, Any]:
            (schema,) = db.execute("pragma user_version").fetchone()
            faults = [str(row[0]) for row in db.execute("pragma integrity_check(10)").fetchall()]
            foreign = len(db.execute("pragma foreign_key_check").fetchall())
            return {"schema": schema, "faults": [] if faults == ["ok"] else faults, "foreign": foreign}

        return self._store.db.run(work)


def _plain(result: Result[Any, StoreError]) -> Answer:
    return ({"ok": result.value} if isinstance(result, Ok) else error_head(result.error)), b""


def _bytes(result: Result[bytes, StoreError]) -> Answer:
    if isinstance(result, Err):
        return error_head(result.error), b""
    if not result.value:
        return error_head(StoreError(StoreFault.BROKEN, "no bytes")), b""
    return {"ok": None}, result.value
