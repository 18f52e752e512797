"""Pure parts: profiles with clear errors, ticket texts."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.tickets import EnrolTicket, TicketError, decode_base32, encode_base32
from provisioning.enrol import EnrolFault
from provisioning.profile import ProfileError, load_profile, parse_profile
from provisioning.words import EXIT_CODES, EXIT_PROFILE, EXIT_TICKET, EnrolError, enrol_words

GOOD = (
    'schema = 1\nterminal_id = "T001"\nregion = "440604"\nsite_name = "a"\nterminal_name = "b"\ndata = "data"\n'
    '[hall]\nurl = "https://hall.example"\n'
)
tickets = st.builds(
    EnrolTicket,
    st.binary(min_size=5, max_size=5).map(encode_base32),
    st.binary(min_size=10, max_size=10),
    st.binary(min_size=10, max_size=10),
)


@given(tickets)
def test_a_ticket_reads_back(ticket: EnrolTicket) -> None:
    text = ticket.text()
    assert [len(part) for part in text.split("-")] == [8, 16, 16]
    assert EnrolTicket.parse(text) == ticket
    assert EnrolTicket.parse(text.lower().replace("-", " ").replace("0", "o").replace("1", "l")) == ticket


@given(st.text(alphabet=string.ascii_letters + string.digits + "-中 ", max_size=60))
def test_any_text_is_a_ticket_or_a_ticket_error(text: str) -> None:
    try:
        EnrolTicket.parse(text)
    except TicketError as error:
        assert text not in str(error) or len(text) < 3


@given(st.binary(min_size=5, max_size=5))
def test_base32_reads_back(raw: bytes) -> None:
    assert decode_base32(encode_base32(raw)) == raw


def test_a_ticket_keeps_its_secret_out_of_its_repr() -> None:
    ticket = EnrolTicket("00000000", b"secretsecr", bytes(10))
    assert "secret" not in repr(ticket).replace("EnrolTicket", "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("terminal_id = ", "terminal = "), "terminal_id: is missing"),
        (("https://", "http://"), "hall.url: "),
        (("schema = 1", "schema = 2"), "schema: is 2"),
        (("[hall]", "[hall]\nport = 1"), "hall.port: no such setting"),
        (('"T001"', '"t1"'), "terminal_id: "),
        (("schema = 1", "schema = "), "not TOML"),
    ],
)
def test_profile_errors_say_where(change: tuple[str, str], words: str) -> None:
    with pytest.raises(ProfileError, match=words.replace(".", r"\.")):
        parse_profile(GOOD.replace(*change))


def test_data_lies_beside_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    path.write_text(GOOD)
    assert load_profile(path).data == tmp_path / "data"
    with pytest.raises(ProfileError, match="No such file"):
        load_profile(tmp_path / "none.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match="UTF-8"):
        load_profile(path)


@given(st.text(max_size=200))
def test_any_text_is_a_profile_or_a_profile_error(text: str) -> None:
    with pytest.raises(ProfileError):
        parse_profile(text)


def test_every_fault_has_words_and_an_exit_code_of_its_own() -> None:
    codes = [EXIT_CODES[fault] for fault in EnrolFault]
    assert len({*codes, EXIT_PROFILE, EXIT_TICKET, 0, 1, 2}) == len(codes) + 5
    assert all(enrol_words(EnrolError(fault)) for fault in EnrolFault)
