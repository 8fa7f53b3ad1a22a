"""Settings, read from the environment once when the application is made; all mistakes are told at once.

docs/settings.md lists every name here and in gunicorn.conf.py; a test compares them.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network

from environs import Env, ValidationError, validate
from limits import parse_many

from osdi.http_client.signature import check_secret
from osdi.log import FORMATS, LEVELS
from osdi.mail.mailboxes import mailbox
from osdi.mail.smtp import SmtpServer
from osdi.match_keys import MatchKeyRules
from osdi.store.driver import check_uri

ANONYMOUS_ACTIONS = ("tags", "lists", "answers", "triggers")
RATE_LIMIT_STORAGES = ("memory", "mongodb")

NAMESPACE = re.compile(r"^[a-z][a-z0-9_]{0,49}$")


def _mongodb_uri(uri: str) -> None:
    try:
        check_uri(uri)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _rate_limit(text: str) -> None:
    if text:
        try:
            parse_many(text)
        except ValueError as error:
            raise ValidationError(f"Not a limit such as 120/minute;2000/hour: {text}") from error


def _smtp_url(text: str) -> None:
    try:
        if text:
            SmtpServer.of(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _mailbox(text: str) -> None:
    try:
        if text:
            mailbox(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _webhook_secret(text: str) -> None:
    try:
        if text:
            check_secret(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _metrics_token(text: str) -> None:
    if text and not re.fullmatch(r"[!-~]{16,200}", text):
        raise ValidationError("A token has 16 to 200 ASCII characters, and no spaces.")


Network = IPv4Network | IPv6Network


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValidationError(f"Not a network such as 10.0.0.0/8: {text}") from error


@dataclass(frozen=True)
class Settings:
    """How this deployment differs from another; the defaults serve a developer's machine."""

    mongodb_uri: str = "mongodb://127.0.0.1:27017/osdi"
    namespace: str = "osdi_outreach"
    public_url: str = ""
    trusted_proxies: int = 0
    cors_origins: tuple[str, ...] = ("*",)
    anonymous_posts: bool = True
    anonymous_actions: tuple[str, ...] = ANONYMOUS_ACTIONS
    honeypot_field: str = ""
    rate_limit_anonymous: str = "120/minute;2000/hour"
    rate_limit_token: str = "3000/minute"  # noqa: S105  # a limit, not a secret
    rate_limit_contact: str = "60/hour"
    rate_limit_storage: str = "memory"
    rate_limit_mail: str = "1000/hour"
    rate_limit_mail_address: str = "5/day"
    max_body_bytes: int = 262_144
    per_page: int = 25
    max_pagesize: int = 100
    phone_region: str = ""
    trust_anonymous_identifiers: bool = False
    cache_seconds: float = 5.0
    motd: str = ""
    vendor_name: str = "Self-hosted"
    product_name: str = "OSDI Outreach Server"
    smtp_url: str = ""
    mail_from: str = ""
    bounce_address: str = ""
    sms_gateway_url: str = ""
    call_gateway_url: str = ""
    gateway_secret: str = ""
    followup_interval_hours: float = 24
    followup_lease_seconds: float = 120
    followup_give_up_hours: float = 72
    webhook_give_up_hours: float = 24
    webhook_networks: tuple[Network, ...] = ()
    retain_message_days: int = 0
    log_format: str = ""
    log_level: str = "info"
    log_addresses: bool = False
    metrics_token: str = ""

    @cached_property
    def match_key_rules(self) -> MatchKeyRules:
        """The rules by which this deployment makes match keys."""
        return MatchKeyRules(self.namespace, self.phone_region)

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read every setting. Raises environs.EnvValidationError that names each one that is wrong."""
        env = Env(eager=False)
        url = validate.URL(schemes={"http", "https"}, require_tld=False)
        region = validate.Regexp(r"^([A-Z]{2})?$")

        def optional_url(text: str) -> None:
            if text:
                url(text)
            if not text.isascii():
                raise ValidationError("An address is written in ASCII, such as https://xn--bcher-kva.example.")

        public_url = env.str("PUBLIC_URL", cls.public_url, validate=optional_url)
        webhook_networks = env.list("WEBHOOK_NETWORKS", list(cls.webhook_networks), subcast=_network)
        cors_origins = env.list("CORS_ORIGINS", list(cls.cors_origins), subcast=str.strip)
        known = validate.ContainsOnly(ANONYMOUS_ACTIONS)
        actions = env.list("ANONYMOUS_ACTIONS", list(cls.anonymous_actions), subcast=str.strip, validate=known)
        settings = cls(
            mongodb_uri=env.str("MONGODB_URI", cls.mongodb_uri, validate=_mongodb_uri),
            namespace=env.str("NAMESPACE", cls.namespace, validate=validate.Regexp(NAMESPACE)),
            trusted_proxies=env.int("TRUSTED_PROXIES", cls.trusted_proxies, validate=validate.Range(0, 10)),
            anonymous_posts=env.bool("ANONYMOUS_POSTS", cls.anonymous_posts),
            honeypot_field=env.str("HONEYPOT_FIELD", cls.honeypot_field, validate=validate.Length(max=100)),
            rate_limit_anonymous=env.str("RATE_LIMIT_ANONYMOUS", cls.rate_limit_anonymous, validate=_rate_limit),
            rate_limit_token=env.str("RATE_LIMIT_TOKEN", cls.rate_limit_token, validate=_rate_limit),
            rate_limit_contact=env.str("RATE_LIMIT_CONTACT", cls.rate_limit_contact, validate=_rate_limit),
            rate_limit_mail=env.str("RATE_LIMIT_MAIL", cls.rate_limit_mail, validate=_rate_limit),
            rate_limit_mail_address=env.str(
                "RATE_LIMIT_MAIL_ADDRESS", cls.rate_limit_mail_address, validate=_rate_limit
            ),
            rate_limit_storage=env.str(
                "RATE_LIMIT_STORAGE", cls.rate_limit_storage, validate=validate.OneOf(RATE_LIMIT_STORAGES)
            ),
            max_body_bytes=env.int("MAX_BODY_BYTES", cls.max_body_bytes, validate=validate.Range(1_000, 10_000_000)),
            per_page=env.int("PER_PAGE", cls.per_page, validate=validate.Range(1, 1_000)),
            max_pagesize=env.int("MAX_PAGESIZE", cls.max_pagesize, validate=validate.Range(1, 1_000)),
            phone_region=env.str("PHONE_REGION", cls.phone_region, validate=region),
            trust_anonymous_identifiers=env.bool("TRUST_ANONYMOUS_IDENTIFIERS", cls.trust_anonymous_identifiers),
            cache_seconds=env.float("CACHE_SECONDS", cls.cache_seconds, validate=validate.Range(0, 300)),
            motd=env.str("MOTD", cls.motd),
            vendor_name=env.str("VENDOR_NAME", cls.vendor_name),
            product_name=env.str("PRODUCT_NAME", cls.product_name),
            smtp_url=env.str("SMTP_URL", cls.smtp_url, validate=_smtp_url),
            mail_from=env.str("MAIL_FROM", cls.mail_from, validate=_mailbox),
            bounce_address=env.str("BOUNCE_ADDRESS", cls.bounce_address, validate=_mailbox),
            sms_gateway_url=env.str("SMS_GATEWAY_URL", cls.sms_gateway_url, validate=optional_url),
            call_gateway_url=env.str("CALL_GATEWAY_URL", cls.call_gateway_url, validate=optional_url),
            gateway_secret=env.str("GATEWAY_SECRET", cls.gateway_secret, validate=_webhook_secret),
            followup_interval_hours=env.float(
                "FOLLOWUP_INTERVAL_HOURS", cls.followup_interval_hours, validate=validate.Range(0, 8784)
            ),
            followup_lease_seconds=env.float(
                "FOLLOWUP_LEASE_SECONDS", cls.followup_lease_seconds, validate=validate.Range(1, 3600)
            ),
            followup_give_up_hours=env.float(
                "FOLLOWUP_GIVE_UP_HOURS", cls.followup_give_up_hours, validate=validate.Range(0, 8784)
            ),
            webhook_give_up_hours=env.float(
                "WEBHOOK_GIVE_UP_HOURS", cls.webhook_give_up_hours, validate=validate.Range(0, 8784)
            ),
            retain_message_days=env.int(
                "RETAIN_MESSAGE_DAYS", cls.retain_message_days, validate=validate.Range(0, 36_500)
            ),
            log_format=env.str("LOG_FORMAT", cls.log_format, validate=validate.OneOf(("", *FORMATS))),
            log_level=env.str("LOG_LEVEL", cls.log_level, validate=validate.OneOf(LEVELS)),
            log_addresses=env.bool("LOG_ADDRESSES", cls.log_addresses),
            metrics_token=env.str("METRICS_TOKEN", cls.metrics_token, validate=_metrics_token),
        )
        env.seal()  # until here a value that is wrong is None
        return replace(
            settings,
            public_url=public_url.rstrip("/"),
            cors_origins=tuple(cors_origins),
            anonymous_actions=tuple(actions),
            webhook_networks=tuple(webhook_networks),
        )
