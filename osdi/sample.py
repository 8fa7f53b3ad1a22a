"""Sample data: the resources that the examples of the standard refer to, with the same ids.

So the request that the helper's page prints works unchanged, and so does "Try it out" in the explorer.
"""

from typing import Any, Final

from osdi.errors import DuplicateKey
from osdi.ids import now
from osdi.match_keys import id_key, name_key, slug_key
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, QUESTION, TAG, Resource
from osdi.store import Insert, Store

CAMPAIGN_ID: Final = "c945d6fe-929e-11e3-a2e9-12313d316c29"
SHARED_ID: Final = "d91b4b2e-ae0e-4cd3-9ed7-d0ec501b0bc3"
CHOICE_ID: Final = "c945d6fe-929e-11e3-a2e9-12313d316c29"
PARAGRAPH_ID: Final = "c945d6fe-929e-11e3-a2e9-12313d316c2a"
MAIL: Final = "system_1:eb84f0d01dec3b1ffb9e4dca406fa45e"
TEXT: Final = "system_1:efe398db3439be6bbf00d90e693ec3a3"
CALL: Final = "system_1:83069490-8a17-4131-b13e-f9a44d2b7646"

SLUG: Final = "ask-your-senators-to-protect-the-river"

SAMPLE: Final[tuple[tuple[Resource, str, dict[str, Any]], ...]] = (
    (
        ADVOCACY_CAMPAIGN,
        CAMPAIGN_ID,
        {
            "name": "Sample campaign",
            "title": "Ask your senators to protect the river",
            "type": "phone",
            "summary": "The Senate votes on the river this spring. Two calls of a minute each can decide it.",
            "description": "<p>A new dam would dry out 40 miles of the river. "
            "<strong>Both senators are undecided.</strong></p>\n"
            "<p>Nobody needs to be an expert: say where you live, and why the river matters to you.</p>",
            "targets": "The senators of our state",
            "target_list": [
                {
                    "title": "Senator",
                    "given_name": "John",
                    "family_name": "Smith",
                    "organization": "U.S. Senate",
                    "phone_numbers": [{"number": "12025550123", "number_type": "Work"}],
                },
                {
                    "title": "Senator",
                    "given_name": "Maria",
                    "family_name": "Lopez",
                    "organization": "U.S. Senate",
                    "phone_numbers": [{"number": "12025550145", "number_type": "Work"}],
                },
            ],
            "templates": [
                "Hello, my name is {{ person.given_name }}, and I live in your state. Please vote "
                "against the dam. The river gives us drinking water, and our children learn to swim in it. May I count "
                "on you?"
            ],
            "page": {
                "published": True,
                "slug": SLUG,
                "goal": "auto",
                "show_count_from": 1,
                "fields": [
                    {"name": "given_name"},
                    {"name": "family_name"},
                    {"name": "email_address", "required": True},
                    {"name": "postal_code"},
                    {"question": PARAGRAPH_ID},
                ],
                "targets": {"selection": "choose", "preselected": 1},
                "consent": {"text": "Yes, send me news about the river by e-mail.", "list": "newsletter"},
                "thank_you": {"text": "Thank you! Ask a friend to call, too."},
            },
            "triggers": {"autoresponse": {"identifiers": [MAIL]}, "sms_response": {"identifiers": [TEXT]}},
        },
    ),
    (TAG, SHARED_ID, {"name": "caller"}),
    (TAG, "5f1c7a52-5d0c-4c1f-8a4e-6d2f6f0a9b01", {"name": "volunteer"}),
    (TAG, "5f1c7a52-5d0c-4c1f-8a4e-6d2f6f0a9b02", {"name": "donor"}),
    (LIST, SHARED_ID, {"name": "newsletter", "title": "Newsletter"}),
    (LIST, "5f1c7a52-5d0c-4c1f-8a4e-6d2f6f0a9b03", {"name": "supporters", "title": "Supporters"}),
    (
        QUESTION,
        CHOICE_ID,
        {
            "title": "What moves you?",
            "question_type": "MultiChoice",
            "responses": [{"key": "r1", "title": "The river"}, {"key": "r2", "title": "The town"}],
        },
    ),
    (QUESTION, PARAGRAPH_ID, {"title": "How did you hear of us?", "question_type": "Paragraph"}),
    (
        MESSAGE,
        "5f1c7a52-5d0c-4c1f-8a4e-6d2f6f0a9b04",
        {
            "identifiers": [MAIL],
            "name": "Thanks for calling",
            "type": "email",
            "subject": "Thank you, {{ person.given_name | default('friend') }}",
            "body": "<p>Dear {{ person.given_name | default('friend') }},</p>\n"
            "<p>thank you for speaking to:</p>\n"
            "<ul>{% for target in targets %}<li>{{ target.title }} {{ target.family_name }}</li>{% endfor %}</ul>",
        },
    ),
    (
        MESSAGE,
        "5f1c7a52-5d0c-4c1f-8a4e-6d2f6f0a9b05",
        {
            "identifiers": [TEXT, CALL],
            "name": "Thanks, in short",
            "type": "sms",
            "body": "Thank you for calling, {{ person.given_name | default('friend') }}!",
        },
    ),
)


def create_sample(store: Store, namespace: str) -> list[str]:
    """Creates the missing resources; returns a line of text for each."""
    created = []
    for resource, document_id, fields in SAMPLE:
        timestamp = now()
        keys = [id_key(each) for each in (f"{namespace}:{document_id}", *fields.get("identifiers", ()))]
        if resource in (TAG, LIST):
            keys.append(name_key(fields["name"]))
        if "page" in fields:
            keys.append(slug_key(fields["page"]["slug"]))
        document = {
            "_id": document_id,
            "version": 1,
            "created_date": timestamp,
            "modified_date": timestamp,
            "match_keys": keys,
            **fields,
        }
        try:
            store.write(Insert(resource.collection, document))
        except DuplicateKey:
            continue
        created.append(f"created {resource.name} {fields.get('name') or fields['title']}")
    return created
