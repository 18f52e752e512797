"""Program: hold the card in a reader for itself, as a badly behaved other program would, until standard input ends.

``python holder.py READER-PREFIX``; says ``held`` or why it cannot.
"""

import sys

import smartcard.scard as pcsc


def main(prefix: str) -> None:
    """Returns when nobody wants it any more."""
    _code, context = pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER)
    _code, names = pcsc.SCardListReaders(context, [])
    reader = next((name for name in names if name.startswith(prefix)), "")
    either = pcsc.SCARD_PROTOCOL_T0 | pcsc.SCARD_PROTOCOL_T1
    code, card, _protocol = pcsc.SCardConnect(context, reader, pcsc.SCARD_SHARE_EXCLUSIVE, either)
    sys.stdout.write("held\n" if code == 0 else f"{pcsc.SCardGetErrorMessage(code)}\n")
    sys.stdout.flush()
    sys.stdin.read()
    if code == 0:
        pcsc.SCardDisconnect(card, pcsc.SCARD_LEAVE_CARD)
    pcsc.SCardReleaseContext(context)


if __name__ == "__main__":
    main(sys.argv[1])
