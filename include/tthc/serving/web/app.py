"""The pages: which address shows what, always with period, cut-off, status and how many units have reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tthc.domain.errors import Misconfigured, OutsideSystemFailed
from tthc.domain.text import sort_key
from tthc.reference.kpis import valid_on
from tthc.reference.units import Unit
from tthc.serving import data_docs, exports, figures, form_06a, rule_catalogue, wording
from tthc.serving.assessment import UNMEASURED, Assessment, assess
from tthc.serving.differences import compared_reports, differing_cells, differing_forms, differing_sources
from tthc.serving.exports import Registry
from tthc.serving.figures import DEFAULT_BASIS, DEFAULT_CALENDAR, Period, Publication, UnitFigures
from tthc.serving.members import figures_of_unit, members_of
from tthc.serving.place_changes import changes_of
from tthc.serving.quarantine_book import repair_deadlines
from tthc.serving.to_date import figures_to_date
from tthc.serving.web.definitions import explanations, spans
from tthc.serving.web.pages import Pages, grouped
from tthc.serving.web.protection import HEADERS, SecurityHeaders
from tthc.serving.web.quality import newest_night, reporters, rule_words
from tthc.settings import LOCAL, Settings

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STYLE = Path(__file__).parent / "static" / "style.css"
_MESSAGES = {
    400: "Địa chỉ không đúng dạng.",
    404: "Không có trang này.",
    405: "Trang này chỉ để đọc.",
    500: "Có lỗi khi lập trang. Người trực đã có thông tin trong nhật ký.",
    503: "Kho dữ liệu chưa trả lời. Xin thử lại sau ít phút.",
}
_NO_UNIT = "Không có đơn vị mang mã này trong tỉnh. Mã đơn vị nằm cạnh tên, chọn từ trang tổng quan."
_NO_PERIOD = "Chưa có số liệu công bố cho kỳ này, hoặc tên kỳ không đúng. Chọn kỳ trong danh sách ở đầu mỗi trang."
_NO_BASIS = "Cách tính địa giới không đúng: chỉ có đơn vị như báo cáo và địa giới hiện nay."
_NOTHING_YET = "Chưa có số liệu nào được công bố."
_SENTENCES = (_NO_UNIT, _NO_PERIOD, _NO_BASIS)

PeriodKey = Annotated[str, Query(max_length=40, description="VPCP_15_14.2026-Q1, or a label of that calendar")]
Basis = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader chose, and what there is to choose from."""

    publication: Publication
    published: Sequence[Period]
    period: Period
    basis: str

    @property
    def query(self) -> dict[str, str]:
        return {"period": self.period.key, "basis": self.basis}

    @property
    def is_running(self) -> bool:
        return self.period.as_of < self.period.end

    @property
    def groups(self) -> list[tuple[str, list[Period]]]:
        return grouped(self.published)


def create_app(
    settings: Settings, *, dependencies: Sequence[Any] = (), allowed_hosts: Sequence[str] = ("*",)
) -> FastAPI:
    """The application. `dependencies` guard every page (a host application's login); reference files are read once."""
    registry = exports.read_registry(settings)
    own = figures.unit_of(registry.units, registry.province, registry.province)
    pages = Pages(own.full_name)
    app = FastAPI(
        title="tthc",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=list(dependencies),
        redirect_slashes=False,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts))
    app.add_middleware(SecurityHeaders)
    _add_pages(app, pages, settings, registry)
    _add_downloads(app, settings, registry)
    _add_refusals(app, pages)
    return app


def _add_pages(app: FastAPI, pages: Pages, settings: Settings, registry: Registry) -> None:
    own = figures.unit_of(registry.units, registry.province, registry.province)
    said = explanations(settings)

    def names_on(day: date) -> dict[str, str]:
        """Code → name of every unit, on a day where it had one then."""
        codes = {unit.unit_code for unit in registry.units}
        return {code: found.full_name for code in codes if (found := figures.unit_on(registry.units, code, day))}

    @app.get("/")
    def home(request: Request, period: PeriodKey = "", basis: Basis = DEFAULT_BASIS) -> HTMLResponse:
        with figures.as_analyst(settings) as connection:
            choice = _choose(connection, registry, period, basis)
            unit = figures_of_unit(connection, choice.period, choice.basis, own)
            members = members_of(connection, registry.units, choice.period, choice.basis)
            bands = figures.bands(connection, choice.period, choice.basis, registry.province)
        for member in members:
            member.unit_name = _name_of(registry, choice, member)
        members.sort(key=lambda member: sort_key(member.unit_name))
        return pages.show(request, "home", choice=choice, unit=unit, members=members, bands=bands)

    @app.get("/units/{code}")
    def unit(
        request: Request, code: str, period: PeriodKey = "", basis: Basis = DEFAULT_BASIS, to_date: bool = False
    ) -> HTMLResponse:
        with figures.as_analyst(settings) as connection:
            choice = _choose(connection, registry, period, basis)
            place = _unit_of(registry, code, choice.period.as_of)
            found = figures_of_unit(connection, choice.period, choice.basis, place)
            found.unit_name = _name_of(registry, choice, found)
            rows = figures.form_rows(connection, choice.period, choice.basis, code)
            verdicts = figures.target_rows(connection, choice.period, choice.basis)
            differing = differing_cells(connection, choice.period, code)
            # of the province it is counted from all its dossiers: only when asked for
            is_shown = choice.is_running and (to_date or place.level != "province")
            so_far = figures_to_date(connection, choice.period, choice.basis, code) if is_shown else None
        promised = [target for target in registry.targets if target.unit_code == code]
        rows.sort(key=lambda row: (row["field_code"] == "*", sort_key(row["field_name"])))
        return pages.show(
            request,
            "unit",
            choice=choice,
            unit=found,
            metrics=valid_on(registry.metrics, choice.period.end),
            indicators=registry.stated_by(place.level),
            so_far=so_far,
            changes=changes_of(code, registry.units, registry.successions),
            rows=rows,
            counts=form_06a.COUNTS,
            targets=_by_measure(assess(promised, verdicts, choice.period)),
            differences=differing,
            titles=registry.reports,
        )

    @app.get("/targets")
    def targets(request: Request, period: PeriodKey = "", basis: Basis = DEFAULT_BASIS) -> HTMLResponse:
        with figures.as_analyst(settings) as connection:
            choice = _choose(connection, registry, period, basis)
            unit = figures_of_unit(connection, choice.period, choice.basis, own)
            verdicts = figures.target_rows(connection, choice.period, choice.basis)
        on = choice.period.as_of
        spans = ((t.unit_code, figures.unit_on(registry.units, t.unit_code or "", on)) for t in registry.targets)
        names = {code: place.full_name for code, place in spans if place}
        ours = [target for target in registry.targets if target.unit_code in names]
        return pages.show(
            request,
            "targets",
            choice=choice,
            unit=unit,
            names=names,
            targets=_by_measure(assess(ours, verdicts, choice.period)),
            elsewhere=len(registry.targets) - len(ours),
        )

    @app.get("/differences")
    def differences(request: Request, period: PeriodKey = "", basis: Basis = DEFAULT_BASIS) -> HTMLResponse:
        with figures.as_analyst(settings) as connection:
            choice = _choose(connection, registry, period, basis)
            unit = figures_of_unit(connection, choice.period, choice.basis, own)
            reports = compared_reports(connection, choice.period)
            rows = differing_cells(connection, choice.period)
            sources = differing_sources(connection, choice.period)
            forms = differing_forms(connection, choice.period)
        return pages.show(
            request,
            "differences",
            choice=choice,
            unit=unit,
            reports=reports,
            rows=rows,
            sources=sources,
            forms=forms,
            titles=registry.reports,
        )

    @app.get("/quality")
    def quality(request: Request) -> HTMLResponse:
        with figures.as_analyst(settings) as connection:
            publication = figures.current_publication(connection)
            found = newest_night(connection)
        return pages.show(
            request,
            "quality",
            publication=publication,
            quality=found,
            rules=rule_words(),
            names=names_on(found.night) if found else {},
            deadline=repair_deadlines(settings),
        )

    @app.get("/coverage")
    def coverage(request: Request, period: PeriodKey = "", basis: Basis = DEFAULT_BASIS) -> HTMLResponse:
        with figures.as_analyst(settings) as connection:
            choice = _choose(connection, registry, period, basis, reported=True)
            unit = figures_of_unit(connection, choice.period, choice.basis, own)
            rows = reporters(connection, choice.period)
        return pages.show(request, "coverage", choice=choice, unit=unit, rows=rows, names=names_on(choice.period.as_of))

    @app.get("/rules")
    def rules(request: Request) -> HTMLResponse:
        with figures.as_analyst(settings) as connection:
            lately = rule_catalogue.lately(connection)
        return pages.show(
            request,
            "rules",
            catalogue=rule_catalogue.catalogue(),
            outside=rule_catalogue.outside(),
            titles=rule_catalogue.OUTSIDE,
            suites=rule_catalogue.SUITES,
            severities=rule_catalogue.SEVERITIES,
            owners=rule_catalogue.OWNERS,
            nights=rule_catalogue.NIGHTS_SHOWN,
            lately=lately,
        )

    @app.get("/definitions")
    def definitions(request: Request) -> HTMLResponse:
        return pages.show(
            request, "definitions", metrics=registry.metrics, periods=spans(datetime.now(LOCAL).year), **said
        )

    @app.get("/style.css")
    def style() -> Response:
        return Response(_STYLE.read_bytes(), media_type="text/css")

    @app.get("/health")
    def health() -> PlainTextResponse:
        with figures.as_analyst(settings) as connection:
            figures.current_publication(connection)
        return PlainTextResponse("ok")


def _by_measure(assessed: Sequence[Assessment]) -> tuple[list[Assessment], list[Assessment]]:
    """(targets that a figure measures, those that none does)."""
    measured = [one for one in assessed if one.state != UNMEASURED]
    return measured, [one for one in assessed if one.state == UNMEASURED]


def _add_downloads(app: FastAPI, settings: Settings, registry: Registry) -> None:
    @app.get("/nights/{night}.html")
    def night(night: date) -> Response:
        with figures.as_analyst(settings) as connection:
            content = data_docs.page_of(connection, night)
        headers = {"Content-Disposition": f'attachment; filename="{night}.html"'}
        return Response(content, media_type="text/html; charset=utf-8", headers=headers)

    @app.get("/form-06a")
    def form(unit: Annotated[str, Query(max_length=40)], period: PeriodKey = "") -> Response:
        return _workbook(settings, registry, "form-06a", unit, period)

    @app.get("/scorecard")
    def scorecard(unit: Annotated[str, Query(max_length=40)], period: PeriodKey = "") -> Response:
        return _workbook(settings, registry, "scorecard", unit, period)


def _workbook(settings: Settings, registry: Registry, kind: str, code: str, period: str) -> Response:
    content = BytesIO()
    with figures.as_analyst(settings) as connection:
        choice = _choose(connection, registry, period, DEFAULT_BASIS)
        place = _unit_of(registry, code, choice.period.as_of)
        exports.WRITERS[kind](connection, registry, content, unit=place, period=choice.period)
    file_name = quote(exports.file_name(kind, place, choice.period))
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{file_name}"}
    return Response(content.getvalue(), media_type=XLSX, headers=headers)


def _choose(connection: sa.Connection, registry: Registry, key: str, basis: str, *, reported: bool = False) -> Choice:
    """The period of a key; for none the newest closed quarter, or the newest one that units report in (`reported`).
    Raises Misconfigured before the first publication, else HTTPException."""
    publication = exports.publication_of(connection)
    published = figures.periods(connection, registry.province)
    newest = figures.newest_reported(connection, published) if reported else figures.newest_closed(published)
    if newest is None:
        raise Misconfigured(figures.NOTHING_PUBLISHED)
    if basis not in wording.BASES:
        raise HTTPException(404, _NO_BASIS)
    calendar, _, label = key.rpartition(".")
    wanted = (calendar or DEFAULT_CALENDAR, label)
    period = next((one for one in published if (one.calendar, one.label) == wanted), None) if key else newest
    if period is None:
        raise HTTPException(404, _NO_PERIOD)
    return Choice(publication, published, period, basis)


def _unit_of(registry: Registry, code: str, on: date) -> Unit:
    unit = figures.unit_on(registry.units, code, on)
    if unit is None:
        raise HTTPException(404, _NO_UNIT)
    return unit


def _name_of(registry: Registry, choice: Choice, unit: UnitFigures) -> str:
    """The name at the cut-off; on today's boundary today's, because the figure is of today's unit."""
    today = figures.unit_on(registry.units, unit.unit_code, choice.publication.night)
    return today.full_name if today and choice.basis == "current_boundary" else unit.unit_name


def _add_refusals(app: FastAPI, pages: Pages) -> None:
    def refuse(request: Request, code: int, text: str = "") -> HTMLResponse:
        return pages.show(request, "message", code, text=text or _MESSAGES.get(code, _MESSAGES[400]))

    @app.exception_handler(HTTPException)
    async def on_refusal(request: Request, error: HTTPException) -> HTMLResponse:
        return refuse(request, error.status_code, error.detail if error.detail in _SENTENCES else "")

    @app.exception_handler(RequestValidationError)
    async def on_malformed(request: Request, error: RequestValidationError) -> HTMLResponse:
        return refuse(request, 400)

    @app.exception_handler(Misconfigured)
    async def on_unknown(request: Request, error: Misconfigured) -> HTMLResponse:
        return refuse(request, 404, _NOTHING_YET if str(error) == figures.NOTHING_PUBLISHED else "")

    @app.exception_handler(OutsideSystemFailed)
    async def on_outage(request: Request, error: OutsideSystemFailed) -> HTMLResponse:
        return refuse(request, 503)

    @app.exception_handler(Exception)
    async def on_defect(request: Request, error: Exception) -> HTMLResponse:
        answer = refuse(request, 500)  # made outside the middleware, so it carries the headers by itself
        answer.headers.update(HEADERS)
        return answer
