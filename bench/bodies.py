"""Request bodies: the example of the OSDI page as a template, with marks where each request differs.

wrk's script only fills in the marks: `@unique@` is new in every request, `@phone@` is a new eleven-digit number, and
`@known@` is the number of one of KNOWN_PEOPLE. One function makes each body, so every contender gets the same fields.
"""

import json
from typing import Any

KNOWN_PEOPLE = 1000
# Known people have the numbers 1000 to 1999: always four digits, so that a phone number keeps its length.
FIRST_KNOWN = 1000

# First of the phone numbers that `filled` uses. wrk's scripts use other ranges.
FIRST_PHONE = 12_900_000_000
# The phone number of a switchboard, which all posts of one contender have.
SHARED_PHONE = "12025550123"
# Identifier of the message that the triggers send.
MESSAGE = "bench:thanks"


def helper_body(*, identifiers: bool, known_person: bool = False, trigger: bool = False) -> str:
    """Returns the template of one helper request: a new outreach of a new person, or of a known person.

    With `trigger` it asks for an autoresponse. With identifiers it also names the message, which needs a token.
    """
    body = outreach(identifiers=identifiers)
    if trigger:
        named = {"identifiers": [MESSAGE]} if identifiers else {}
        body["triggers"] = {"autoresponse": {"enabled": True, **named}}
    body["person"] = person("known-@known@" if known_person else "@unique@", identifiers=identifiers)
    if known_person:
        body["person"]["phone_numbers"][0]["number"] = "@known_phone@"
    return template(body)


def person(name: str, *, identifiers: bool) -> dict[str, Any]:
    """Returns the person of the specification's request, made unique by `name`."""
    document: dict[str, Any] = {
        "family_name": f"Edwin {name}",
        "given_name": "Labadie",
        "additional_name": "Marques",
        "origin_system": "OpenSupporter",
        "email_addresses": [{"address": f"{name}@example.com", "primary": True, "address_type": "Personal"}],
        "postal_addresses": [
            {
                "primary": True,
                "address_lines": ["935 Ed Lock"],
                "locality": "New Dudley",
                "region": "MN",
                "postal_code": "17678",
                "country": "RU",
                "address_type": "Home",
                "status": "Verified",
            }
        ],
        "phone_numbers": [{"primary": True, "number": "@phone@", "number_type": "Mobile", "sms_capable": True}],
        "gender": "Male",
    }
    if identifiers:
        document["identifiers"] = [f"foreign_system:{name}"]
    return document


def outreach(*, identifiers: bool) -> dict[str, Any]:
    """Returns the outreach of the specification's request, without its person."""
    document: dict[str, Any] = {
        "origin_system": "OpenSupporter",
        "action_date": "2014-03-18T11:02:15Z",
        "type": "phone",
        "duration": 120,
        "referrer_data": {
            "source": "facebook-101016-mainpage",
            "referrer": "jane-doe",
            "website": "facebook.com",
            "url": "https://facebook.com/posts/12345",
        },
        "targets": [target("John", "Smith"), target("Jennifer", "Larson")],
    }
    if identifiers:
        document["identifiers"] = ["foreign_system:outreach-@unique@"]
    return document


def target(given_name: str, family_name: str) -> dict[str, str]:
    """Returns a target of the outreach: a senator with this name."""
    return {
        "title": "Senator",
        "given_name": given_name,
        "family_name": family_name,
        "organization": "U.S. Senate",
        "ocdid": "ocd-division/country:us/state:ny",
    }


def message() -> dict[str, Any]:
    """Returns the message of the autoresponse. It uses fields of the person, the targets and the campaign."""
    return {
        "identifiers": [MESSAGE],
        "type": "email",
        "name": "Thanks",
        "subject": 'Thank you, {{ person.given_name | default("friend") }}',
        "body": (
            '<p>Dear {{ person.given_name | default("friend") }},</p>\n'
            "<p>thank you for your call for {{ campaign.title }}. You have spoken with:</p>\n"
            "<ul>{% for target in targets %}<li>{{ target.title }} {{ target.given_name }} {{ target.family_name }}"
            "</li>{% endfor %}</ul>\n"
            '<p>Tell your friends: <a href="https://river.example.org/">every call counts</a>.</p>\n'
        ),
    }


def filled(text: str, number: int) -> str:
    """Returns the template's body for a new person with this number, or for one of the known people."""
    known = str(FIRST_KNOWN + number % KNOWN_PEOPLE)
    filled_in = text.replace("@unique@", f"one-{number}").replace("@phone@", str(FIRST_PHONE + number))
    return filled_in.replace("@known@", known)


def template(document: dict[str, Any]) -> str:
    """Returns the document as JSON text with marks. Phone numbers are JSON numbers, as in the specification."""
    text = json.dumps(document, separators=(",", ":"))
    return text.replace('"@phone@"', "@phone@").replace('"@known_phone@"', "1201555@known@")


def known_person_body(number: int) -> str:
    """Returns the body that creates known person `number` (0 to KNOWN_PEOPLE - 1) before the load starts."""
    text = helper_body(identifiers=True, known_person=True)
    return text.replace("@known@", str(FIRST_KNOWN + number)).replace("@unique@", f"seed-{number}")
