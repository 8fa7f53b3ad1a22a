"""Declares the settings of the application. `python -m dev.settings_page` writes docs/settings.md from them."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from environs import validate

from osdi.http_client.signature import check_secret
from osdi.languages import LANGUAGES, PSEUDO_LANGUAGES, SOURCE_LANGUAGE
from osdi.log import FORMATS, LEVELS
from osdi.mail.mailboxes import mailbox
from osdi.mail.smtp import SmtpServer
from osdi.match_keys import MatchKeyRules
from osdi.resources import ACTION_FIELDS
from osdi.settings import validators
from osdi.settings.table import Group, ServerSettings, read, setting
from osdi.settings.validators import Network, empty_or

ANONYMOUS_ACTIONS: Final = tuple(ACTION_FIELDS)
MEMORY, MONGODB = "memory", "mongodb"
NAMESPACE: Final = r"[a-z][a-z0-9_]{0,49}\Z"
# A leap year.
HOURS: Final = validate.Range(0, 8784)


@dataclass(frozen=True)
class Settings:
    """The settings of one deployment. The defaults suit a developer's machine."""

    mongodb_uri: str = field(
        default="mongodb://127.0.0.1:27017/osdi",
        metadata=setting(
            "Connection string of the database. `mongomock://` keeps everything in the memory of one process, and "
            "loses it when the process ends.",
            Group.DATABASE,
            validate=validators.connection_string,
        ),
    )
    namespace: str = field(
        default="osdi_outreach",
        metadata=setting(
            "Prefix of the server's own identifiers. Set it before the first person is recorded, and never change it. "
            "Clients of Action Network expect `action_network`.",
            Group.DATABASE,
            validate=validate.Regexp(
                NAMESPACE, error="Use 1 to 50 lower-case letters, digits and underscores, and begin with a letter."
            ),
        ),
    )
    public_url: str = field(
        default="",
        metadata=setting(
            "Address that links begin with, such as `https://osdi.example.org`.",
            Group.DATABASE,
            validate=validators.public_url,
            normalize=lambda url: str(url).rstrip("/"),
            default="the address of the request",
        ),
    )
    trusted_proxies: int = field(
        default=0,
        metadata=setting(
            "Number of proxies in front of the server whose forwarding headers are trusted; `1` on Heroku.",
            Group.SERVER,
            validate=validate.Range(0, 10),
        ),
    )
    cors_origins: tuple[str, ...] = field(
        default=("*",),
        metadata=setting(
            "Origins whose pages may call the API, separated by commas. `*` means any origin.",
            Group.SERVER,
            item=validators.origin,
            validate=validators.origins,
        ),
    )
    anonymous_posts: bool = field(
        default=True,
        metadata=setting(
            "The helpers accept posts without a token. "
            "A [campaign](security.md#anonymous-posts) can have a setting of its own.",
            Group.ANONYMOUS,
        ),
    )
    anonymous_actions: tuple[str, ...] = field(
        default=ANONYMOUS_ACTIONS,
        metadata=setting(
            "What a post without a token may ask for.",
            Group.ANONYMOUS,
            item=str.strip,
            validate=validators.actions,
        ),
    )
    honeypot_field: str = field(
        default="",
        metadata=setting(
            "Name of a form field that your page hides from people. A post without a token that fills it gets a normal "
            "response, and nothing is stored. On a [campaign page](forms.md#exactly-once) it has to be confirmed.",
            Group.ANONYMOUS,
            validate=validators.honeypot,
        ),
    )
    form_seconds: float = field(
        default=2.0,
        metadata=setting(
            "Seconds between the sending of a campaign page's form and its post. The server asks a supporter who is "
            "quicker to confirm. `0` turns this off.",
            Group.ANONYMOUS,
            validate=validate.Range(0, 60),
        ),
    )
    trust_anonymous_identifiers: bool = field(
        default=False,
        metadata=setting(
            "Identifiers in posts without a token find a person. Set it only if no stranger can reach the server.",
            Group.ANONYMOUS,
        ),
    )
    repeat_seconds: float = field(
        default=10.0,
        metadata=setting(
            "Seconds in which an equal post without a token from the same IP address is the same outreach: a double "
            "click. `0` turns this off.",
            Group.ANONYMOUS,
            validate=validate.Range(0, 3_600),
        ),
    )
    rate_limit_anonymous: str = field(
        default="120/minute;2000/hour",
        metadata=setting(
            "Requests without a token from one IP address. Empty means no limit, here and in the rows below.",
            Group.RATES,
            validate=validators.rate_limit,
        ),
    )
    rate_limit_anonymous_bytes: str = field(
        default="5000000/hour",
        metadata=setting(
            "Bytes of the bodies of posts without a token from one IP address.",
            Group.RATES,
            validate=validators.rate_limit,
        ),
    )
    rate_limit_token: str = field(
        default="3000/minute",
        metadata=setting("Requests with one token.", Group.RATES, validate=validators.rate_limit),
    )
    rate_limit_contact: str = field(
        default="60/hour",
        metadata=setting(
            "Posts without a token about one e-mail address or phone number. An outreach beyond that is "
            "[recorded, and nothing else](security.md#rate-limits).",
            Group.RATES,
            validate=validators.rate_limit,
        ),
    )
    rate_limit_mail: str = field(
        default="1000/hour",
        metadata=setting(
            "Mails that posts without a token cause. More than that wait.",
            Group.RATES,
            validate=validators.rate_limit,
        ),
    )
    rate_limit_phone: str = field(
        default="100/hour;500/day",
        metadata=setting(
            "Texts that posts without a token cause, and as many calls. More than that wait.",
            Group.RATES,
            validate=validators.rate_limit,
        ),
    )
    rate_limit_mail_address: str = field(
        default="5/day",
        metadata=setting(
            "Follow-ups of each kind to one e-mail address or phone number that posts without a token cause. More than "
            "that are skipped.",
            Group.RATES,
            validate=validators.rate_limit,
        ),
    )
    rate_limit_storage: str = field(
        default="",
        metadata=setting(
            "`memory`: each process counts for itself. `mongodb`: all processes count together, with a few more writes "
            "for callers who send many requests.",
            Group.RATES,
            validate=validate.OneOf(("", MEMORY, MONGODB), error="Set memory or mongodb."),
            default="`mongodb` if `WEB_CONCURRENCY` is more than 1, else `memory`",
        ),
    )
    max_body_bytes: int = field(
        default=262_144,
        metadata=setting(
            "Longest body of a request. A longer one gets `413`.",
            Group.REQUESTS,
            validate=validate.Range(1_000, 10_000_000),
        ),
    )
    max_anonymous_body_bytes: int = field(
        default=32_768,
        metadata=setting(
            "Longest body of a post without a token. A longer one gets `413`.",
            Group.ANONYMOUS,
            validate=validate.Range(1_000, 10_000_000),
        ),
    )
    per_page: int = field(
        default=25,
        metadata=setting(
            "Resources on a page if the request has no `per_page`.", Group.REQUESTS, validate=validate.Range(1, 1_000)
        ),
    )
    max_pagesize: int = field(
        default=100,
        metadata=setting("Most resources on a page.", Group.REQUESTS, validate=validate.Range(1, 1_000)),
    )
    phone_region: str = field(
        default="",
        metadata=setting(
            "Country of phone numbers without country code, such as `US`.",
            Group.REQUESTS,
            validate=validators.region,
        ),
    )
    cache_seconds: float = field(
        default=5.0,
        metadata=setting(
            "Time that each process caches campaigns, tags, lists, questions and tokens.",
            Group.REQUESTS,
            validate=validate.Range(0, 300),
        ),
    )
    motd: str = field(
        default="", metadata=setting("Message on the entry point.", Group.ORGANISATION, default="a welcome")
    )
    vendor_name: str = field(
        default="Self-hosted",
        metadata=setting("Name of your organisation, on the entry point, in mails and on pages.", Group.ORGANISATION),
    )
    logo_url: str = field(
        default="",
        metadata=setting(
            "Address of your logo, which the unsubscribe page shows.",
            Group.ORGANISATION,
            validate=validators.url,
        ),
    )
    privacy_url: str = field(
        default="",
        metadata=setting(
            "Address of your privacy policy, which the unsubscribe page links to.",
            Group.ORGANISATION,
            validate=validators.url,
        ),
    )
    language: str = field(
        default=SOURCE_LANGUAGE,
        metadata=setting(
            f"[Language](languages.md) of mails and pages whose campaign has none: {', '.join(LANGUAGES)}.",
            Group.ORGANISATION,
            validate=validate.OneOf((*LANGUAGES, *PSEUDO_LANGUAGES), error=f"Set one of {', '.join(LANGUAGES)}."),
        ),
    )
    campaign_list: bool = field(
        default=False,
        metadata=setting(
            "The page `/act` lists the campaigns whose [pages](campaign-pages.md) are published.", Group.ORGANISATION
        ),
    )
    product_name: str = field(
        default="OSDI Outreach Server",
        metadata=setting("Name of the server on the entry point and in the API explorer.", Group.ORGANISATION),
    )
    smtp_url: str = field(
        default="",
        metadata=setting(
            "Mail server for [follow-up mails](follow-ups.md): `smtp://user:password@host:587` or `smtps://...`.",
            Group.FOLLOWUPS,
            validate=empty_or(SmtpServer.of),
        ),
    )
    mail_from: str = field(
        default="",
        metadata=setting(
            "Sender of mails whose message names none, such as `Our Name <hello@example.org>`.",
            Group.FOLLOWUPS,
            validate=empty_or(mailbox),
        ),
    )
    bounce_address: str = field(
        default="",
        metadata=setting(
            "Address that gets the reports about undeliverable mails.",
            Group.FOLLOWUPS,
            validate=empty_or(mailbox),
            default="the sender of the mail",
        ),
    )
    sms_gateway_url: str = field(
        default="",
        metadata=setting(
            "Address that gets [text messages](follow-ups.md#texts-and-calls) to send.",
            Group.FOLLOWUPS,
            validate=validators.url,
        ),
    )
    call_gateway_url: str = field(
        default="", metadata=setting("Address that gets calls to make.", Group.FOLLOWUPS, validate=validators.url)
    )
    phone_countries: tuple[str, ...] = field(
        default=(),
        metadata=setting(
            "Countries to which posts without a token may cause texts and calls, such as `US,CA`. `*` means any "
            "country.",
            Group.FOLLOWUPS,
            item=validators.country,
            validate=validators.countries,
            default="the country of `PHONE_REGION`; without it, none",
        ),
    )
    gateway_secret: str = field(
        default="",
        metadata=setting(
            "Secret that signs the requests to the gateways: `whsec_` and base64.",
            Group.FOLLOWUPS,
            validate=empty_or(check_secret),
        ),
    )
    time_zone: str = field(
        default="UTC",
        metadata=setting(
            "Time zone of dates in messages and on pages, such as `America/New_York`. In a message, a date that was "
            "posted with an offset other than UTC is shown by its offset.",
            Group.ORGANISATION,
            validate=validators.time_zone,
        ),
    )
    followup_interval_hours: float = field(
        default=24.0,
        metadata=setting(
            "Hours in which a person gets at most one follow-up of each kind from a campaign.",
            Group.FOLLOWUPS,
            validate=HOURS,
        ),
    )
    followup_lease_seconds: float = field(
        default=120.0,
        metadata=setting(
            "Time after which another worker takes over a follow-up that a worker has begun.",
            Group.FOLLOWUPS,
            validate=validate.Range(1, 3600),
        ),
    )
    followup_give_up_hours: float = field(
        default=72.0,
        metadata=setting(
            "Hours after a follow-up was queued when the worker gives up and marks it as failed.",
            Group.FOLLOWUPS,
            validate=HOURS,
        ),
    )
    webhook_give_up_hours: float = field(
        default=24.0,
        metadata=setting(
            "Hours after which an event is not sent to a [webhook](webhooks.md) again.", Group.WEBHOOKS, validate=HOURS
        ),
    )
    webhook_networks: tuple[Network, ...] = field(
        default=(),
        metadata=setting(
            "Private networks that webhooks may be in, such as `127.0.0.0/8,10.0.0.0/8`.",
            Group.WEBHOOKS,
            item=validators.network,
        ),
    )
    rate_limit_sign_in: str = field(
        default="20/hour",
        metadata=setting(
            "Mails to [sign in](staff.md) that one IP address asks for, and as many for one mailbox.",
            Group.STAFF,
            validate=validators.rate_limit,
        ),
    )
    max_import_bytes: int = field(
        default=50_000_000,
        metadata=setting(
            "Longest file that a member may upload to [import](importing.md#on-the-staff-pages) it.",
            Group.STAFF,
            validate=validate.Range(1_000, 200_000_000),
        ),
    )
    import_days: int = field(
        default=7,
        metadata=setting(
            "Days after which an uploaded file and its rejected rows are deleted, if nobody deletes them before.",
            Group.STAFF,
            validate=validate.Range(1, 90),
        ),
    )
    staff_event_days: int = field(
        default=365,
        metadata=setting(
            "Days that the audit log of the [staff pages](staff.md) is kept.",
            Group.STAFF,
            validate=validate.Range(1, 36_500),
        ),
    )
    oidc_issuer: str = field(
        default="",
        metadata=setting(
            "Issuer of the OpenID provider by which staff may [sign in](staff.md#sign-in-by-openid-connect), such as "
            "`https://accounts.google.com`. Set it with the two settings below.",
            Group.STAFF,
            validate=empty_or(validators.issuer),
        ),
    )
    oidc_client_id: str = field(
        default="",
        metadata=setting(
            "Client id of this server at the OpenID provider.", Group.STAFF, validate=validators.credential
        ),
    )
    oidc_client_secret: str = field(
        default="",
        metadata=setting(
            "Client secret of this server at the OpenID provider.", Group.STAFF, validate=validators.credential
        ),
    )
    oidc_hosted_domain: str = field(
        default="",
        metadata=setting(
            "Domain of Google Workspace to which accounts have to belong (the claim `hd`), such as `example.org`.",
            Group.STAFF,
            validate=validators.domain,
        ),
    )
    retain_message_days: int = field(
        default=0,
        metadata=setting(
            "Days after which [the texts of outreaches](privacy.md#retention) are deleted; `0` keeps them.",
            Group.OPERATIONS,
            validate=validate.Range(0, 36_500),
        ),
    )
    metrics_token: str = field(
        default="",
        metadata=setting(
            "Token of 16 to 200 characters that Prometheus sends to read [`/metrics`](monitoring.md). Without it "
            "nothing is measured.",
            Group.OPERATIONS,
            validate=validators.token,
        ),
    )
    log_format: str = field(
        default="",
        metadata=setting(
            "Form of [log lines](logs.md): `console` or `json`.",
            Group.OPERATIONS,
            validate=validate.OneOf(("", *FORMATS), error="Set console or json."),
            default="`console` on a terminal, else `json`",
        ),
    )
    log_level: str = field(
        default="info",
        metadata=setting(
            "Lowest level that is logged: `debug`, `info`, `warning` or `error`. A request is logged at `info`, from "
            "status 500 on at `error`.",
            Group.OPERATIONS,
            validate=validate.OneOf(LEVELS),
        ),
    )
    log_addresses: bool = field(
        default=False,
        metadata=setting(
            "The log line of a request has the IP address of the client, which is personal data.",
            Group.OPERATIONS,
        ),
    )

    @cached_property
    def match_key_rules(self) -> MatchKeyRules:
        """The rules by which this deployment makes match keys."""
        return MatchKeyRules(self.namespace, self.phone_region)

    @property
    def allowed_phone_countries(self) -> tuple[str, ...]:
        """The countries to which posts without a token may cause texts and calls."""
        return self.phone_countries or ((self.phone_region,) if self.phone_region else ())

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of dates in messages."""
        return ZoneInfo(self.time_zone)

    @classmethod
    def from_environment(cls) -> "Settings":
        """Returns the settings of the environment.

        Raises environs.EnvValidationError that names every wrong setting, those of gunicorn included.
        """
        found = read(cls, ServerSettings)
        validators.require_all_or_none(found, ("oidc_issuer", "oidc_client_id", "oidc_client_secret"))
        if not found.rate_limit_storage:
            several = read(ServerSettings).web_concurrency > 1
            found = replace(found, rate_limit_storage=MONGODB if several else MEMORY)
        return found
