"""What went wrong in the technician's words, with what to do, and exit codes that mean something."""

from __future__ import annotations

from provisioning.enrol import EnrolError, EnrolFault

EXIT_PROFILE = 3
EXIT_TICKET = 4

EXIT_CODES: dict[EnrolFault, int] = {
    EnrolFault.HALL_UNREACHABLE: 5,
    EnrolFault.WRONG_HALL: 6,
    EnrolFault.TICKET_REFUSED: 7,
    EnrolFault.TICKET_USED: 8,
    EnrolFault.GARBAGE: 9,
    EnrolFault.CANNOT_WRITE: 10,
    EnrolFault.KEYS_DAMAGED: 11,
    EnrolFault.OTHER_TERMINAL: 12,
    EnrolFault.HALL_BUSY: 13,
}

_WORDS: dict[EnrolFault, str] = {
    EnrolFault.HALL_UNREACHABLE: "连不上大厅。检查网线和档案里 [hall] url，然后用同一个登记码再试一次",
    EnrolFault.WRONG_HALL: "对面不是签发这个登记码的大厅，没有发送任何东西。核对档案里的大厅地址，或向大厅要新的登记码",
    EnrolFault.TICKET_REFUSED: "大厅不认这个登记码：打错、过期、锁定或作废。核对一遍，不行就向大厅要新的登记码",
    EnrolFault.TICKET_USED: "这个登记码已经被另一台机器用过。如果不是你，马上告诉大厅；向大厅要新的登记码",
    EnrolFault.GARBAGE: "大厅的回答看不懂，没有改动本机。检查档案里 [hall] url 是否指向大厅",
    EnrolFault.CANNOT_WRITE: "写不进数据目录。检查磁盘空间和权限",
    EnrolFault.KEYS_DAMAGED: "本机密钥文件已损坏。把 identity 文件夹移走，向大厅要新的登记码，再登记一次",
    EnrolFault.OTHER_TERMINAL: "这个登记码是给另一台终端的。核对档案里的 terminal_id",
    EnrolFault.HALL_BUSY: "大厅正忙。过一会儿用同一个登记码再试一次",
}


def enrol_words(error: EnrolError) -> str:
    """One plain line."""
    return _WORDS[error.fault] + (f"（{error.detail}）" if error.detail else "")
