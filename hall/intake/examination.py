"""Is this submission one that the item allows? Pure: item and opened submission in, a problem code or nothing out."""

from __future__ import annotations

from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.problems import ProblemCode
from kiosk.contract.submission import IdentityProof, Submission
from kiosk.core.answers import Answer, Answers
from kiosk.core.identity import is_permanent_2017_number, parse_person_number
from kiosk.core.item import Item
from kiosk.core.journey import complete, effective, visible_materials
from kiosk.core.result import Ok


def examine(item: Item, submission: Submission, *, region: str) -> ProblemCode | None:
    """None if it is good. Held licences are looked at by the department, for they may change while queued."""
    if item.kind == "certificate" or not _number_fits(submission, region=region):
        return ProblemCode.MALFORMED
    if submission.corrects and not _corrects_another(submission, region=region):
        return ProblemCode.MALFORMED
    if (item.identity.level == "card" or submission.corrects) and not proven(submission.applicant):
        return ProblemCode.ANSWERS_INVALID
    answers = Answers(
        {name: Answer(record.value, record.source, record.at) for name, record in submission.answers.items()}
    )
    # An answer to a question that was not asked is a sign of another item version, or of tampering.
    if set(effective(item, answers)) != set(answers) or not complete(item, answers, submission.materials):
        return ProblemCode.ANSWERS_INVALID
    asked = {material.id for material in visible_materials(item, answers)}
    given = [material.id for material in submission.materials]
    if len(set(given)) != len(given) or not set(given) <= asked:
        return ProblemCode.ANSWERS_INVALID
    for material in submission.materials:
        if (material.source == "camera") != (material.blob is not None):
            return ProblemCode.ANSWERS_INVALID
        if (material.source == "licence_library") != bool(material.licence_id):
            return ProblemCode.ANSWERS_INVALID
    return None


def proven(proof: IdentityProof) -> bool:
    """Was a card read, and can its number be one?"""
    number = proof.id_number
    known = isinstance(parse_person_number(number), Ok) or is_permanent_2017_number(number)
    return proof.method == "id_card" and bool(proof.name.strip()) and known


def _number_fits(submission: Submission, *, region: str) -> bool:
    try:
        number = ApplicationNumber.parse(submission.application_no)
    except ValueError:
        return False
    return (str(number), number.terminal, number.region) == (
        submission.application_no,
        submission.terminal_id,
        region,
    )


def _corrects_another(submission: Submission, *, region: str) -> bool:
    """Does it name a case that this hall could have, and is that not itself?"""
    try:
        number = ApplicationNumber.parse(submission.corrects)
    except ValueError:
        return False
    return (str(number), number.region) == (submission.corrects, region) and submission.corrects != (
        submission.application_no
    )
