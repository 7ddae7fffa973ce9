"""The data docs of a night: one page that says of every rule how many rows it judged and how many failed.

It is read offline: no script, no address outside the page, and no value of a row.
"""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tthc.domain.errors import OutsideSystemFailed
from tthc.serving import rule_catalogue, wording
from tthc.serving.figures import statement
from tthc.settings import LOCAL
from tthc.staging import expectations
from tthc.staging.expectations import Rule
from tthc.staging.parse import RULES
from tthc.warehouse.judgements import FIGURES, REPORTS

_WEB = Path(__file__).parent / "web"


def newest_night(connection: sa.Connection) -> date | None:
    """The newest night on which anything came; None before the first."""
    night: date | None = connection.execute(sa.text("select max(night) from mart.data_quality")).scalar()
    return night


def write(connection: sa.Connection, out: Path) -> Path | None:
    """The page of the newest night as `<night>.html`; None when nothing ever came. Raises OutsideSystemFailed."""
    night = newest_night(connection)
    if night is None:
        return None
    path = out / f"{night}.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(page_of(connection, night), encoding="utf-8")
    except OSError as error:
        raise OutsideSystemFailed(f"{path} cannot be written: {error.strerror}") from error
    return path


def page_of(connection: sa.Connection, night: date) -> str:
    """The whole page of a night as HTML."""
    said = connection.execute(statement("judgements"), {"night": night}).mappings().all()
    parts = [
        (source_id, suite, [(row, _rule(suite, row["position"], row["rule_id"])) for row in rows])
        for (source_id, suite), rows in groupby(said, key=lambda row: (row["source_id"], row["suite"]))
    ]
    files = connection.execute(
        sa.text(
            "select source_id, verdict, count(*) as files, sum(rows_read) as rows_read from mart.data_quality "
            "where rule_id is null and night = :night group by source_id, verdict order by source_id, verdict"
        ),
        {"night": night},
    ).mappings()
    reading = connection.execute(
        sa.text(
            "select rule_id, sum(rows_quarantined)::bigint as rows_failed, count(*) as files from mart.data_quality "
            "where night = :night and rule_id = any(:rules) group by rule_id"
        ),
        {"night": night, "rules": list(RULES)},
    ).mappings()
    told = {row["rule_id"]: row for row in reading}
    failed = [
        (source_id, row["rule_id"], rule.vi if rule else "", row["rows_failed"])
        for source_id, _, rows in parts
        for row, rule in rows
        if row["rows_failed"]
    ]
    environment = Environment(
        loader=FileSystemLoader(_WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": wording.count, "day": wording.day, "moment": wording.moment}
    return environment.get_template("night.html").render(
        night=night,
        made_at=datetime.now(LOCAL),
        style=(_WEB / "static" / "style.css").read_text(encoding="utf-8"),
        parts=parts,
        files=files.all(),
        reading=told,
        failed=failed,
        reading_rules=RULES,
        suites=rule_catalogue.SUITES,
        severities=rule_catalogue.SEVERITIES,
        owners=rule_catalogue.OWNERS,
        verdicts=wording.VERDICTS,
        standing={FIGURES: "số liệu", REPORTS: "báo cáo"},
    )


def _rule(suite: str, position: int, rule_id: str) -> Rule | None:
    """The rule as it stands today; None when the suite has changed since."""
    rules = expectations.suite(suite) if suite in rule_catalogue.SUITES else ()
    found = rules[position - 1] if position <= len(rules) else None
    return found if found and found.rule_id == rule_id else None
