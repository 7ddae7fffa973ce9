"""What a message says, in Vietnamese with a short English version: subject, lines of incidents, times and links."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from tthc.alerts.rules import meanings
from tthc.domain.text import without_person
from tthc.reference.channels import SEVERITIES, Policy
from tthc.settings import LOCAL

SEVERAL = 3  # incidents of one rule
LINE_LENGTH = 600  # twenty names of units fit
_PARTS = {
    "opened": "Sự cố mới / New",
    "reopened": "Lại xảy ra / Again",
    "woken": "Hết hạn tắt báo / Silence ended",
    "grown": "Nghiêm trọng hơn hoặc lan rộng / Graver or wider",
    "escalated": "Kéo dài, nâng mức / Lasting, graver",
    "reminder": "Chưa hết / Still open",
    "decided": "Đã quyết định về tệp bị giữ / Held files decided",
    "resolved": "Đã hết / Over",
}
_SEVERITY = {"warning": "CẢNH BÁO", "error": "LỖI", "critical": "NGHIÊM TRỌNG"}


def moment(now: datetime) -> str:
    """Local time and UTC, each with its date."""
    here, there = now.astimezone(LOCAL), now.astimezone(UTC)
    return f"{here:%d/%m/%Y %H:%M} (giờ Việt Nam, {there:%Y-%m-%d %H:%M} UTC)"


def digest(events: Sequence[sa.Row[Any]], policy: Policy, *, night: date, now: datetime) -> tuple[str, str]:
    """Subject and text of one digest; `events` have kind, severity, body, incident_id and rule_id."""
    counts = Counter(event.kind for event in events)
    over, decided = counts["resolved"], counts["decided"]
    new = len(events) - over - decided
    beside = f", {decided} tệp đã quyết định / {decided} decided" if decided else ""
    gravest = max((event.severity for event in events), key=SEVERITIES.index)
    label = f"[{_SEVERITY[gravest]}] " if new else ""
    subject = f"{label}tthc, đêm {night:%d/%m/%Y}: {new} sự cố mới, {over} đã hết / {new} new, {over} over{beside}"
    lines = [f"tthc, {moment(now)}: {new} sự cố mới, {over} sự cố đã hết / {new} new, {over} over{beside}"]
    for kind, title in _PARTS.items():
        told = [event for event in events if event.kind == kind]
        if told:
            lines += ["", f"{title} ({len(told)})", *_lines(told, policy.spread)]
    return subject, "\n".join([*lines, "", _foot(policy)])


def _lines(events: Sequence[sa.Row[Any]], spread: int) -> Iterator[str]:
    """One line an incident; where `spread` incidents or more would fill a page, one line a rule that has several."""
    ordered = sorted(events, key=lambda event: (-SEVERITIES.index(event.severity), event.rule_id, event.event_id))
    for (severity, rule_id), group in itertools.groupby(ordered, key=lambda event: (event.severity, event.rule_id)):
        told = list(group)
        if len(events) < spread or len(told) < SEVERAL:
            for event in told:
                line = without_person(event.body)
                shown = line if len(line) <= LINE_LENGTH else fit(line, LINE_LENGTH)
                yield f"- [{_SEVERITY[severity]}] #{event.incident_id} {shown}"
        else:
            heads = (event.body.partition(". ")[0].removeprefix(f"{rule_id}, ") for event in told[:3])
            first = "; ".join(without_person(head) for head in heads)
            what = f" ({meanings()[rule_id]})" if rule_id in meanings() else ""
            yield f"- [{_SEVERITY[severity]}] {rule_id}{what}: {len(told)} sự cố / incidents: {first}; …"


def _foot(policy: Policy) -> str:
    link = f"Xem / see: {policy.web_url.rstrip('/')}/quality\n" if policy.web_url else ""
    return f"{link}Chi tiết / details: tthc incidents list, tthc incidents show ID"


def report_subject(night: date) -> str:
    """Subject of the morning report."""
    return f"tthc, báo cáo sáng đêm {night:%d/%m/%Y} / morning report"


def fit(text: str, limit: int, measure: str = "characters", tail: str = " …") -> str:
    """The longest beginning of `text` with `tail` that fits, cut between letters, never within one.

    `measure`: "characters", "bytes" (UTF-8) or "utf16" (code units). What is cut loses whole letters with their
    marks: a letter may be several code points.
    """
    if _length(text, measure) <= limit:
        return text
    room = limit - _length(tail, measure)
    if room < 0:
        return fit("", limit) if limit < 1 else ""
    kept, used = [], 0
    for letter in _letters(text):
        used += _length(letter, measure)
        if used > room:
            break
        kept.append(letter)
    while kept and (kept[-1][-1].isspace() or kept[-1][-1] == "\u200d"):  # a joiner would join the tail
        kept.pop()
    return "".join(kept) + tail


def _length(text: str, measure: str) -> int:
    if measure == "bytes":
        return len(text.encode())
    return len(text.encode("utf-16-le")) // 2 if measure == "utf16" else len(text)


def _letters(text: str) -> Iterator[str]:
    """Letters as people see them: a base with its combining marks, joiners and selectors."""
    return iter(re.findall(r"[\s\S](?:[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f]|\u200d[\s\S]?)*", text))


def fit_message(text: str, limit: int, measure: str = "characters") -> str:
    """A message cut at a whole line where that is possible; says how many lines are missing and keeps its last part."""
    if _length(text, measure) <= limit:
        return text
    head, _, foot = text.rpartition("\n\n")
    lines = head.split("\n")
    for kept in range(len(lines) - 1, 0, -1):
        missing = f"… và {len(lines) - kept} dòng nữa / and {len(lines) - kept} more lines"
        shorter = "\n".join([*lines[:kept], missing, "", foot])
        if _length(shorter, measure) <= limit:
            return shorter
    return fit(text, limit, measure)
