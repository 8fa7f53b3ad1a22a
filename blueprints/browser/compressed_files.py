"""Files for browsers, kept compressed, at addresses that contain a digest of the content; and compression of pages."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from typing import Final

from flask import Response, request

ONE_YEAR: Final = 31_536_000
# A shorter page fits into one packet anyway.
SHORT: Final = 1_000
# The level after which a page becomes little smaller: 0.3 ms for 15 kB.
LEVEL: Final = 6


@dataclass(frozen=True)
class Asset:
    """A file for browsers, compressed, with the version that its address carries."""

    compressed: bytes
    media_type: str
    version: str


def compressed_asset(name: str, content: bytes, versioned: bytes | None = None) -> Asset:
    """Returns the asset of a file. Its version is the digest of `versioned`, by default of the content."""
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(gzip.compress(content, mtime=0), media_type, version_of(content if versioned is None else versioned))


def version_of(content: bytes) -> str:
    """Returns a short digest, which changes with the content."""
    return hashlib.sha256(content).hexdigest()[:12]


def immutable_response(asset: Asset) -> Response:
    """Returns an asset that browsers keep for good, because other content has another address."""
    response = lasting_response(asset, ONE_YEAR)
    response.cache_control.immutable = True
    return response


def lasting_response(asset: Asset, seconds: int) -> Response:
    """Returns an asset that browsers and caches keep for `seconds`."""
    response = compressed_response(asset.compressed, asset.media_type)
    response.cache_control.public = True
    response.cache_control.max_age = seconds
    return response


def compressed_response(compressed: bytes, media_type: str) -> Response:
    """Returns compressed content, unpacked for a browser that does not accept gzip."""
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(compressed if packed else gzip.decompress(compressed), mimetype=media_type)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    return response


def compress_page(response: Response) -> Response:
    """Compresses a page for a browser that accepts gzip; used as a function for `after_request`.

    A page holds no secret of its reader, so its compressed length reveals nothing (https://www.breachattack.com).
    """
    if response.mimetype != "text/html" or response.direct_passthrough or response.content_encoding:
        return response
    response.vary.add("Accept-Encoding")
    content = response.get_data()
    if len(content) >= SHORT and request.accept_encodings.quality("gzip") > 0:
        response.set_data(gzip.compress(content, LEVEL, mtime=0))
        response.content_encoding = "gzip"
    return response
