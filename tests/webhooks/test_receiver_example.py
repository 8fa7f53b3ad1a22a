"""The example in docs/webhooks.md accepts our signatures, and rejects all others."""

import datetime as dt
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from osdi.http_client.signature import new_secret, sign

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
BODY = '[{"idempotency_key": "x", "name": "Zoë 🌊"}]'.encode()

Verify = Callable[[str, Mapping[str, str], bytes], bool]


def shown(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def by_python(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    names: dict[str, Callable[..., None]] = {}
    exec(shown("python"), names)
    try:
        names["verify"](secret, headers, body)
    except ValueError:
        return False
    return True


def by_javascript(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    arguments = f"{json.dumps(secret)}, {json.dumps(headers)}, Buffer.from({json.dumps(body.hex())}, 'hex')"
    script = f"{shown('javascript')}\ntry {{ verify({arguments}) }} catch (error) {{ process.exit(3) }}"
    ended = subprocess.run(["node", "-e", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode in (0, 3), ended.stderr
    return ended.returncode == 0


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


@pytest.mark.parametrize("verify", [by_python, pytest.param(by_javascript, marks=needs_node)])
def test_a_signature_is_checked_as_the_page_shows(verify: Verify) -> None:
    secret, timestamp = new_secret(), dt.datetime.now(dt.UTC)
    headers = sign(secret, "msg_1", timestamp, BODY)
    old = sign(secret, "msg_1", timestamp - dt.timedelta(minutes=6), BODY)
    early = sign(secret, "msg_1", timestamp + dt.timedelta(minutes=6), BODY)

    assert verify(secret, headers, BODY)
    assert verify(secret, headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}, BODY)
    assert not verify(secret, headers, BODY + b" ")
    assert not verify(new_secret(), headers, BODY)
    assert not verify(secret, headers | {"webhook-id": "msg_2"}, BODY)
    assert not verify(secret, headers | {"webhook-signature": "v1,AAAA"}, BODY)
    assert not verify(secret, old, BODY)
    assert not verify(secret, early, BODY)
