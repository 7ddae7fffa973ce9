"""Reports fetched by reporting period: the last one that had ended is asked for, and its file says which it is."""

from __future__ import annotations

import threading
from collections import deque
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest

import portals
from portals import Liar
from reports import agency, records
from tthc import pipeline
from tthc.domain.errors import ReferenceFault
from tthc.domain.period import PeriodCalendar, PeriodKind, last_closed, periods_of_year
from warehouses import Warehouses

SOURCE = "thong_ke_json"
QUARTERS = {"calendar": "VPCP_15_14", "kind": "quarter"}
TABLE = f"""
[[source]]
id = "{SOURCE}"
[source.portal]
url = "http://127.0.0.1:1"
path = "/bao-cao?ky={{period}}&tu={{from}}&den={{to}}"
date_form = "%d/%m/%Y"
periods = {{ calendar = "VPCP_15_14", kind = "quarter" }}
file_name = "xu-ly_{{from}}_{{to}}.json"
networks = ["127.0.0.1/32"]
"""


def test_a_report_is_asked_for_by_period_and_loaded_as_it(
    warehouses: Warehouses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sources.toml").write_text(TABLE, encoding="utf-8")
    asked: deque[dict[str, list[str]]] = deque()
    received = {"2025-Q4": 5, "2026-Q1": 9}

    def tell(line: str) -> bytes:
        words = parse_qs(urlsplit(line.split(" ")[1]).query)
        asked.append(words)
        count = received[words["ky"][0]]
        unit = agency("18373", "UBND xã Tiên Điền", received=count, resolved=1, receivedOnline=count, receivedDirect=0,
                      resolvedOverdue=0)  # fmt: skip
        body = records([unit])
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    with Liar(tell) as server, warehouses.fresh(tmp_path) as place:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("TTHC_PORTAL_THONG_KE_JSON_URL", server.url)
        for night in (date(2026, 3, 14), date(2026, 3, 15)):
            with place.kept(), mock.patch.object(pipeline, "init"):
                outcome, failed = pipeline.run_portals(place.settings, [SOURCE], night)
            assert (outcome.files, failed) == ({"loaded": 1}, [])
        server.shutdown()
        rows = place.query("select label, value from core.reported where measure = 'received' order by 1")
        names = place.query("select distinct file_name from core.delivery order by 1")
    assert asked[0] == {"ky": ["2025-Q4"], "tu": ["15/09/2025"], "den": ["14/12/2025"]}
    assert asked[-1] == {"ky": ["2026-Q1"], "tu": ["15/12/2025"], "den": ["14/03/2026"]}
    assert [(row["label"], row["value"]) for row in rows] == [("2025-Q4", 5), ("2026-Q1", 9)]
    assert [row["file_name"] for row in names] == ["xu-ly_20250915_20251214.json", "xu-ly_20251215_20260314.json"]


@pytest.mark.parametrize("calendar", PeriodCalendar)
@pytest.mark.parametrize("kind", PeriodKind)
def test_the_last_closed_period_is_the_newest_that_ended(calendar: PeriodCalendar, kind: PeriodKind) -> None:
    every = sorted(
        (p for year in range(2023, 2027) for p in periods_of_year(calendar, year) if p.kind == kind),
        key=lambda period: period.end,
    )
    for period, following in pairwise(every):
        assert last_closed(calendar, kind, period.end) != period, "its last day is not over"
        assert last_closed(calendar, kind, period.end + timedelta(days=1)) == period
        assert last_closed(calendar, kind, following.end) == period


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"periods": QUARTERS | {"kind": "week"}}, r"periods\.kind"),
        ({"periods": QUARTERS | {"calendar": "LUNAR"}}, r"periods\.calendar"),
        ({"periods": {"kind": "quarter"}}, "calendar"),
        ({"periods": QUARTERS, "path": "/x/{unit}"}, "neither path nor body"),
        ({"periods": QUARTERS, "path": "/x/{unit}/{period}"}, "file_name needs"),
        ({"path": "/x/{unit}/{period}"}, "periods does not say"),
        ({"file_name": "{unit}_{period}.csv"}, "file_name holds"),
        ({"file_name": "{unit}_{}.csv"}, "file_name holds"),
    ],
)
def test_periods_are_checked_before_anything_is_asked(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ReferenceFault, match=told):
        portals.read(portals.files_table("https://cong.vi-du.vn", **settings))
