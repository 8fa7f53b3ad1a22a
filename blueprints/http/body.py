"""The body of a request, and how strictly to take it: read and parsed once."""

import zlib
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson
from flask import g, request
from flask.globals import app_ctx
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_list_header, parse_options_header

from blueprints.http.context import caller, settings
from blueprints.http.rate_limits import rate_limits
from osdi.errors import ErrorDescription, OsdiError, invalid, too_large
from osdi.fields.limits import MAX_BODY_DEPTH, deeper_than

FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
# A form in percent-encoding has three bytes for a byte of its text.
PERCENT_ENCODED: Final = 3
# The encoding of a page that names none (encoding.spec.whatwg.org), and the control in which a browser names it.
LEGACY_ENCODING: Final = "windows-1252"
ENCODING_CONTROL: Final = "_charset_"
LEGACY_ENCODINGS: Final = frozenset(
    (
        *(f"windows-{number}" for number in range(1250, 1259)),
        *(f"iso-8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        *("koi8-r", "koi8-u", "ibm866", "gbk", "gb18030", "big5", "euc-jp", "shift_jis", "euc-kr"),
    )
)
# The number by which zlib reads the format gzip only.
GZIP: Final = zlib.MAX_WBITS | 16


@dataclass(frozen=True)
class RequestBody:
    """A body as it was sent, and as JSON; `strict` is True if unknown fields, tags and lists reject the request."""

    sent: bytes
    json: Any
    strict: bool


def request_body() -> RequestBody:
    """Returns the body of this request.

    Raises OsdiError 408, 413 or 429, and 400 for a body that is not JSON or is nested too deep. NaN, Infinity and lone
    surrogates are not JSON. Of two equal names in one object the later one counts: nothing in front of this server
    reads the body, so nothing can have checked the other one.
    """
    of_request = app_ctx.g
    found: RequestBody | None = of_request.get("body")
    if found is None:
        sent = _read(longest_body())
        found = of_request.body = RequestBody(sent, _parsed(sent), prefers_strict_handling())
    return found


def posted_form() -> MultiDict[str, str]:
    """Returns the controls of a form in the body, as `application/x-www-form-urlencoded` or `multipart/form-data`.

    The limit of a body counts the bytes of the text, not of its percent-encoding, which has three for each byte of a
    text in Cyrillic or Chinese. Files are left out. Raises OsdiError 400, 408, 413, 415 or 429.
    """
    found: MultiDict[str, str] | None = g.get("form")
    if found is not None:
        return found
    if request.mimetype not in FORM_TYPES:
        message = f"Send a form as {' or '.join(FORM_TYPES)}."
        raise OsdiError(415, ErrorDescription("UNSUPPORTED_MEDIA_TYPE", message, ("Content-Type",)))
    request.max_form_memory_size = None  # the body has a limit already
    g.form = found = _url_encoded() if request.mimetype == FORM_TYPES[0] else _multipart()
    return found


def _multipart() -> MultiDict[str, str]:
    _read(longest_body())
    return request.form


def _url_encoded() -> MultiDict[str, str]:
    limit = longest_body()
    sent = _read(PERCENT_ENCODED * limit)
    text = unquote_to_bytes(sent)
    if len(text) > limit:
        raise too_large(limit)
    encoding = _legacy_encoding(sent, text)
    return MultiDict(_controls(sent, encoding)) if encoding else request.form


def _legacy_encoding(sent: bytes, text: bytes) -> str | None:
    """Returns the encoding of a form that is not UTF-8, as a page in an old encoding sends it; None for UTF-8.

    It is the one in the control `_charset_`, which browsers fill in, else windows-1252, as the Encoding Standard reads
    pages without a statement.
    """
    try:
        text.decode()
    except UnicodeDecodeError:
        named = next((value for name, value in _controls(sent, LEGACY_ENCODING) if name == ENCODING_CONTROL), "")
        return named.lower() if named.lower() in LEGACY_ENCODINGS else LEGACY_ENCODING
    return None


def _controls(sent: bytes, encoding: str) -> list[tuple[str, str]]:
    return parse_qsl(sent.decode("latin-1"), keep_blank_values=True, encoding=encoding, errors="replace")


def text_body(longest: int) -> str:
    """Returns the body of this request as text: UTF-8, which may be compressed with gzip (RFC 9110, section 8.4).

    `longest` is the limit of the text in bytes; the sent bytes have that of every body. Raises OsdiError 400, 408, 413
    or 429.
    """
    sent = _read(longest_body())
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("gzip", "x-gzip"):
        sent = _decompressed(sent, longest)
    elif coding != "identity":
        raise invalid("The body may be compressed with gzip only.", "Content-Encoding")
    if len(sent) > longest:
        raise too_large(longest)
    try:
        return sent.decode()
    except UnicodeDecodeError as error:
        raise invalid("The body is not a text in UTF-8.") from error


def _decompressed(sent: bytes, longest: int) -> bytes:
    """Returns the content of a gzip file up to one byte more than `longest`. Raises OsdiError 400."""
    reader = zlib.decompressobj(GZIP)
    try:
        content = reader.decompress(sent, longest + 1)
    except zlib.error as error:
        raise invalid("The body is not compressed with gzip, or damaged.") from error
    if len(content) <= longest and (not reader.eof or reader.unused_data):
        raise invalid("The compressed body is cut off, or something follows it.")
    return content


def longest_body() -> int:
    """Returns the number of bytes that a body of this caller may have."""
    here = settings()
    return here.max_body_bytes if caller().has_token else min(here.max_body_bytes, here.max_anonymous_body_bytes)


def _read(limit: int) -> bytes:
    """Returns the bytes of the body. Raises OsdiError 408, 400, 413 past the limit, and 429.

    Werkzeug's limit is one byte more than ours (see app.py). It cuts a chunked body there without an error, so a body
    that reaches it was too long.
    """
    request.max_content_length = limit + 1
    try:
        body = request.get_data(cache=True)
    except ClientDisconnected as error:  # or silent for longer than gunicorn.conf.py allows
        raise OsdiError(408, ErrorDescription("REQUEST_TIMEOUT", "The body did not arrive.")) from error
    except ParseException as error:  # a broken chunk
        raise invalid("The body could not be read.") from error
    if len(body) > limit:
        raise too_large(limit)
    if not caller().has_token:
        rate_limits().hit_bytes(len(body), request.remote_addr)
    return body


def prefers_strict_handling() -> bool:
    """True if the request prefers to be rejected rather than understood in part (RFC 7240, section 4.4)."""
    preferences = request.headers.get("Prefer")
    return preferences is not None and any(map(_is_strict, parse_list_header(preferences)))


def _is_strict(preference: str) -> bool:
    """True if one preference, with its parameters, says `handling=strict`."""
    _, parameters = parse_options_header(f"preference; {preference}")
    return parameters.get("handling", "").lower() == "strict"


def _parsed(sent: bytes) -> Any:
    try:
        body = orjson.loads(sent)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The body is not valid JSON: {error}.") from error
    # Most bodies have too few brackets to be nested too deep, and brackets are quickly counted.
    if sent.count(b"{") + sent.count(b"[") > MAX_BODY_DEPTH and deeper_than(MAX_BODY_DEPTH, body):
        raise invalid(f"The body is nested more than {MAX_BODY_DEPTH} deep.")
    return body
