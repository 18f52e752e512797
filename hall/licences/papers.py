"""What stands on a licence or certificate: department facts in the words of paper."""

from __future__ import annotations

from collections.abc import Mapping

from hall.licences.people import NewLicence, PersonFacts
from hall.licences.press import Paper
from kiosk.core.item import Item

LABELS: Mapping[str, str] = {
    "address": "居住地址",
    "reason": "居住事由",
    "employer": "单位名称",
    "first_issued": "首次签发",
    "insured_since": "首次参保",
    "months": "累计缴费",
    "paid_until": "最近缴费",
    "kinds": "参保险种",
    "state": "参保状态",
    "landlord": "出租人",
}
"""How the fields of a licence are called on paper, in this order; others are not printed."""

RECORD_OF_TEMPLATE = {"insured_certificate": "social_insurance"}
"""Which department record an at-once certificate is made from."""


def paper_of(item: Item, *, template: str, title: str, licence: NewLicence, holder: PersonFacts) -> Paper:
    """One page for this licence."""
    return Paper(
        template=template,
        title=title,
        type_name=licence.type_name,
        number=licence.number,
        holder=holder.name,
        id_number=holder.id_number,
        issuer=licence.issuer,
        valid_from=licence.valid_from,
        valid_to=licence.valid_to,
        rows=tuple((label, licence.fields[key]) for key, label in LABELS.items() if licence.fields.get(key)),
        basis=item.basis,
    )
