"""Delivery of a queued follow-up: the worker sends it to its recipient, or gets the reason why it is not sent."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.signing_keys import signing_key
from osdi.followups import outbox_store
from osdi.ids import now
from osdi.store import Store
from tests.followups.conftest import PUBLIC, SECRET, Deliver
from tests.support import factories
from tests.support.client import Client
from tests.support.profiled import profiled
from tests.support.smtp_sink import SmtpSink
from tests.support.webhook_receiver import WebhookReceiver

JANE = "jane@example.com"
CONTACTS = {
    "email_addresses": [{"address": JANE}],
    "phone_numbers": [{"number": "+1 202-555-0123", "sms_capable": True}],
}


def record_with_followups(
    api: Client, *kinds: str, token: bool = True, person: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """Records an outreach of Jane's with follow-ups of these kinds, by default an autoresponse, and returns it."""
    triggers = {kind: {"enabled": True} for kind in kinds or ("autoresponse",)}
    body = factories.outreach(person={"given_name": "Jane", **CONTACTS, **(person or {})}, triggers=triggers, **fields)
    response = api.record(body, token=token)
    assert response.status_code == 200, response.get_data(as_text=True)
    return dict(response.json)


def outcome(followups: list[dict[str, Any]]) -> tuple[str, str | None]:
    (followup,) = followups
    return followup["state"], followup.get("reason")


@pytest.mark.usefixtures("message")
class TestAMail:
    def put_body(self, api: Client, message: dict[str, Any], body: str) -> None:
        assert api.put(message["_links"]["self"]["href"], {"body": body}).status_code == 200

    def test_of_plain_text_has_its_lines_and_addresses_in_both_parts(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, message: dict[str, Any]
    ) -> None:
        self.put_body(
            api,
            message,
            "Dear {{ person.given_name }},\n\nWrite to Jane <jane@river.example.org> for more.\n\nThanks\nThe River",
        )
        record_with_followups(api)

        deliver_followups()

        (mail,) = sink.mails
        html, text = (mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("html", "plain"))
        written = (
            "Dear Jane,\n\nWrite to Jane <jane@river.example.org> for more.\n\nThanks\nThe River\n\nUnsubscribe (http"
        )
        assert text.startswith(written)
        assert "Write to Jane &lt;jane@river.example.org&gt; for more.<br>\n<br>\nThanks<br>\nThe River" in html

    @pytest.mark.parametrize(
        ("posted", "zone", "printed"),
        [
            ("2026-03-18T23:30:00-05:00", "UTC", "18 March 2026 23:30"),
            ("2026-03-19T09:30:00+05:30", "America/New_York", "19 March 2026 09:30"),
            ("2026-03-19T04:30:00Z", "UTC", "19 March 2026 04:30"),
            ("2026-03-19T04:30:00Z", "America/Chicago", "18 March 2026 23:30"),
            ("2026-03-19T04:30:00+00:00", "America/Chicago", "18 March 2026 23:30"),
            ("2026-01-19T04:30:00", "America/Chicago", "18 January 2026 22:30"),
        ],
    )
    def test_prints_the_date_of_the_outreach_by_its_offset_or_the_time_zone(
        self,
        api: Client,
        deliver_followups: Deliver,
        sink: SmtpSink,
        message: dict[str, Any],
        posted: str,
        zone: str,
        printed: str,
    ) -> None:
        self.put_body(api, message, '<p>{{ outreach.action_date | date("%d %B %Y %H:%M") }}</p>')
        outreach = record_with_followups(api, action_date=posted)

        deliver_followups(time_zone=zone)

        assert printed in sink.mails[0].get_body(("plain",)).get_content()
        assert "action_date_offset" not in outreach

    def test_prints_a_corrected_date_by_its_own_offset(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, message: dict[str, Any]
    ) -> None:
        self.put_body(api, message, '<p>{{ outreach.action_date | date("%d %B") }}</p>')
        outreach = record_with_followups(api, action_date="2026-03-18T23:30:00-05:00")
        for date in ("2026-03-20T01:00:00+09:00", "2026-03-22T01:00:00Z"):
            api.put(outreach["_links"]["self"]["href"], {"action_date": date})

        deliver_followups()

        assert "22 March" in sink.mails[0].get_body(("plain",)).get_content()

    def test_is_sent_to_the_person_with_the_messages_text(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink
    ) -> None:
        outreach = record_with_followups(api)

        (followup,) = deliver_followups()

        (mail,) = sink.mails
        assert mail["To"] == JANE
        assert mail["From"] == "The River <hello@river.example.org>"
        assert mail["Subject"] == "Thank you"
        assert mail["Auto-Submitted"] == "auto-replied"
        assert mail["Message-ID"] == f"<{followup['_id']}@river.example.org>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        html, text = mail.get_body(("html",)), mail.get_body(("plain",))
        assert html is not None
        assert text is not None
        assert "<p>Dear Jane, thank you.</p>" in html.get_content()
        assert text.get_content().startswith("Dear Jane, thank you.")
        shown = api.get(outreach["_links"]["self"]["href"]).json["osdi_outreach:followups"][0]
        assert (shown["state"], shown["attempts"]) == ("sent", 1)
        assert shown["sent_date"]
        assert not {"lease", "to", "not_before"} & set(shown)

    def test_has_a_link_that_unsubscribes_its_reader(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        record_with_followups(api)
        deliver_followups()
        (mail,) = sink.mails
        link = str(mail["List-Unsubscribe"]).strip("<>")
        html = mail.get_body(("html",))
        assert html is not None
        assert f'href="{link}"' in html.get_content()
        assert link.startswith(f"{PUBLIC}/unsubscribe/")

        assert api.http.post(link.removeprefix(PUBLIC), data={"List-Unsubscribe": "One-Click"}).status_code == 200

        assert database.people.find_one({"given_name": "Jane"})["email_addresses"][0]["status"] == "unsubscribed"
        record_with_followups(api)
        assert outcome(deliver_followups(followup_interval_hours=0)) == ("skipped", "unsubscribed")
        assert len(sink.envelopes) == 1

    @pytest.mark.parametrize(
        ("of_page", "of_deployment", "date", "words", "query"),
        [
            (None, "en", "Wednesday, March 18, 2026", "Unsubscribe", ""),
            (None, "de", "Mittwoch, 18. März 2026", "Abmelden", "?lang=de"),
            ("fr", "de", "mercredi 18 mars 2026", "Se désabonner", "?lang=fr"),
            ("en", "de", "Wednesday, March 18, 2026", "Unsubscribe", ""),
            ("xx", "de", "Mittwoch, 18. März 2026", "Abmelden", "?lang=de"),
        ],
    )
    def test_has_the_language_of_the_campaigns_page_or_of_the_deployment(
        self,
        api: Client,
        deliver_followups: Deliver,
        sink: SmtpSink,
        database: Database,
        message: dict[str, Any],
        of_page: str | None,
        of_deployment: str,
        date: str,
        words: str,
        query: str,
    ) -> None:
        self.put_body(api, message, '<p>{{ outreach.action_date | date("full") }}</p>')
        if of_page:
            database.advocacy_campaigns.update_one({"_id": api.campaign_id}, {"$set": {"page": {"language": of_page}}})
        record_with_followups(api, action_date="2026-03-18T23:30:00-05:00")

        deliver_followups(language=of_deployment)

        (mail,) = sink.mails
        url = mail["List-Unsubscribe"].strip("<>")
        assert url.partition(".")[2].endswith(query)
        assert ("?lang=" in url) is bool(query)
        assert f"{date}\n\n{words} ({url})" in mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert api.http.post(url.removeprefix(PUBLIC), data={"List-Unsubscribe": "One-Click"}).status_code == 200

    def test_has_the_unsubscribe_link_where_the_template_puts_it(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink
    ) -> None:
        body = "<p><a href='{{ unsubscribe_url }}'>Leave</a> {{ person.given_name }}</p>"
        api.created("/messages", factories.message(identifiers=["crm:own"], body=body))
        api.recorded(
            factories.outreach(
                person=CONTACTS, triggers={"autoresponse": {"enabled": True, "identifiers": ["crm:own"]}}
            )
        )

        deliver_followups()

        html = sink.mails[0].get_body(("html",))
        assert html is not None
        assert html.get_content().count("/unsubscribe/") == 1

    def test_has_the_default_wrapper(self, api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
        api.created("/wrappers", {"header": "<h1>River</h1>", "footer": "<p>{{ campaign.title }}</p>", "default": True})
        record_with_followups(api)

        deliver_followups()

        html = sink.mails[0].get_body(("html",))
        assert html is not None
        text = " ".join(html.get_content().split())
        assert text.startswith("<h1>River</h1> <p>Dear Jane")
        assert "<p>Protect the river</p>" in text

    @pytest.mark.parametrize(("seconds", "wrappers", "keys"), [(60.0, 1, 2), (0.0, 3, 9)])
    def test_caches_the_data_that_all_mails_need(
        self,
        api: Client,
        store: Store,
        deliver_followups: Deliver,
        sink: SmtpSink,
        database: Database,
        seconds: float,
        wrappers: int,
        keys: int,
    ) -> None:
        for number in range(3):
            address = f"jane-{number}@example.com"
            record_with_followups(api, person={"email_addresses": [{"address": address}], "phone_numbers": []})
        signing_key(store, "unsubscribe")

        with profiled(database) as done:
            deliver_followups(cache_seconds=seconds)

        collections = [operation.collection for operation in done]
        assert len(sink.envelopes) == 3
        assert collections.count("wrappers") == wrappers
        assert collections.count("signing_keys") == keys  # of the link to unsubscribe, and of the suppression list

    def test_costs_two_commands_and_a_part_of_those_of_a_batch(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        for number in range(3):
            record_with_followups(
                api, person={"email_addresses": [{"address": f"jane-{number}@example.com"}], "phone_numbers": []}
            )
        deliver_followups(times=0)

        with profiled(database) as done:
            deliver_followups(times=3)

        assert len(sink.envelopes) == 3
        collections = Counter(operation.collection for operation in done)
        # A lost one is looked for, three are found, leased and read; each is marked; and then the test reads one.
        assert collections["outreaches"] == 4 + 3 + 1
        # All are read for the batch, and each before it is sent, with the suppression list and other follow-ups.
        assert collections["people"] == 1 + 3
        assert collections["suppressions"] == 0

    def test_bounces_to_the_configured_address(self, api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
        record_with_followups(api)

        deliver_followups(bounce_address="Bounces <bounces@river.example.org>")

        assert sink.envelopes[0][:2] == ("bounces@river.example.org", JANE)

    def test_of_an_anonymous_post_has_no_recipient_after_it_was_sent(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        record_with_followups(api, token=False)
        (queued,) = database.outreaches.find_one()["followups"]
        assert queued["to"] == JANE

        (sent,) = deliver_followups()

        assert sent["state"] == "sent"
        assert "to" not in sent

    def test_is_sent_once(self, api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
        record_with_followups(api)

        deliver_followups()
        deliver_followups()

        assert len(sink.envelopes) == 1

    def test_is_sent_to_the_primary_address_of_the_linked_person(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink
    ) -> None:
        contacts = [{"address": "old@example.com"}, {"address": "new@example.com", "primary": True}]
        person = api.recorded(factories.outreach(person={"email_addresses": contacts}))["_links"]["osdi:person"]
        api.recorded(
            {"_links": {"osdi:person": person}, "type": "phone", "triggers": {"autoresponse": {"enabled": True}}}
        )

        deliver_followups()

        assert [to for _, to, _ in sink.envelopes] == ["new@example.com"]

    @pytest.mark.parametrize("by_token", [True, False])
    def test_shows_posted_text_without_html_and_links(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, by_token: bool
    ) -> None:
        subject = "Dear {{ person.given_name }} {{ person.family_name | default('friend') }}"
        body = (
            "<p>{{ person.given_name }} {{ person.family_name | default('friend') }} {{ (targets | first).title }}</p>"
        )
        thanks = api.get("/messages").json["_embedded"]["osdi:messages"][0]["_links"]["self"]["href"]
        assert api.put(thanks, {"subject": subject, "body": body}).status_code == 200
        evil = "<script>alert(1)</script>\r\nBcc: all@example.com"

        record_with_followups(
            api,
            token=by_token,
            person={"given_name": "{{ 7 * 7 }} <b>\r\nX: y", "family_name": "http://evil.example"},
            targets=[{"title": evil if not by_token else "<b>"}],
        )
        deliver_followups()

        (mail,) = sink.mails
        assert mail["Subject"] == "Dear {{ 7 * 7 }} <b> X: y friend"
        assert mail["Bcc"] is None
        assert mail["X"] is None
        sent = sink.envelopes[0][2]
        assert b"evil.example" not in sent
        html = mail.get_body(("html",))
        assert html is not None
        assert "<b>" not in html.get_content()
        assert "<script>" not in html.get_content()
        assert "{{ 7 * 7 }} &lt;b&gt; X: y friend" in html.get_content()

    def test_of_an_anonymous_post_contains_no_data_of_a_person_it_is_not_sent_to(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink
    ) -> None:
        """Somebody adds their own address to a person whose phone number they know."""
        api.recorded(factories.outreach(person={"given_name": "Secret", "phone_numbers": [{"number": "12025550123"}]}))
        contacts = {
            "email_addresses": [{"address": "mallory@example.com"}],
            "phone_numbers": [{"number": "12025550123"}],
        }

        api.record(factories.outreach(person=contacts, triggers={"autoresponse": {"enabled": True}}), token=False)
        deliver_followups()

        assert [to for _, to, _ in sink.envelopes] == ["mallory@example.com"]
        assert b"Secret" not in sink.envelopes[0][2]
        assert b"Dear friend" in sink.envelopes[0][2]


@pytest.mark.usefixtures("message")
class TestAMailIsNotSent:
    @pytest.mark.parametrize("status", ["unsubscribed", "bouncing", "spam complaints"])
    @pytest.mark.parametrize("token", [True, False])
    def test_to_a_person_who_wants_no_mail(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, status: str, token: bool
    ) -> None:
        api.recorded(factories.outreach(person={"email_addresses": [{"address": JANE, "status": status}]}))
        record_with_followups(api, token=token)

        assert outcome(deliver_followups()) == ("skipped", status.replace(" ", "_"))
        assert sink.envelopes == []

    def test_a_second_time_in_the_interval(self, api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
        for _ in range(3):
            record_with_followups(api)
            deliver_followups()

        assert outcome(deliver_followups()) == ("skipped", "sent_before")
        assert len(sink.envelopes) == 1

    def test_a_second_time_in_the_interval_if_all_were_queued_together(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        for _ in range(5):
            record_with_followups(api)

        for _ in range(20):
            deliver_followups()
            database.outreaches.update_many(
                {"followups.state": "queued"}, {"$set": {"followups.0.not_before": now() - dt.timedelta(seconds=1)}}
            )

        states = [each["followups"][0]["state"] for each in database.outreaches.find()]
        assert Counter(states) == {"sent": 1, "skipped": 4}
        assert len(sink.envelopes) == 1

    def test_before_one_that_was_queued_earlier(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        record_with_followups(api)
        tomorrow = now() + dt.timedelta(days=1)
        database.outreaches.update_one({}, {"$set": {"followups.0.not_before": tomorrow}})
        record_with_followups(api)

        assert outcome(deliver_followups(times=1)) == ("queued", "another_first")
        assert sink.envelopes == []

    @pytest.mark.parametrize(
        ("gone", "reason"), [("person", "no_person"), ("address", "not_theirs"), ("message", "no_message")]
    )
    def test_after_a_resource_that_it_needs_was_deleted(
        self, api: Client, deliver_followups: Deliver, message: dict[str, Any], gone: str, reason: str
    ) -> None:
        outreach = record_with_followups(api, token=True)
        person = outreach["_links"]["osdi:person"]["href"]
        if gone == "person":
            api.delete(person)
        elif gone == "address":
            api.put(person, {"email_addresses": [{"address": "other@example.com"}]})
        else:
            api.delete(message["_links"]["self"]["href"])

        assert outcome(deliver_followups()) == ("skipped", reason)

    def test_without_a_mail_server(self, api: Client, deliver_followups: Deliver) -> None:
        record_with_followups(api)

        assert outcome(deliver_followups(smtp_url="")) == ("skipped", "no_smtp")

    def test_without_a_sender_address(self, api: Client, deliver_followups: Deliver) -> None:
        thanks = api.get("/messages").json["_embedded"]["osdi:messages"][0]["_links"]["self"]["href"]
        api.put(thanks, {"from": None})
        record_with_followups(api)

        assert outcome(deliver_followups(mail_from="")) == ("failed", "no_from")


@pytest.mark.usefixtures("message")
class TestAMailIsSentAgain:
    def test_for_another_campaign(self, api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
        record_with_followups(api)
        first = api.campaign_id
        campaign = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"]
        api.campaign_id = campaign.rsplit("/", 1)[1]
        api.put(f"{campaign}/triggers", {"autoresponse": {"identifiers": ["crm:thanks"]}})
        record_with_followups(api)
        deliver_followups()
        api.campaign_id = first

        assert len(sink.envelopes) == 2

    def test_after_the_interval(self, api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
        record_with_followups(api)
        deliver_followups()
        record_with_followups(api)
        deliver_followups(followup_interval_hours=0)

        assert len(sink.envelopes) == 2


@pytest.mark.usefixtures("message")
@pytest.mark.parametrize("primary", ["victim@example.com", "mallory@example.com"])
def test_the_mail_for_a_post_without_a_token_goes_to_the_primary_address_of_the_matched_person(
    api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database, primary: str
) -> None:
    """The primary address also decides which person the post matches, so each person gets their own mails only."""
    addresses = ("victim@example.com", "mallory@example.com")
    for address in addresses:
        api.recorded(factories.by_email(address))
    entries = [{"address": address, "primary": address == primary} for address in addresses]

    body = factories.outreach(person={"email_addresses": entries}, triggers={"autoresponse": {"enabled": True}})
    api.record(body, token=False)
    deliver_followups()

    assert [to for _, to, _ in sink.envelopes] == [primary]
    owner = database.people.find_one({"match_keys": f"email:{primary}"})
    assert database.outreaches.find_one({}, sort=[("_id", -1)])["person_id"] == owner["_id"]


@pytest.mark.usefixtures("message")
class TestAMailThatTheServerRejects:
    def test_permanently_for_its_recipient_makes_the_address_bouncing(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        sink.recipient_replies[JANE] = "550 5.1.1 no such user"
        record_with_followups(api)

        assert outcome(deliver_followups()) == ("failed", "bouncing")
        assert database.people.find_one({"given_name": "Jane"})["email_addresses"][0]["status"] == "bouncing"

    def test_permanently_for_its_content_leaves_the_status(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        sink.data_reply = "554 5.7.1 looks like spam"
        record_with_followups(api)

        assert outcome(deliver_followups()) == ("failed", "smtp_data_554")
        assert "status" not in database.people.find_one({"given_name": "Jane"})["email_addresses"][0]

    def test_temporarily_is_retried_and_later_abandoned(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        sink.recipient_replies[JANE] = "450 4.2.1 try later"
        record_with_followups(api)

        (followup,) = deliver_followups()
        assert (followup["state"], followup["reason"], followup["attempts"]) == ("queued", "smtp_rcpt_to_450", 1)
        assert dt.timedelta(seconds=10) < followup["not_before"] - now() < dt.timedelta(seconds=32)

        due = {"followups.0.not_before": now(), "followups.0.queued_date": now() - dt.timedelta(hours=73)}
        database.outreaches.update_many({}, {"$set": due})
        assert outcome(deliver_followups()) == ("failed", "smtp_rcpt_to_450")

    def test_is_tried_for_the_last_time_when_it_is_abandoned(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        sink.recipient_replies[JANE] = "450 4.2.1 try later"
        record_with_followups(api)
        queued = now() - dt.timedelta(hours=72) + dt.timedelta(seconds=5)
        database.outreaches.update_many({}, {"$set": {"followups.0.queued_date": queued}})

        (followup,) = deliver_followups(times=1)

        assert (followup["state"], followup["not_before"]) == ("queued", queued + dt.timedelta(hours=72))

    def test_temporarily_is_sent_when_the_server_accepts_it(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        sink.data_reply = "451 try later"
        record_with_followups(api)
        (waiting,) = deliver_followups()
        sink.data_reply = ""
        database.outreaches.update_many({}, {"$set": {"followups.0.not_before": now()}})

        (sent,) = deliver_followups()

        assert (sent["state"], sent["attempts"], "reason" in sent) == ("sent", 2, False)
        assert sink.message_ids == {f"<{waiting['_id']}@river.example.org>": 1}


@pytest.mark.usefixtures("message")
def test_an_unavailable_mail_server_pauses_the_queue(
    api: Client, deliver_followups: Deliver, database: Database
) -> None:
    for number in range(4):
        record_with_followups(
            api, person={"email_addresses": [{"address": f"person{number}@example.com"}], "phone_numbers": []}
        )

    deliver_followups(smtp_url="smtp://127.0.0.1:1")

    attempts = [each["followups"][0]["attempts"] for each in database.outreaches.find()]
    assert sorted(attempts) == [0, 0, 0, 1]


@pytest.mark.usefixtures("message")
class TestSendingLimits:
    def campaigns(self, api: Client, number: int) -> list[str]:
        """Creates campaigns with the same message, so that only the sending limits restrict mails to one address."""
        made = []
        for _ in range(number):
            campaign = api.created("/advocacy_campaigns", {"title": "x"})["_links"]["self"]["href"]
            api.put(f"{campaign}/triggers", {"autoresponse": {"identifiers": ["crm:thanks"]}})
            made.append(campaign.rsplit("/", 1)[1])
        return made

    def test_restrict_one_address(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        body = factories.outreach(person=CONTACTS, triggers={"autoresponse": {"enabled": True}})
        for campaign in self.campaigns(api, 6):
            api.record(body, token=False, campaign=campaign)

        deliver_followups(rate_limit_mail_address="3/day")

        assert len(sink.envelopes) == 3
        reasons = [each["followups"][0].get("reason") for each in database.outreaches.find()]
        assert reasons.count("too_many_to_address") == 3

    def test_restrict_all_together_and_postpone_the_rest(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        for number in range(5):
            body = factories.by_email(f"person{number}@example.com") | {"triggers": {"autoresponse": {"enabled": True}}}
            api.record(body, token=False)

        deliver_followups(rate_limit_mail="2/hour")

        assert len(sink.envelopes) == 2
        waiting = [each["followups"][0] for each in database.outreaches.find({"followups.state": "queued"})]
        assert [(each["reason"], each["attempts"]) for each in waiting] == [("too_many", 0)] * 3
        assert all(each["not_before"] > now() for each in waiting)

    def test_do_not_apply_with_a_token(self, api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
        for number in range(5):
            record_with_followups(
                api, person={"email_addresses": [{"address": f"person{number}@example.com"}], "phone_numbers": []}
            )

        deliver_followups(rate_limit_mail="2/hour", rate_limit_mail_address="1/day")

        assert len(sink.envelopes) == 5

    def test_count_no_attempt_twice(
        self, api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
    ) -> None:
        sink.data_reply = "451 try later"
        record_with_followups(api, token=False)
        for _ in range(3):
            deliver_followups(rate_limit_mail="1/hour", rate_limit_mail_address="1/day")
            database.outreaches.update_many({}, {"$set": {"followups.0.not_before": now()}})
        sink.data_reply = ""

        assert outcome(deliver_followups(rate_limit_mail="1/hour", rate_limit_mail_address="1/day"))[0] == "sent"


@pytest.mark.usefixtures("message")
@pytest.mark.parametrize("kind", ["sms_response", "call_response"])
class TestTextsAndCalls:
    def test_are_posted_to_the_gateway(
        self, api: Client, deliver_followups: Deliver, gateway: WebhookReceiver, kind: str
    ) -> None:
        outreach = record_with_followups(api, kind)

        (followup,) = deliver_followups()

        assert followup["state"] == "sent"
        (received,) = gateway.received
        body = received.verified(SECRET)
        assert body == {
            "kind": kind,
            "idempotency_key": followup["_id"],
            "to": "+12025550123",
            "text": "Thank you!",
            "_links": {
                "osdi:outreach": {"href": outreach["_links"]["self"]["href"].replace("http://localhost", PUBLIC)},
                "osdi:person": {"href": outreach["_links"]["osdi:person"]["href"].replace("http://localhost", PUBLIC)},
            },
        }
        assert received.headers["idempotency-key"] == followup["_id"]

    def test_without_a_gateway_are_skipped_with_a_reason(
        self, api: Client, deliver_followups: Deliver, kind: str
    ) -> None:
        record_with_followups(api, kind)

        assert outcome(deliver_followups(sms_gateway_url="", call_gateway_url="")) == ("skipped", "no_gateway")

    @pytest.mark.parametrize(
        ("status", "expected"), [(500, "queued"), (429, "queued"), (400, "failed"), (302, "failed")]
    )
    def test_are_retried_or_failed_by_status(
        self, api: Client, deliver_followups: Deliver, gateway: WebhookReceiver, kind: str, status: int, expected: str
    ) -> None:
        gateway.status = status
        record_with_followups(api, kind)

        assert outcome(deliver_followups()) == (expected, f"gateway_{status}")

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(("retry_after", "least"), [("1800", 1_800), ("0", 0), ("86400", 3_600)])
    @pytest.mark.parametrize("status", [429, 503])
    def test_wait_for_retry_after(
        self,
        api: Client,
        deliver_followups: Deliver,
        gateway: WebhookReceiver,
        kind: str,
        status: int,
        retry_after: str,
        least: int,
    ) -> None:
        gateway.status, gateway.headers = status, {"Retry-After": retry_after}
        began = now()
        record_with_followups(api, kind)

        (followup,) = deliver_followups()

        assert followup["state"] == "queued"
        wait = (followup["not_before"] - began).total_seconds()
        assert max(least, 15) <= wait <= max(least, 30) + 5

    def test_to_other_numbers_wait_too_during_retry_after(
        self, api: Client, deliver_followups: Deliver, gateway: WebhookReceiver, kind: str
    ) -> None:
        gateway.status, gateway.headers = 429, {"Retry-After": "1800"}
        for number in ("+12025550123", "+12025550124"):
            record_with_followups(api, kind, person={"phone_numbers": [{"number": number, "sms_capable": True}]})

        deliver_followups()

        assert len(gateway.received) == 1

    def test_are_not_sent_to_numbers_that_opted_out(
        self, api: Client, deliver_followups: Deliver, gateway: WebhookReceiver, kind: str
    ) -> None:
        entry = {"number": "12025550123", "do_not_call": True, "sms_capable": False}
        record_with_followups(api, kind, person={"phone_numbers": [entry]})

        expected = "do_not_call" if kind == "call_response" else "not_sms_capable"
        assert outcome(deliver_followups()) == ("skipped", expected)
        assert gateway.received == []


@pytest.mark.usefixtures("message")
def test_all_three_kinds_are_sent_for_one_outreach(
    api: Client, deliver_followups: Deliver, sink: SmtpSink, gateway: WebhookReceiver
) -> None:
    record_with_followups(api, "autoresponse", "sms_response", "call_response")

    followups = deliver_followups()

    assert [(each["kind"], each["state"]) for each in followups] == [
        ("autoresponse", "sent"),
        ("sms_response", "sent"),
        ("call_response", "sent"),
    ]
    assert (len(sink.envelopes), len(gateway.received)) == (1, 2)


@pytest.mark.usefixtures("message")
def test_followups_queued_again_together_are_one_mail(
    api: Client, deliver_followups: Deliver, sink: SmtpSink, store: Store, database: Database
) -> None:
    """Three of the same person and campaign have failed days ago, and the operator retries them all."""
    for _ in range(3):
        record_with_followups(api)
    then = now() - dt.timedelta(days=4)
    for outreach in list(database.outreaches.find()):
        failed = {"state": "failed", "queued_date": then, "reason": "no_from"}
        database.outreaches.update_one(
            {"_id": outreach["_id"]}, {"$set": {f"followups.0.{name}": value for name, value in failed.items()}}
        )
        assert outbox_store.requeue(store, outreach["_id"], outreach["followups"][0]["_id"], now())

    for _ in range(10):
        deliver_followups()
        database.outreaches.update_many({"followups.state": "queued"}, {"$set": {"followups.0.not_before": now()}})

    assert len(sink.envelopes) == 1


@pytest.mark.usefixtures("message")
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "waiting"])
def test_a_deleted_persons_address_is_removed(
    api: Client, deliver_followups: Deliver, database: Database, sent: bool
) -> None:
    record_with_followups(api, token=False)
    if sent:
        deliver_followups()
    person = database.people.find_one({"given_name": "Jane"})["_id"]

    assert api.delete(f"/people/{person}").status_code == 200

    assert JANE not in str(list(database.outreaches.find()))


@pytest.mark.usefixtures("message")
def test_a_followup_with_an_expired_lease_is_sent_by_another_worker_and_counted(
    api: Client, deliver_followups: Deliver, sink: SmtpSink, database: Database
) -> None:
    record_with_followups(api)
    taken_away = {"state": "leased", "lease": "dead", "attempts": 1, "not_before": now() - dt.timedelta(seconds=1)}
    database.outreaches.update_many({}, {"$set": {f"followups.0.{name}": each for name, each in taken_away.items()}})

    (followup,) = deliver_followups()

    assert (followup["state"], followup["leases_lost"], followup["attempts"]) == ("sent", 1, 2)
    assert len(sink.envelopes) == 1


@pytest.mark.usefixtures("message")
def test_followups_are_counted_by_state(api: Client, deliver_followups: Deliver, sink: SmtpSink) -> None:
    sink.recipient_replies["bad@example.com"] = "550 5.1.1 no"
    record_with_followups(api)
    record_with_followups(api, person={"email_addresses": [{"address": "bad@example.com"}], "phone_numbers": []})
    deliver_followups()
    sink.data_reply = "451 later"
    record_with_followups(api, person={"email_addresses": [{"address": "later@example.com"}], "phone_numbers": []})
    deliver_followups()

    response = api.get("/followups").json

    numbers = [
        {name: each[name] for name in each if name not in ("oldest", "leases_lost")} for each in response["followups"]
    ]
    assert {"state": "queued", "kind": "autoresponse", "reason": "smtp_data_451", "count": 1} in numbers
    assert {"state": "failed", "kind": "autoresponse", "reason": "bouncing", "count": 1} in numbers
    assert {"state": "sent", "count": 1} in numbers
    assert response["oldest"]
