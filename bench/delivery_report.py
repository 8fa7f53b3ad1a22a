"""Writes the Markdown section about deliveries: medians and ratios of the rounds."""

from collections.abc import Callable, Sequence
from statistics import median

from bench.deliveries import DISTANT_SECONDS, EVENTS, MAILS, Delivered, Rounds

MAIL_ROWS = (
    ("mails-sink", "the sink alone, bare sockets"),
    ("mails-alone", "`Smtp` alone"),
    ("mails-floor", "floor: lease, `Smtp`, mark"),
    ("mails-1", "1 worker"),
    ("mails-2", "2 workers"),
    ("mails-3", "3 workers"),
    ("mails-anonymous", "1 worker, posted without token"),
)
MAIL_RATIOS = (("/ `Smtp` alone", "mails-alone"), ("/ floor", "mails-floor"), ("/ 1 worker", "mails-1"))
DISTANT_ROWS = (
    ("distant-floor", "floor: lease, `Smtp`, mark"),
    ("distant-1", "1 worker"),
    ("distant-2", "2 workers"),
)
DISTANT_RATIOS = (("/ floor", "distant-floor"), ("/ 1 worker", "distant-1"))
EVENT_ROWS = (("events-alone", "`HttpPost` alone"), ("events-1", "1 worker"))
EVENT_RATIOS = (("/ `HttpPost` alone", "events-alone"),)


MAIL_NOTES = """- *`Smtp` alone* sends the same mail again and again, without a database.
- *The floor* is a bare loop: it leases a mail before and marks it after sending, each acknowledged by the majority \
and journaled.
- *A worker* leases 25 mails at a time. Before each it reads the person, the other people with the address, the \
suppression list and the other follow-ups to the person. It fills in the message and composes the mail. For anonymous \
posts it also counts sending limits in the database.

Processor times are sums over all workers, without their start. *By CPU / floor* compares sums of sender and mongod."""


def delivery_report(rounds: Rounds) -> str:
    """Returns the section: the rates of workers and of the baselines."""
    count = len(rounds["mails-1"])
    others = max(each.others_percent for results in rounds.values() for each in results)
    return "\n\n".join(
        (
            "## What workers deliver",
            f"This measures mails that `bin/osdi worker --once` sends, with {MAILS:,} follow-ups "
            f"queued. Each row is the median of {count} interleaved rounds. The sink is a separate process that "
            "answers SMTP and stores nothing.",
            _table("mail", MAIL_ROWS, MAIL_RATIOS, rounds, floor="mails-floor"),
            MAIL_NOTES,
            f"The same with a mail server that replies after {DISTANT_SECONDS * 1_000:.0f} ms. A mail waits for two "
            "of its replies:",
            _table("mail", DISTANT_ROWS, DISTANT_RATIOS, rounds, floor="distant-floor"),
            f"Events that one worker sends, with {EVENTS:,} outreaches waiting for one webhook, whose receiver "
            "is on loopback:",
            _table("event", EVENT_ROWS, EVENT_RATIOS, rounds),
            "*`HttpPost` alone* posts finished bodies of about that length. After each run, the benchmark "
            "counts what the receiver accepted and checks that nothing is left waiting. In the most disturbed "
            f"measurement, other programs took {others:.0f} % of the processors.",
        )
    )


def _table(
    what: str, rows: Sequence[tuple[str, str]], ratios: Sequence[tuple[str, str]], rounds: Rounds, floor: str = ""
) -> str:
    """Returns the table of these rows. With `floor` it has the ratio of that row's processor time to each."""
    titles = [f"{what}s per second", *(title for title, _ in ratios), *(["by CPU / floor"] if floor else [])]
    titles += [f"sender's CPU ms per {what}", f"mongod's CPU ms per {what}", "sink's share of a processor"]
    lines = [f"| | {' | '.join(titles)} | each round per second |", f"|---|{'---:|' * len(titles)}---|"]
    for key, label in rows:
        results = rounds[key]
        figures = [f"{_median(results, lambda each: each.per_second):,.0f}"]
        figures += [_rounded(_ratio(results, rounds[below])) for _, below in ratios]
        if floor:
            pairs = zip(rounds[floor], results, strict=True)
            figures.append(_rounded(median(_cpu_ms(below) / _cpu_ms(each) for below, each in pairs)))
        figures.append(f"{_median(results, lambda each: each.sender_cpu_ms):.2f}")
        figures.append(f"{_median(results, lambda each: each.mongod_cpu_ms):.2f}")
        figures.append(f"{_median(results, lambda each: each.sink_cpu_ms * each.per_second / 10):.0f} %")
        listed = ", ".join(f"{each.per_second:.0f}" for each in results)
        lines.append(f"| {label} | {' | '.join(figures)} | {listed} |")
    return "\n".join(lines)


def _ratio(above: list[Delivered], below: list[Delivered]) -> float:
    """Returns the median of the ratios within each round."""
    return median(one.per_second / other.per_second for one, other in zip(above, below, strict=True))


def _cpu_ms(result: Delivered) -> float:
    return result.sender_cpu_ms + result.mongod_cpu_ms


def _rounded(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def _median(results: list[Delivered], figure: Callable[[Delivered], float]) -> float:
    return median(figure(each) for each in results)
