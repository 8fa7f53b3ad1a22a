"""One HTTP request that is arriving: the bytes so far, if it is complete, and the time by which more must arrive.

The worker's loop collects requests with this class, so no thread waits for a client. It finds only the end of a
request (RFC 9112, sections 6 and 7); gunicorn parses and checks it. A request that gunicorn will reject counts as
complete.
"""

import re
from typing import Final, NamedTuple

# More than gunicorn's limits for a request line and 100 headers, so that gunicorn rejects what is longer.
MAX_HEAD_BYTES: Final = 1_048_576
END_OF_HEAD: Final = b"\r\n\r\n"
CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
TRANSFER_ENCODING: Final = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
# The forms of the staff pages. They may be longer than other bodies, such as an uploaded file, and a thread receives
# them: the application reads one only if the head is that of a member.
LONG_FORM: Final = re.compile(rb"POST /staff/[^ ]* HTTP/1\.[01]\r\n")
EXPECT_CONTINUE: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
CHUNK_SIZE: Final = re.compile(rb"[0-9a-fA-F]+")
MAX_CHUNK_LINE_BYTES: Final = 1_000
# Bytes of a chunked body besides its content: the lines with the sizes of the chunks, and the trailers. gunicorn needs
# some microseconds for each chunk, so a body of one-byte chunks would occupy a thread for seconds.
MAX_FRAMING_BYTES: Final = 65_536


class Bounds(NamedTuple):
    """Seconds that a client has for a head, for a body, and for each piece of them."""

    head_seconds: float
    body_seconds: float
    silence_seconds: float


class IncomingRequest:
    """The bytes of a request that have arrived. `deadline` is the time (monotonic) by which the next must arrive.

    `is_complete` is true if no more bytes are needed for a response, `is_whole` if the request has arrived to its end.
    """

    def __init__(self, bounds: Bounds, max_body_bytes: int, deadline: float) -> None:
        """`deadline` is that of byte one. A body of more than `max_body_bytes` need not arrive: it will be rejected."""
        self.data = bytearray()
        self.deadline = deadline
        self.is_complete = False
        self.is_whole = False
        self._bounds = bounds
        self._max_body_bytes = max_body_bytes
        self._part_ends = 0.0
        self._head_ends = 0
        self._length: int | None = None  # of head and body; None while it is unknown, or for a chunked body
        self._next_chunk = 0
        self._in_chunks = 0  # bytes of the body in all chunks before the next one
        self._searched = 0  # bytes that do not contain the end of the trailers

    @property
    def in_body(self) -> bool:
        """True if the head is complete."""
        return self._head_ends > 0

    @property
    def awaits_continue(self) -> bool:
        """True if the client waits for `100 Continue` before it sends the body."""
        return self.in_body and not self.is_complete and len(self.data) == self._head_ends and self.expects_continue

    @property
    def is_long_form(self) -> bool:
        """True for a form whose rest a thread has to receive, because it is longer than what the loop collects."""
        if self._length is None or self.is_whole or self._length - self._head_ends <= self._max_body_bytes:
            return False
        return LONG_FORM.match(self.data) is not None

    @property
    def awaited_bytes(self) -> int:
        """The number of bytes of head and body that have not arrived; 0 if it is unknown."""
        return max(0, (self._length or 0) - len(self.data))

    @property
    def expects_continue(self) -> bool:
        """True if the client waits for `100 Continue` before it sends the body."""
        return EXPECT_CONTINUE.search(self.data, 0, self._head_ends) is not None

    def add(self, data: bytes, timestamp: float) -> None:
        """Adds bytes that arrived at `timestamp` (monotonic)."""
        if not self.data:
            self._part_ends = timestamp + self._bounds.head_seconds
        searched = max(0, len(self.data) - len(END_OF_HEAD))
        self.data += data
        if not self._head_ends:
            self._find_head(searched, timestamp)
        if self._head_ends and not self.is_complete:
            self.is_complete = self._has_body()
        self.deadline = min(self._part_ends, timestamp + self._bounds.silence_seconds)

    def _find_head(self, searched: int, timestamp: float) -> None:
        found = self.data.find(END_OF_HEAD, searched)
        if found < 0:
            self.is_complete = len(self.data) > MAX_HEAD_BYTES
            return
        self._head_ends = self._next_chunk = found + len(END_OF_HEAD)
        self._part_ends = timestamp + self._bounds.body_seconds
        if TRANSFER_ENCODING.search(self.data, 0, self._head_ends):
            return
        length = CONTENT_LENGTH.search(self.data, 0, self._head_ends)
        self._length = self._head_ends + (int(length[1]) if length else 0)

    def _has_body(self) -> bool:
        """True if the body is complete, or is or will be too long."""
        if self._length is None:
            return self._has_last_chunk()
        self.is_whole = len(self.data) >= self._length
        return self.is_whole or self._length - self._head_ends > self._max_body_bytes

    def _has_last_chunk(self) -> bool:
        """True if the last chunk and its trailers are there, if a chunk is invalid, or if the chunks are too long."""
        while True:
            ends = self.data.find(b"\r\n", self._next_chunk)
            if ends < 0:
                return len(self.data) - self._next_chunk > MAX_CHUNK_LINE_BYTES
            size = CHUNK_SIZE.match(self.data, self._next_chunk, ends)
            if size is None or ends - self._head_ends - self._in_chunks > MAX_FRAMING_BYTES:
                return True
            length = int(size[0], 16)
            if length == 0:
                return self._has_trailers(ends)
            begins = ends + 2
            if begins + length + 2 > len(self.data):
                return self._in_chunks + min(length, len(self.data) - begins) > self._max_body_bytes
            self._next_chunk = begins + length + 2
            self._in_chunks += length

    def _has_trailers(self, begins: int) -> bool:
        """True if the trailers, which begin with the line break at `begins`, are complete or too long."""
        found = self.data.find(END_OF_HEAD, max(begins, self._searched))
        self._searched = len(self.data) - len(END_OF_HEAD)
        self.is_whole = found >= 0
        return self.is_whole or len(self.data) - begins > MAX_FRAMING_BYTES
