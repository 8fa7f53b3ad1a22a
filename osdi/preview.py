"""A message as it would be sent, for whoever writes it: filled in for an outreach, or for somebody who is not there."""

from collections.abc import Mapping
from typing import Any, Final

from osdi import mail
from osdi.errors import conflict
from osdi.ids import now
from osdi.reference import Reference
from osdi.resources import ADVOCACY_CAMPAIGN, MESSAGE, PERSON
from osdi.store import Store
from osdi.template_fields import UNSUBSCRIBE_URL, fields
from osdi.templates import Mistake, TooLarge, render
from osdi.triggers import EMAIL
from osdi.unsubscribe import PATH
from osdi.wrapping import wrapper_of

PERSON_OF_PREVIEW: Final = {
    "given_name": "Jane",
    "family_name": "Doe",
    "postal_addresses": [{"locality": "Riverton", "region": "NY", "postal_code": "10011", "country": "US"}],
}
OUTREACH_OF_PREVIEW: Final = {
    "type": "phone",
    "duration": 120,
    "subject": "The river",
    "message": "Please protect the river.",
    "targets": [
        {"title": "Senator", "given_name": "John", "family_name": "Smith", "organization": "U.S. Senate"},
        {"title": "Senator", "given_name": "Jennifer", "family_name": "Larson", "organization": "U.S. Senate"},
    ],
}
CAMPAIGN_OF_PREVIEW: Final = {"name": "river", "title": "Protect the river"}


def preview(
    store: Store, reference: Reference, message: Mapping[str, Any], outreach: Mapping[str, Any] | None, base_url: str
) -> dict[str, str]:
    """`{subject, html, text, from, reply_to}` of an e-mail, `{text, from}` of a text message.

    Raises OsdiError 409 for what was saved before templates were checked, and for what has become too long; 503.
    """
    if outreach is None:
        made = {**OUTREACH_OF_PREVIEW, "action_date": now()}
        values = fields(PERSON_OF_PREVIEW, made, CAMPAIGN_OF_PREVIEW, by_token=True)
    else:
        person = store.get(PERSON.collection, outreach.get("person_id", ""))
        campaign = store.get(ADVOCACY_CAMPAIGN.collection, outreach["advocacy_campaign_id"])
        # Nobody knows any more how one without follow-ups came in: it is shown as a stranger's would be.
        by_token = any(each["by_token"] for each in outreach.get("followups", ()))
        values = fields(person, outreach, campaign or {}, by_token=by_token)
    kind = message.get("type", EMAIL)
    unsubscribe_url = f"{base_url}{PATH}/..."
    values |= {UNSUBSCRIBE_URL: unsubscribe_url}
    try:
        rendered = render(message, wrapper_of(store, reference, message), values, kind)
    except (Mistake, TooLarge) as error:
        raise conflict("TEMPLATE_MISTAKE", str(error) or "This is too long.", resource=MESSAGE.rel) from error
    seen = {"subject": rendered.subject, "from": rendered.from_, "reply_to": rendered.reply_to}
    if kind != EMAIL:
        return {"text": rendered.text, "from": rendered.from_}
    html = mail.with_link(rendered.html, unsubscribe_url)
    return {**seen, "html": html, "text": mail.text_of(html)}
