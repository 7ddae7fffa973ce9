"""How a page is made of a template: everything escaped, an undefined name an error, addresses below the root path."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tthc.domain.text import without_person
from tthc.serving import figures, wording
from tthc.serving.figures import Period
from tthc.serving.web.definitions import marked

_TEMPLATES = Path(__file__).parent / "templates"
_KINDS = {"year": "Năm", "nine_months": "9 tháng", "half": "6 tháng", "quarter": "Quý", "month": "Tháng"}


class Pages:
    """Renders the templates of one province."""

    def __init__(self, province: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"wording": wording, "figures": figures, "province": province}
        self._environment.filters |= {
            "count": wording.count,
            "day": wording.day,
            "moment": wording.moment,
            "clean": without_person,
            "marked": marked,
        }

    def show(self, request: Request, name: str, status_code: int = 200, **context: Any) -> HTMLResponse:
        """One page. `link(path, **query)` in a template is an address below the root path."""
        root: str = request.scope.get("root_path", "")

        def link(path: str, **query: str) -> str:
            return root + path + (f"?{urlencode(query)}" if query else "")

        template = self._environment.get_template(f"{name}.html")
        return HTMLResponse(template.render(link=link, page=name, **context), status_code=status_code)


def grouped(periods: Sequence[Period]) -> list[tuple[str, list[Period]]]:
    """Periods for a list of choices: by calendar and kind, the newest first."""
    order = list(_KINDS)
    ordered = sorted(
        periods, key=lambda period: (period.calendar != figures.DEFAULT_CALENDAR, order.index(period.kind))
    )
    return [
        (f"{wording.CALENDARS_SHORT[calendar]}: {_KINDS[kind]}", list(group))
        for (calendar, kind), group in groupby(ordered, key=lambda period: (period.calendar, period.kind))
    ]
