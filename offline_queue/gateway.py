"""The hall asked directly, for the citizen who stands here: ports `HallGateway` and `PersonGateway`.

Nothing is stored. A document is handed on only if the hall signed for exactly these bytes (P49).
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, assert_never

from kiosk.contract.person import (
    ApplicationSummary,
    FormerAnswers,
    IssueRequest,
    LicenceSummary,
    PersonSessionRequest,
    PrintJob,
    PrintJobRequest,
    print_job_signed_bytes,
)
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import PublicKeys, SignatureError, verify
from kiosk.contract.submission import IdentityProof
from kiosk.core.ports import HallError, HallFault, PersonGateway, PrintableDocument
from kiosk.core.result import Err, Ok, Result
from offline_queue.hall_client import HallClient
from offline_queue.keys.identity import current_keys, load_identity
from offline_queue.uplink.policy import CallError, Trouble

T = TypeVar("T")


def fault_of(error: CallError) -> HallFault:
    """What a failed call means to a citizen."""
    match error.trouble:
        case Trouble.UNREACHABLE | Trouble.TIMEOUT | Trouble.TLS | Trouble.CLOCK | Trouble.REDIRECT:
            return HallFault.UNREACHABLE
        case Trouble.GARBAGE | Trouble.TOO_LARGE:
            return HallFault.GARBAGE
        case Trouble.PROBLEM:
            if error.code is ProblemCode.NOT_ELIGIBLE:
                return HallFault.NOT_ELIGIBLE
            # 429 and every 5xx: the hall has trouble of its own, and another moment may be better.
            return HallFault.BUSY if error.status == 429 or error.status >= 500 else HallFault.REFUSED
        case _:
            assert_never(error.trouble)


ASKING_S = 10.0
"""A question with a document takes longer; its answer comes down the line, where uploads are not in the way."""


class DirectHall:
    """Implements `HallGateway`. Calls of several threads are answered one after the other."""

    def __init__(
        self,
        client: HallClient,
        *,
        signing_keys: Callable[[], PublicKeys],
        asking: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """`asking` tells whoever else uses the line that a citizen waits, for how long at most; 0: no longer."""
        self._asking = asking
        self._client = client
        self._signing_keys = signing_keys
        self._lock = threading.Lock()

    @classmethod
    def of(cls, data: Path, *, hall_url: str, asking: Callable[[float], None] = lambda _seconds: None) -> DirectHall:
        """From a terminal's data directory; raises NotEnrolled."""
        identity = load_identity(data)
        client = HallClient(base_url=hall_url, identity=identity)
        return cls(client, signing_keys=lambda: current_keys(identity, data).signing, asking=asking)

    def open_person(self, proof: IdentityProof) -> Result[PersonGateway, HallError]:
        """Prove who is there and get a short-lived session."""
        session = self.ask(lambda client: client.open_person(PersonSessionRequest(proof=proof)))
        if isinstance(session, Err):
            return session
        return Ok(DirectPerson(self, session.value.token))

    def ask(self, call: Callable[[HallClient], Result[T, CallError]]) -> Result[T, HallError]:
        """One call, its failure in words for the services."""
        with self._lock:
            self._asking(ASKING_S)
            try:
                result = call(self._client)
            finally:
                self._asking(0.0)
        if isinstance(result, Ok):
            return result
        return Err(HallError(fault_of(result.error), result.error.name))

    def signed_by_hall(self, job: PrintJob) -> bool:
        """Did the hall sign this job's id and hash?"""
        try:
            signature = base64.b64decode(job.signature, validate=True)
            verify(self._signing_keys(), job.key_id, print_job_signed_bytes(job.id, job.sha256), signature)
        except (SignatureError, ValueError):
            return False
        return True

    def close(self) -> None:
        """Drop the connections."""
        with self._lock:
            self._client.close()


class DirectPerson:
    """Implements `PersonGateway`."""

    def __init__(self, hall: DirectHall, token: str) -> None:
        self._hall = hall
        self._token = token

    def applications(self) -> Result[tuple[ApplicationSummary, ...], HallError]:
        """Newest first."""
        answer = self._hall.ask(lambda client: client.applications(self._token))
        return Ok(answer.value.applications) if isinstance(answer, Ok) else answer

    def former_answers(self, application_no: str) -> Result[FormerAnswers, HallError]:
        """What she answered in a case that wants a correction; GARBAGE if it is another case's."""
        answer = self._hall.ask(lambda client: client.former_answers(self._token, application_no))
        if isinstance(answer, Ok) and answer.value.application_no != application_no:
            return Err(HallError(HallFault.GARBAGE, "answers of another case"))
        return answer

    def licences(self) -> Result[tuple[LicenceSummary, ...], HallError]:
        """Newest first."""
        answer = self._hall.ask(lambda client: client.licences(self._token))
        return Ok(answer.value.licences) if isinstance(answer, Ok) else answer

    def issue(
        self, *, request_id: str, item_code: str, item_version: int, answers: dict[str, str | bool | int | None]
    ) -> Result[PrintableDocument, HallError]:
        """An at-once certificate, made and sealed by the hall now."""
        request = IssueRequest(
            request_id=request_id, item_code=item_code, item_version=item_version, answers=dict(answers)
        )
        return self._document(self._hall.ask(lambda client: client.issue(self._token, request)))

    def print_job(self, *, request_id: str, licence_id: str) -> Result[PrintableDocument, HallError]:
        """A licence as a printable document."""
        request = PrintJobRequest(request_id=request_id, licence_id=licence_id)
        return self._document(self._hall.ask(lambda client: client.print_job(self._token, request)))

    def reopen_job(self, *, job_id: str) -> Result[PrintableDocument, HallError]:
        """The document of an earlier print job of hers at this terminal."""
        return self._document(self._hall.ask(lambda client: client.known_job(self._token, job_id)))

    def close(self) -> None:
        """Forget the token."""
        self._token = ""

    def _document(self, job: Result[PrintJob, HallError]) -> Result[PrintableDocument, HallError]:
        if isinstance(job, Err):
            return job
        found = job.value
        if not self._hall.signed_by_hall(found):
            return Err(HallError(HallFault.GARBAGE, "print job is not signed by the hall"))
        pdf = self._hall.ask(lambda client: client.document(self._token, found))
        if isinstance(pdf, Err):
            return pdf
        if hashlib.sha256(pdf.value).hexdigest() != found.sha256:
            return Err(HallError(HallFault.GARBAGE, "document is not the one that was signed for"))
        return Ok(
            PrintableDocument(
                job_id=found.id,
                title=found.title,
                pdf=pdf.value,
                pages=found.pages,
                licence_id=found.licence_id,
                licence_number=found.licence_number,
                paper=found.paper,
            )
        )
