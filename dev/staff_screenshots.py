"""The screenshots of the staff pages that docs/staff.md shows; `dev.screenshots` calls it.

The sample data are the same each time. Before a screenshot all days that the page shows are moved to the same ones, and
ids and times are replaced, so that a repetition changes only what has changed on the page.
"""

import datetime as dt
import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page
from pymongo import MongoClient

from osdi.access.tokens import new_token
from osdi.documents import Document
from osdi.ids import now
from osdi.importing.jobs.due_jobs import ImportJobs
from osdi.importing.jobs.job_actions import upload
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID
from osdi.settings import Settings
from osdi.staff.events import record_event
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS, WEBHOOKS
from osdi.webhooks import registry
from schemas.import_bodies import load_body

Shot = tuple[str, str, dict[str, int], str]

WINDOW: Final = {"width": 1080, "height": 600}
TALL: Final = {"width": 1080, "height": 1120}
PHONE: Final = {"width": 390, "height": 720}
TALL_PHONE: Final = {"width": 390, "height": 1240}
LOOPBACK_COOKIE: Final = "osdi_staff_loopback"
CAMPAIGN: Final = f"/staff/campaigns/{CAMPAIGN_ID}"
SETTINGS: Final = "/staff/settings"
# Name of the file, path, window, and colours. In the path `{jane}` and `{double}` are ids of people.
SHOTS: Final[tuple[Shot, ...]] = (
    ("staff-sign-in", "/staff/sign-in", WINDOW, "light"),
    ("staff-home", "/staff", WINDOW, "light"),
    ("staff-home-phone-dark", "/staff", PHONE, "dark"),
    ("staff-campaigns", "/staff/campaigns", WINDOW, "light"),
    ("staff-new-campaign", "/staff/campaigns/new", WINDOW, "light"),
    ("staff-campaign", CAMPAIGN, WINDOW, "light"),
    ("staff-edit", f"{CAMPAIGN}/edit#target_list", WINDOW, "light"),
    ("staff-publish", f"{CAMPAIGN}/publish", WINDOW, "light"),
    ("staff-statistics", f"{CAMPAIGN}/statistics", TALL, "light"),
    ("staff-statistics-phone-dark", f"{CAMPAIGN}/statistics", TALL_PHONE, "dark"),
    ("staff-outreaches", f"/staff/outreaches?campaign={CAMPAIGN_ID}", WINDOW, "light"),
    ("staff-embedding", f"{CAMPAIGN}/embedding", WINDOW, "light"),
    ("staff-postal-codes", f"{CAMPAIGN}/postal-codes", WINDOW, "light"),
    ("staff-people", "/staff/people", WINDOW, "light"),
    ("staff-new-person", "/staff/people/new", WINDOW, "light"),
    ("staff-person", "/staff/people/{jane}", WINDOW, "light"),
    ("staff-person-phone", "/staff/people/{jane}", PHONE, "light"),
    ("staff-duplicates", "/staff/people/duplicates", WINDOW, "light"),
    ("staff-merge", "/staff/people/{jane}/merge/{double}", WINDOW, "light"),
    ("staff-messages", "/staff/messages", WINDOW, "light"),
    ("staff-message", "/staff/messages/{message}", WINDOW, "light"),
    ("staff-followups", "/staff/followups", WINDOW, "light"),
    ("staff-imports", "/staff/imports/{upload}/columns", WINDOW, "light"),
    ("staff-exports", "/staff/exports", WINDOW, "light"),
    ("staff-devices", "/staff/devices", WINDOW, "light"),
    ("staff-settings", SETTINGS, WINDOW, "light"),
    ("staff-tokens", f"{SETTINGS}/tokens", WINDOW, "light"),
    ("staff-webhook", f"{SETTINGS}/webhooks/webhook", WINDOW, "light"),
    ("staff-members", f"{SETTINGS}/staff", WINDOW, "light"),
    ("staff-anonymous-posts", f"{SETTINGS}/anonymous-posts", WINDOW, "light"),
    ("staff-audit-log", f"{SETTINGS}/audit-log", WINDOW, "light"),
)
NAMES: Final = tuple(name for name, *_ in SHOTS)
SUPPORTERS: Final = (
    ("Jane", "Doe", "Springfield", "share-mail"),
    ("Sam", "Okafor", "Riverton", "newsletter"),
    ("Lena", "Berg", "Springfield", "newsletter"),
    ("Amir", "Haddad", "Lakeside", ""),
    ("Mary", "Jones", "Riverton", "share-whatsapp"),
    ("Paulo", "Costa", "Springfield", "newsletter"),
)
OUTREACHES: Final = 46
STEPS: Final = 100
UPLOAD: Final = """First Name,Last Name,Email,Zip Code,Can Email Status,Favourite bird
Rosa,Lima,rosa@example.org,62701,subscribed,Kingfisher
Tom,Webb,tom@example.org,62702,unsubscribed,Heron
"""
# A day that all screenshots show as today; ids become these digits.
TODAY: Final = "2026-05-04"
STEADY: Final = """today => {
    const moved = Math.round((new Date(today) - new Date(new Date().toISOString().slice(0, 10))) / 864e5);
    const day = text => new Date(new Date(text).getTime() + moved * 864e5).toISOString().slice(0, 10);
    const steady = text => text.replace(/\\b20\\d\\d-\\d\\d-\\d\\d\\b/g, day).replace(/\\b\\d\\d:\\d\\d\\b/g, "10:30")
        .replace(/\\b01[0-9a-f]{6}-[0-9a-f-]{27}\\b/g, "01a20000-0000-7000-8000-000000000000")
        .replace(/127\\.0\\.0\\.1:\\d+/g, "outreach.example.org");
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = steady(walker.currentNode.data);
        if (text !== walker.currentNode.data) walker.currentNode.data = text;
    }
    for (const each of document.querySelectorAll("textarea[readonly]")) each.value = steady(each.value);
    document.activeElement?.blur();
}"""


def take_staff_screenshots(browser: Browser, url: str, uri: str, folder: Path) -> None:
    """Stores sample data, and writes the screenshots into the folder."""
    store = Store(uri)
    member = add_member(store, "ada@example.org", name="Ada Lovelace")
    ids = _store_sample(store, url, uri, member["_id"])
    ids["upload"] = _upload(store, Settings(mongodb_uri=uri), member)
    secret, _ = begin_session(store, member, "Firefox on Windows", now())
    cookie: Any = {"name": LOOPBACK_COOKIE, "value": secret, "url": url}
    for name, path, size, scheme in SHOTS:
        with browser.new_context(viewport=size, color_scheme=scheme, locale="en-US") as context:  # type: ignore[arg-type]
            if name != "staff-sign-in":
                context.add_cookies([cookie])
            page = context.new_page()
            page.route("https://**", lambda route: route.abort())
            page.goto(url + path.format_map(ids), wait_until="networkidle")
            _write(page, folder / f"{name}.png")
    store.close()


def _write(page: Page, file: Path) -> None:
    page.evaluate(STEADY, TODAY)
    page.screenshot(path=file)
    print(f"wrote {file.name}: {file.stat().st_size // 1000} kB")


def _store_sample(store: Store, url: str, uri: str, member_id: str) -> dict[str, str]:
    """Stores outreaches of the last weeks and what the settings show; returns ids for the paths of pages."""
    store.write(Insert(TOKENS, new_token("CRM", ("read",))[1]))
    full, document = new_token("sample")
    store.write(Insert(TOKENS, document))
    for body in _outreaches():
        _post(f"{url}{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper", body, full)
    double = {"given_name": "J.", "family_name": "Doe", "phone_numbers": [{"number": "+12025550123"}]}
    other = _post(f"{url}{API}/people", {"person": double}, full)
    with MongoClient[dict[str, Any]](uri) as client:
        database = client.get_default_database()
        database.tokens.delete_one({"_id": document["_id"]})
        jane = database.people.find_one({"given_name": "Jane"}) or {}
        message = database.messages.find_one({"type": "email"}) or {}
    _store_settings(store, member_id)
    double_id = other["_links"]["self"]["href"].rpartition("/")[2]
    return {"jane": jane["_id"], "double": double_id, "message": message["_id"]}


def _upload(store: Store, settings: Settings, member: Document) -> str:
    """Uploads a file of people and reads it as the worker does; returns the id of the import."""
    job = upload(store, settings, member, {"kind": "people"}, "supporters.csv", BytesIO(UPLOAD.encode()))
    with closing(ImportJobs(store, settings, load_body)) as jobs:
        for _ in range(STEPS):
            if not jobs.do_next():
                break
    return str(job["_id"])


def _outreaches() -> Iterator[dict[str, Any]]:
    """Yields bodies of outreaches, more of them on the latest days; those of people with a name are the latest."""
    noon = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for number in range(OUTREACHES):
        days = (OUTREACHES - number) ** 2 // 100
        person: dict[str, Any] = {"email_addresses": [{"address": f"supporter{number}@example.com"}]}
        source = ("newsletter", "share-mail", "")[number % 3]
        if number >= OUTREACHES - len(SUPPORTERS):
            given, family, town, source = SUPPORTERS[OUTREACHES - 1 - number]
            postal = [{"locality": town, "postal_code": "12345"}]
            email = [{"address": f"{given.lower()}@example.org", "status": "subscribed"}]
            person = {"given_name": given, "family_name": family, "postal_addresses": postal, "email_addresses": email}
            person |= {"phone_numbers": [{"number": "+12025550123"}]} if given == "Jane" else {}
        yield {
            "person": person,
            "type": "phone",
            "action_date": (noon - dt.timedelta(days=days + 1)).isoformat(),
            "targets": [{"title": "Senator", "given_name": "Maria", "family_name": "Lopez"}],
            "referrer_data": {"source": source} if source else {},
            "add_tags": ["caller"],
            "add_lists": ["newsletter"] if number % 2 else [],
            **({"triggers": {"autoresponse": {"enabled": True}}} if number % 9 == 0 else {}),
        }


def _store_settings(store: Store, member_id: str) -> None:
    """Stores a webhook with deliveries, a second member, and events of the audit log."""
    webhook = registry.create(store, {"url": "https://crm.example.org/osdi", "events": ["outreach_recorded"]})
    store.delete_many(WEBHOOKS, {"_id": webhook["_id"]})
    deliveries = [{"date": now(), "milliseconds": 90 + each, "events": each, "status": 204} for each in (3, 1, 8)]
    store.write(Insert(WEBHOOKS, {**webhook, "_id": "webhook", "deliveries": deliveries}))
    add_member(store, "sam@example.org", name="Sam Okafor", scopes=("read",), advocacy_campaign_id=CAMPAIGN_ID)
    for action in ("create_token", "save_campaign", "publish", "merge_people"):
        record_event(store, 365, action, [CAMPAIGN_ID], member_id)


def _post(address: str, body: dict[str, Any], token: str) -> dict[str, Any]:
    headers = {"OSDI-API-Token": token, "Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")  # noqa: S310  # our own address
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return dict(json.load(response))
