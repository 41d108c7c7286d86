"""Bytes to messages and back: nothing lost, nothing read that nobody asked for, every header value by its grammar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sip_caller import invite, request

from ivr.sip import cseq, name_address, uri, via
from ivr.sip.errors import BadHeader, MalformedMessage
from ivr.sip.header_list import parse_parameters, split_commas
from ivr.sip.message import Request, Response, parse, serialize

TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-.!%*_+`'~", min_size=1, max_size=20)
NAME = TOKEN.filter(lambda name: len(name) > 1 and name.lower() != "content-length").map(str.lower)
VALUE = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n\t "), max_size=40)
FIELDS = st.dictionaries(NAME, st.lists(VALUE, min_size=1, max_size=3), max_size=8)


@settings(deadline=None)
@given(method=TOKEN, target=TOKEN, fields=FIELDS, body=st.binary(max_size=100))
def test_a_request_survives_the_wire(method: str, target: str, fields: dict[str, list[str]], body: bytes) -> None:
    got = parse(serialize(Request(method, target, fields, body)))
    assert isinstance(got, Request)
    assert (got.method, got.uri_text, got.version, got.body) == (method, target, "SIP/2.0", body)
    assert {name: lines for name, lines in got.fields.items() if name != "content-length"} == fields


@settings(deadline=None)
@given(status=st.integers(100, 699), reason=VALUE, fields=FIELDS, body=st.binary(max_size=100))
def test_a_response_survives_the_wire(status: int, reason: str, fields: dict[str, list[str]], body: bytes) -> None:
    got = parse(serialize(Response(status, reason, fields, body)))
    assert isinstance(got, Response)
    assert (got.status, got.reason, got.body) == (status, reason, body)


@settings(deadline=None)
@given(text=st.binary(max_size=60).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b"").strip(b" \t")))
def test_a_header_value_keeps_its_bytes_whatever_its_encoding(text: bytes) -> None:
    value = parse(b"OPTIONS sip:a SIP/2.0\r\nSubject: " + text + b"\r\n\r\n").header("subject")
    assert value is not None
    assert value.encode("latin-1") == text


def test_compact_names_folded_lines_and_blanks_before_the_colon_are_the_same_header() -> None:
    message = parse(
        b"OPTIONS sip:a SIP/2.0\r\nF\t : <sip:a>\r\n ;tag=1\r\ni:x\r\nVIA: SIP/2.0/UDP a,\r\n\tSIP/2.0/UDP b\r\n\r\n"
    )
    assert message.header("From") == "<sip:a> ;tag=1"
    assert message.from_.tag == "1"
    assert message.call_id == "x"
    assert message.elements("via") == ["SIP/2.0/UDP a", "SIP/2.0/UDP b"]


def test_octets_past_the_content_length_are_ignored() -> None:
    assert parse(request("OPTIONS", body=b"ab") + b"trailing").body == b"ab"


def test_without_content_length_the_body_is_the_rest_of_the_datagram() -> None:
    assert parse(request("OPTIONS", body=b"ab", leave_out=["Content-Length"])).body == b"ab"


def test_bare_line_feeds_and_carriage_returns_cannot_smuggle_a_header_into_a_response() -> None:
    with pytest.raises(MalformedMessage):
        parse(invite(headers=["X: a\rVia: evil"]))


def test_too_many_header_lines_are_refused() -> None:
    with pytest.raises(MalformedMessage):
        parse(invite(headers=["X: a"] * 300))


@pytest.mark.parametrize(
    ("text", "scheme", "user", "host", "port"),
    [
        ("sip:alice@example.com", "sip", "alice", "example.com", None),
        ("SIP:Alice:secret@EXAMPLE.com:5070;transport=tcp?Route=x", "sip", "Alice", "example.com", 5070),
        ("sip:user;par=u%40example.net@example.com", "sip", "user;par=u@example.net", "example.com", None),
        ("sip:sips%3Auser%40example.com@example.net", "sip", "sips:user@example.com", "example.net", None),
        ("sip:a#b@a_b.example", "sip", "a#b", "a_b.example", None),
        ("sip:%2561@h", "sip", "%61", "h", None),
        ("sip:%E5%BC%A0@h", "sip", "张", "h", None),
        ("sip:%ff@h", "sip", "\ufffd", "h", None),
        ("sip:[2001:db8::10]:5070", "sip", "", "2001:db8::10", 5070),
        ("sip:u@[2001:DB8:::192.0.2.1]", "sip", "u", "2001:db8:::192.0.2.1", None),
        ("tel:+86-10-12345;phone-context=x", "tel", "+86-10-12345", "", None),
        ("isbn:2983792873", "isbn", "2983792873", "", None),
    ],
)
def test_a_uri_is_taken_apart(text: str, scheme: str, user: str, host: str, port: int | None) -> None:
    parts = uri.parse(text)
    assert (parts.scheme, parts.user, parts.host, parts.port) == (scheme, user, host, port)


@pytest.mark.parametrize(
    "text",
    ["", "sip", "sip:", ":a", "sip:a@", "sip:a@b:", "sip:a@b:x", "sip:a@b:65536", "sip:2001:db8::10", "sip:a@[::1",
     "sip:a@[]", "sip:a@[::1]5060", "sip:a@b@c", "sip:a b@c", "<sip:a@b>", "sip:a@b\x00", "sip:a@b:٣"],
)  # fmt: skip
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(BadHeader):
        uri.parse(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("sip:a@b?Route=%3Csip:c%3E", "sip:a@b"),
        ("sip:a?b@c;d=e?f=g", "sip:a?b@c;d=e"),
        ("sip:b?f=g", "sip:b"),
        ("sip:b", "sip:b"),
    ],
)
def test_escaped_headers_stay_out_of_a_start_line(text: str, plain: str) -> None:
    assert uri.without_headers(text) == plain


@pytest.mark.parametrize(
    ("text", "display", "address", "tag"),
    [
        ('"A. \\"G\\" <Bell>" <sip:a@b>;tag=1', 'A. "G" <Bell>', "sip:a@b", "1"),
        ("sip:a@b;tag=1", "", "sip:a@b", "1"),
        ("<sip:a@b;tag=uri>", "", "sip:a@b;tag=uri", None),
        ("caller<sip:a@b> ; tag = 1", "caller", "sip:a@b", "1"),
        ('Bell, Alexander <sip:a@b>;x="a;tag=2";tag=1', "Bell, Alexander", "sip:a@b", "1"),
        ("< sip:a@b >", "", "sip:a@b", None),
        ('"' + "\\\\" + '" <sip:a@b>;TAG=1', "\\", "sip:a@b", "1"),
    ],
)
def test_an_address_is_taken_apart(text: str, display: str, address: str, tag: str | None) -> None:
    parts = name_address.parse(text)
    assert (parts.display, parts.uri_text, parts.tag) == (display, address, tag)


@pytest.mark.parametrize("text", ['"A <sip:a@b>', "<sip:a@b", "", "<>", "<sip:a@b>;;tag=1", "<sip:a@b> tag=1", '"a\\"'])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadHeader):
        name_address.parse(text)


@pytest.mark.parametrize(
    "text", ["", "UDP a", "SIP/2.0", "SIP/2.0/UDP", "HTTP/1.1/TCP a", "SIP/2.0/UDP a:b", "SIP/2.0/UDP a;;"]
)
def test_what_is_no_via_is_refused(text: str) -> None:
    with pytest.raises(BadHeader):
        via.parse(text)


@pytest.mark.parametrize(
    ("branch", "unique"), [("z9hG4bKa", True), ("Z9HG4BKa", True), ("z9hG4bK", False), ("a", False)]
)
def test_only_a_branch_beyond_the_cookie_names_a_transaction(branch: str, unique: bool) -> None:
    assert via.parse(f"SIP/2.0/UDP a;branch={branch}").identifies_transaction is unique


@pytest.mark.parametrize(
    "text", ["", "1", "INVITE", "-1 INVITE", "1 INVITE x", "²  INVITE", "1.0 INVITE", "2147483648 A"]
)
def test_what_is_no_cseq_is_refused(text: str) -> None:
    with pytest.raises(BadHeader):
        cseq.parse(text)


def test_commas_and_semicolons_within_quotes_and_brackets_separate_nothing() -> None:
    assert split_commas('"a,b" <sip:c,d>, e ,,f') == ['"a,b" <sip:c,d>', "e", "f"]
    assert parse_parameters(';a="x;y";B;a=2') == {"a": "x;y", "b": None}
