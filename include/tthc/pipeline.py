"""The whole journey on one page: exports → landing → staging → expectations → warehouse → rollups → alerts.

Each function is one step; the nightly DAG and `tthc load` call the same ones in the same order. Between steps travel
references (source, night, hash), never rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from tthc.alerts.decisions import note_decision
from tthc.alerts.dispatch import Dispatched, check_channels, dispatch
from tthc.alerts.incidents import (
    note_differences,
    note_disagreements,
    note_submissions,
    open_fetch_incidents,
    open_figure_incident,
    open_incidents,
    resolve_figure_incidents,
    resolve_incidents,
    resolve_repaired,
)
from tthc.alerts.reporters import resolve_reported
from tthc.alerts.reviews import review_corrections
from tthc.domain.errors import FileRefused, Misconfigured
from tthc.landing.known_name import known_name
from tthc.landing.store import Receipt, is_sound, land, look, names_of, path_of, size_of, sound_path
from tthc.reference.corrections import Correction, read_corrections
from tthc.reference.layouts import read_layouts
from tthc.reference.lists import read_calendar_overrides, read_status_words
from tthc.reference.manual import read_indicators
from tthc.reference.measures import read_measures
from tthc.reference.sources import read_sources
from tthc.reference.units import read_places
from tthc.rollups import agreement, build, check
from tthc.serving import data_docs, exports, quarantine_book
from tthc.serving.figures import as_analyst
from tthc.serving.views import analyst_password, create_views, set_analyst_password
from tthc.settings import LOCAL, PortalAccess, Settings, portal_access
from tthc.sources.drop_folder import waiting_files
from tthc.sources.portal_fetch import Fetched, Portals
from tthc.staging.correct import waivable
from tthc.staging.history import History
from tthc.staging.inspect import unpacked_size
from tthc.staging.parse import Meanings
from tthc.staging.reader_process import ReaderPool
from tthc.staging.stage import stage
from tthc.staging.staged_file import StagedFile
from tthc.warehouse import empty_lists, fetches, schema
from tthc.warehouse import history as past
from tthc.warehouse import load as warehouse
from tthc.warehouse import replay as repeats
from tthc.warehouse.connect import transaction
from tthc.warehouse.held_files import Held, held_files
from tthc.warehouse.reference_tables import load_reference
from tthc.warehouse.replay import Replayed

Say = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What became of the files of a run: verdict → number of files, and the row counts."""

    files: dict[str, int] = field(default_factory=dict)
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0

    def add(self, verdict: str, files: int = 1) -> None:
        if files:
            self.files[verdict] = self.files.get(verdict, 0) + files

    def add_all(self, other: Outcome) -> None:
        for verdict, count in other.files.items():
            self.add(verdict, count)
        self.rows_read += other.rows_read
        self.rows_accepted += other.rows_accepted
        self.rows_quarantined += other.rows_quarantined

    @property
    def needs_a_person(self) -> bool:
        return any(self.files.get(verdict) for verdict in ("held", "rejected"))


def tonight() -> date:
    """Today's date in Việt Nam, the default night."""
    return datetime.now(LOCAL).date()


def init(settings: Settings) -> None:
    """Create or migrate the warehouse, load include/reference, rebuild the views. Changes no figure by itself."""
    check_channels(settings)
    corrections_of(settings)
    with transaction(settings, writing=True) as connection:
        connection.execute(sa.text("set local lock_timeout = '90s'"))  # no reader holds up the night for ever
        schema.migrate(connection)
        schema.check_key(connection, schema.hmac_key(settings), settings.province)
        load_reference(connection, settings)
        create_views(connection)
        if settings.warehouse_url is None:
            set_analyst_password(connection, analyst_password(settings))


def receive(settings: Settings, drop: Path, night: date, only: str | None = None) -> tuple[list[Receipt], list[str]]:
    """Land every file of a drop folder; returns the receipts and the names of files that are still being written."""
    receipts, growing, key = [], [], schema.hmac_key(settings)
    waiting = [(look(found[2]), *found) for found in waiting_files(drop, read_sources(settings), only)]
    for first_look, source_id, delivered_as, path in waiting:
        landing = partial(land, source_id=source_id, night=night, delivered_as=delivered_as, first_look=first_look)
        file_name = known_name(delivered_as, key)
        try:
            receipts.append(landing(settings, path, file_name=file_name))
        except FileRefused:
            growing.append(f"{source_id}/{file_name}")
    return receipts, growing


def fetch(
    settings: Settings,
    source_id: str,
    night: date,
    access: PortalAccess | None = None,
    *,
    again: bool = True,
    say: Say = lambda _: None,
) -> tuple[list[Receipt], list[Fetched]]:
    """Land what a source's portal delivers for a night; returns the receipts and the deliveries that failed.

    Failures are in core.fetch with their incidents. `again` False asks only for what did not come yet tonight. Raises
    Misconfigured when the source has no portal or a credential is missing.
    """
    portal = read_sources(settings)[source_id].portal if source_id in read_sources(settings) else None
    if portal is None:
        having = ", ".join(one for one, source in read_sources(settings).items() if source.portal) or "none"
        raise Misconfigured(f"source {source_id!r} has no [source.portal] in sources.toml; sources with one: {having}")
    units = portal.units_served(read_places(settings).units, night)
    with transaction(settings) as connection:
        known = fetches.known(connection, source_id, night)
        done = {} if again else fetches.of_night(connection, source_id, night)
    known = {unit: before for unit, before in known.items() if is_sound(settings, before.sha256)}
    receipts = [receipt for receipt in done.values() if receipt]
    waiting = {unit: theirs for unit, theirs in units.items() if unit not in done}
    portals = Portals(portal, access or portal_access(source_id), night, settings.landing / "portal" / source_id)
    failed: list[Fetched] = []
    with closing(portals.fetch(waiting, known)) as coming:
        for number, fetched in enumerate(coming, start=1):
            told = f"{fetched.unit_code} {fetched.outcome} {fetched.reason}".rstrip()
            say(f"{source_id}: {number} of {len(waiting)}, {told}")
            if fetched.outcome == "failed":
                failed.append(fetched)
                continue
            receipt, path = None, fetched.path
            if fetched.outcome == "unchanged":
                path = path_of(settings, known[fetched.unit_code].sha256)
            if path:
                receipt = land(settings, path, source_id=source_id, file_name=fetched.file_name, night=night)
                receipts.append(receipt)
            with transaction(settings) as connection:
                fetches.note(connection, source_id, night, [(fetched, receipt)])
            portals.drop(fetched)
    with transaction(settings, writing=True) as connection:
        fetches.note(connection, source_id, night, [(fetched, None) for fetched in failed])
        open_fetch_incidents(connection, source_id, night)
    return receipts, failed


def batches(settings: Settings, receipts: Sequence[Receipt]) -> Iterator[list[Receipt]]:
    """Receipts of one source and night, cut into batches that fit in memory; the same bytes twice are one.

    A workbook counts by what it unpacks to, of which about a quarter are cells and the rest is markup.
    """
    sources = read_sources(settings)
    once = {(receipt.source_id, receipt.night, receipt.sha256): receipt for receipt in reversed(receipts)}
    ordered = sorted(once.values(), key=lambda receipt: (receipt.source_id, receipt.night, receipt.file_name))
    for (source_id, _), group in itertools.groupby(ordered, key=lambda receipt: (receipt.source_id, receipt.night)):
        source, batch, volume = sources[source_id], list[Receipt](), 0
        for receipt in group:
            size = max(size_of(settings, receipt), unpacked_size(path_of(settings, receipt.sha256)) // 4)
            if batch and (len(batch) == source.batch_files or volume + size > source.batch_megabytes * 1_000_000):
                yield batch
                batch, volume = [], 0
            batch.append(receipt)
            volume += size
        yield batch


def stage_files(
    settings: Settings,
    batch: Sequence[Receipt],
    known_procedures: frozenset[str],
    readers: ReaderPool,
    *,
    history: History | None = None,
    released: bool = False,
) -> list[StagedFile]:
    """Read, type and judge the landed files of one source and night, beside what came on earlier nights."""
    meanings = Meanings(
        places=read_places(settings),
        status_words=read_status_words(settings),
        hmac_key=schema.hmac_key(settings),
        province=settings.province,
        night=batch[0].night,
        corrections=tuple(one for one in corrections_of(settings) if one.source == batch[0].source_id),
        indicators=read_indicators(settings),
        calendar=read_calendar_overrides(settings),
    )
    files = [(receipt.file_name, receipt.sha256, sound_path(settings, receipt)) for receipt in batch]
    source = read_sources(settings)[batch[0].source_id]
    return stage(
        files, source, read_layouts(settings), meanings, known_procedures, readers, history=history, released=released
    )


def corrections_of(settings: Settings) -> tuple[Correction, ...]:
    """The reviewed corrections of all sources, checked. Raises ReferenceFault."""
    return read_corrections(settings, read_sources(settings), read_layouts(settings), waivable())


def load(
    settings: Settings,
    batch: Sequence[Receipt],
    readers: ReaderPool,
    *,
    refused: Mapping[str, str | None] | None = None,
) -> Outcome:
    """Stage a batch of one source and night and commit it whole, asking the manifest before and after staging.

    `refused`: hash → reason of files that were rejected before; still rejected for it is not noted again.
    """
    source = read_sources(settings)[batch[0].source_id]
    night, outcome = batch[0].night, Outcome()
    overrides = read_calendar_overrides(settings)
    with transaction(settings) as connection:
        to_parse = warehouse.ask_manifest(connection, batch).parse
        procedures = frozenset(connection.execute(sa.text("select procedure_code from ref.procedure")).scalars())
        history = past.read(connection, source.id, night, overrides) if to_parse else None
    staged = stage_files(settings, to_parse, procedures, readers, history=history) if to_parse else []
    with transaction(settings, writing=True) as connection:
        schema.check_key(connection, schema.hmac_key(settings), settings.province)
        asked = warehouse.ask_manifest(connection, batch)
        ready = {file.sha256: file for file in staged}
        missing = [receipt for receipt in asked.parse if receipt.sha256 not in ready]
        if missing:  # taken for known when first asked, changed by another load in between
            history = past.read(connection, source.id, night, overrides)
            again = stage_files(settings, missing, procedures, readers, history=history)
            ready |= {file.sha256: file for file in again}
        staged = [ready[receipt.sha256] for receipt in asked.parse]
        if history is not None:
            empty_lists.name_units(connection, batch, staged, history, partial(names_of, settings))
        fetches.refuse_wrong_units(connection, batch, staged)
        before = dict.fromkeys(fetches.refused_before(connection, batch), "WRONG_UNIT") | dict(refused or {})
        staged = [one for one in staged if one.verdict != "rejected" or one.reason != before.get(one.sha256)]
        known = warehouse.note_known(connection, asked.known)
        ids = known + warehouse.load(connection, source.id, night, staged)
        if ids:
            open_incidents(connection, ids)
        wrong = fetches.note_wrong_units(connection, batch, staged)
        if wrong:
            open_fetch_incidents(connection, source.id, night)
    for verdict in asked.judged:  # what needs a person still does when a night is run again
        outcome.add(verdict if verdict in {"held", "rejected"} else "already_known")
    outcome.add("already_known", len(asked.known))
    if wrong and not any(file.verdict == "rejected" for file in staged) and "rejected" not in asked.judged:
        outcome.add("rejected", wrong)  # the bytes are right for another unit, but not for those asked for
    for file in staged:
        outcome.add(file.verdict)
        outcome.rows_read += file.rows_read
        outcome.rows_accepted += file.rows_accepted if file.verdict.startswith("loaded") else 0
        outcome.rows_quarantined += file.rows_quarantined
    return outcome


def held(settings: Settings) -> list[Held]:
    """The files that wait for a person."""
    with transaction(settings) as connection:
        return held_files(connection)


def decide(settings: Settings, delivery_id: int, *, release: bool, by: str, reason: str) -> None:
    """A person lets a held file in or refuses it; the name and the reason are kept, and whoever heard that it is held
    hears of it with the next messages. Figures follow by `publish`. Raises Misconfigured when it is not held, or not
    to be read any more."""
    with ReaderPool(1) as readers, transaction(settings, writing=True) as connection:
        schema.check_key(connection, schema.hmac_key(settings), settings.province)
        receipt = warehouse.held(connection, delivery_id)
        note_decision(connection, delivery_id, release=release, by=by, reason=reason)
        if release:
            if not is_sound(settings, receipt.sha256):
                raise Misconfigured(f"the landing store has lost or changed delivery {delivery_id}: refuse it")
            procedures = frozenset(connection.execute(sa.text("select procedure_code from ref.procedure")).scalars())
            (staged,) = stage_files(settings, [receipt], procedures, readers, released=True)
            history = past.read(connection, receipt.source_id, receipt.night, read_calendar_overrides(settings))
            empty_lists.name_units(connection, [receipt], [staged], history, partial(names_of, settings))
            repeats.release(connection, delivery_id, staged, by=by, reason=reason)
            open_incidents(connection, [delivery_id])  # of rows that were refused in it
        else:
            warehouse.refuse(connection, delivery_id, by=by, reason=reason)
        resolve_repaired(connection)


def replay(settings: Settings, source_id: str | None = None, night: date | None = None) -> Replayed:
    """Judge again what waits in quarantine or was not loaded, by today's rules, lists and layouts. Figures follow by
    `publish`. Raises Misconfigured for an unknown source or a night that nothing was loaded for."""
    init(settings)
    if source_id is not None and source_id not in read_sources(settings):
        raise Misconfigured(f"{source_id!r} is no source; known are {', '.join(read_sources(settings))}")
    with transaction(settings) as connection:
        if night is not None:
            _check_night(connection, night)
        waiting = repeats.waiting(connection, source_id, night)
        procedures = frozenset(connection.execute(sa.text("select procedure_code from ref.procedure")).scalars())
    landed = [each for each in waiting if is_sound(settings, each.receipt.sha256)]
    sound = {each.delivery_id for each in landed}
    gone = [each.receipt for each in waiting if each.delivery_id not in sound]
    done = Replayed(files=len(landed), files_gone=[f"{one.source_id} {one.night} {one.file_name}" for one in gone])
    numbers = {each.receipt: each.delivery_id for each in landed if each.verdict != "rejected"}
    with ReaderPool() as readers:
        for batch in batches(settings, list(numbers)):
            ids = {receipt.sha256: numbers[receipt] for receipt in batch}
            with transaction(settings) as connection:
                history = past.read(connection, batch[0].source_id, batch[0].night, read_calendar_overrides(settings))
            staged = stage_files(settings, batch, procedures, readers, history=history)
            with transaction(settings, writing=True) as connection:
                for file in staged:
                    repeats.enter(connection, ids[file.sha256], file, done)
                resolve_repaired(connection)
        refused = {each.receipt: each.reason for each in landed if each.verdict == "rejected"}
        for batch in batches(settings, list(refused)):
            files = load(settings, batch, readers, refused={one.sha256: refused[one] for one in batch}).files
            done.files_entered += sum(count for verdict, count in files.items() if verdict.startswith("loaded"))
    with transaction(settings, writing=True) as connection:
        resolve_repaired(connection)
    return done


def publish(settings: Settings, full: bool = False) -> int | None:
    """Build the figures of the newest night beside the published ones, check them, then make them current.

    Returns the publication, None when neither the core nor time has moved since the last one (unless `full`).
    """
    measures = list(read_measures(settings).values())
    with transaction(settings, writing=True) as connection:
        resolve_incidents(connection)
        resolve_reported(connection)
        plan = build.due(connection, full=full)
        if plan is None:
            return None
        publication_id = build.begin(connection, plan)
        build.compute(connection, night=plan.night, province=settings.province)
        broken = check.withhold(connection)
        for rule_id, severity, rows, what in broken:
            open_figure_incident(connection, plan.night, rule_id, rows, what, severity)
        resolve_figure_incidents(connection, plan.night, [rule.rule_id for rule in broken])
        build.write(connection, publication_id)
        build.compare(connection, measures)
        note_differences(connection, plan.night)
        note_disagreements(connection, agreement.disagreements(connection), plan.night)
        review_corrections(connection, corrections_of(settings), plan.night)
        build.make_current(connection, publication_id)
        note_submissions(connection, plan.night)
    return publication_id


def notify(settings: Settings, night: date | None = None, now: datetime | None = None) -> Dispatched:
    """Send what waits in the outbox. `night`: the run of that night has just ended, so its report is due."""
    return dispatch(settings, now or datetime.now(UTC), night)


def _check_night(connection: sa.Connection, night: date) -> None:
    """Refuse a night for which no file was delivered: of it nothing waits, whatever is wrong."""
    known = connection.execute(sa.text("select distinct night from core.delivery order by night desc")).scalars().all()
    if night not in known:
        told = f"the newest are {', '.join(map(str, known[:5]))}" if known else "there is none yet"
        raise Misconfigured(f"no file was delivered for the night {night}; {told}")


def write_quarantine(settings: Settings, out: Path) -> list[Path]:
    """The cells to correct, one workbook an owner, with the day by which to repair each row; none if nothing is."""
    units, sources = read_places(settings).units, read_sources(settings)
    deadline = quarantine_book.repair_deadlines(settings)
    with transaction(settings) as connection:
        return quarantine_book.write_all(connection, out, units=units, sources=sources, deadline=deadline)


def write_data_docs(settings: Settings) -> Path | None:
    """What every rule said on the newest night, as one page in `settings.out`; None before anything came."""
    with as_analyst(settings) as connection:
        return data_docs.write(connection, settings.out / "data-docs")


def write_workbooks(settings: Settings) -> list[Path]:
    """What leaves the house, into `settings.out`: what is in quarantine, the province's form and scorecard."""
    return write_quarantine(settings, settings.out / "quarantine") + exports.export_province(settings)


def run(settings: Settings, drop: Path, night: date, say: Say = lambda _: None) -> Outcome:
    """One night from a drop folder to published figures and sent messages: what `tthc load` does."""
    init(settings)
    receipts, growing = receive(settings, drop, night)
    total = Outcome()
    total.add("deferred", len(growing))
    return _finish(settings, receipts, night, total, say)


def run_portals(
    settings: Settings, source_ids: Sequence[str], night: date, say: Say = lambda _: None
) -> tuple[Outcome, list[tuple[str, Fetched]]]:
    """One night from portals to published figures and sent messages, with the deliveries that failed: `tthc fetch`."""
    init(settings)
    receipts, failed = list[Receipt](), list[tuple[str, Fetched]]()
    for source_id in dict.fromkeys(source_ids):
        came, missing = fetch(settings, source_id, night, say=say)
        receipts += came
        failed += [(source_id, fetched) for fetched in missing]
    return _finish(settings, receipts, night, Outcome(), say), failed


def _finish(settings: Settings, receipts: Sequence[Receipt], night: date, total: Outcome, say: Say) -> Outcome:
    """Load what was landed, publish, notify."""
    done = 0
    with ReaderPool() as readers:
        for batch in batches(settings, receipts):
            total.add_all(load(settings, batch, readers))
            done += len(batch)
            say(f"{batch[0].source_id}: {done} of {len(receipts)} files, {total.rows_accepted} rows accepted")
    publication_id = publish(settings)
    say("figures unchanged" if publication_id is None else f"publication {publication_id} is current")
    told = notify(settings, night)
    if told.sent or told.degraded:
        say(str(told))
    write_data_docs(settings)  # last: a disk that is full keeps no message back
    return total
