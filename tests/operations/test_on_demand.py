"""A web process imports only what the requests that it answers need, so that it starts fast and takes little memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from osdi.resources import API
from osdi.sample import CAMPAIGN_ID

ROOT = Path(__file__).parents[2]
# Prints the modules that are loaded after a post, and after each of the requests that follow it.
PROGRAM = f"""
import json, sys
from app import create_app
from blueprints.http.context import EXTENSION
from osdi.sample import create_sample

app = create_app()
create_sample(app.extensions[EXTENSION].store, "osdi_outreach")
client, loaded = app.test_client(), []
person = {{"phone_numbers": [{{"number": "202-555-0100"}}], "email_addresses": [{{"address": "jane@example.com"}}]}}
helper = "{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
assert client.post(helper, json={{"person": person, "type": "phone"}}).status_code == 200
loaded.append([*sys.modules])
assert client.get("/staff/sign-in", base_url="https://localhost").status_code == 200
loaded.append([*sys.modules])
print(json.dumps(loaded), file=sys.stderr)
"""
# Only commands, the worker or one request in thousands need these. A name stands for the module and all modules in it.
IN_NO_WEB_PROCESS = {
    *("osdi.backup", "osdi.commands.imports", "osdi.commands.worker", "osdi.importing.file_import"),
    *(
        "osdi.importing.importer",
        "osdi.importing.jobs.due_jobs",
        "osdi.importing.server_import",
        "osdi.importing.sources",
    ),
    *("cryptography", "joserfc"),
}
NOT_AFTER_A_POST = {
    *("blueprints.staff", "osdi.exporting.export", "osdi.importing", "osdi.odata.query", "osdi.staff"),
    *("osdi.webhooks.delivery", "babel.dates", "babel.messages", "bs4", "lark", "markdownify"),
    *("nh3", "prometheus_client", "urllib3"),
}


@pytest.fixture(scope="module")
def loaded() -> list[list[str]]:
    """The modules of a new process after a post, and after a staff page was shown."""
    environment = {"MONGODB_URI": "mongomock://", "PATH": "", "LOG_LEVEL": "error"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stderr.splitlines()[-1])
    return found


def among(names: set[str], modules: list[str]) -> set[str]:
    """The names of which a module is loaded."""
    return {name for name in names if any(each == name or each.startswith(f"{name}.") for each in modules)}


def test_a_post_needs_no_module_of_other_parts(loaded: list[list[str]]) -> None:
    assert "osdi.outreaches.record_outreach" in loaded[0]
    assert among(NOT_AFTER_A_POST | IN_NO_WEB_PROCESS, loaded[0]) == set()


def test_the_first_request_for_a_staff_page_imports_the_staff_pages(loaded: list[list[str]]) -> None:
    assert "blueprints.staff.home" in loaded[1]
    assert among(IN_NO_WEB_PROCESS, loaded[1]) == set()
