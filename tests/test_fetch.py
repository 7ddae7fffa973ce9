"""From a portal to figures: what is fetched is what a drop folder would have brought, and what failed is an incident
until the night is complete.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import exports
import portals
from loader import Warm
from portals import CSV, JSON, NIGHT, UNITS
from tthc import cli, pipeline
from tthc.domain.errors import Misconfigured
from tthc.pipeline import Outcome
from tthc.settings import PortalAccess
from tthc.simulation.portal import PASSWORD, USER, PortalSimulator
from tthc.simulation.simulate import simulate
from tthc.sources.portal_fetch import Fetched
from tthc.warehouse import connect, fetches
from warehouses import Warehouse, Warehouses

PROVINCE_NIGHT = date(2026, 6, 30)
BAD, *GOOD = UNITS
_LIMITS = ", ".join(f"{name} = {value}" for name, value in (portals.LIMITS | {"retries": 1}).items())
SOURCES = f"""
[[source]]
id = "{CSV}"
[source.portal]
url = "http://127.0.0.1:1"
path = "/files/{CSV}/{{unit}}?night={{night}}"
units = {list(UNITS)}
file_name = "{{unit}}.csv"
networks = ["127.0.0.1/32"]
limits = {{ {_LIMITS} }}

[[source]]
id = "{JSON}"
[source.portal]
url = "http://127.0.0.1:1"
path = "/records/{JSON}?night={{night}}&unit={{unit}}&page={{page}}&size={{size}}"
units = {list(UNITS)}
ok_at = "code"
paging = {{ kind = "page", size = 7, records_at = "data.items", total_at = "data.total", page_at = "data.page" }}
networks = ["127.0.0.1/32"]
limits = {{ {_LIMITS} }}
"""


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overlay")
    (folder / "sources.toml").write_text(SOURCES, encoding="utf-8")
    return folder


@pytest.fixture
def place(warehouses: Warehouses, overlay: Path) -> Iterator[Warehouse]:
    with warehouses.fresh(overlay) as made:
        yield made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return portals.write_data(tmp_path / "data")


@pytest.fixture
def portal(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PortalSimulator]:
    with PortalSimulator(data) as simulator:
        for name, value in environment(simulator).items():
            monkeypatch.setenv(name, value)
        yield simulator


def environment(portal: PortalSimulator) -> dict[str, str]:
    return {f"TTHC_PORTAL_{source.upper()}_URL": portal.url for source in (CSV, JSON)}


def fetch(place: Warehouse, *sources: str, night: date = NIGHT) -> tuple[Outcome, dict[str, Fetched]]:
    """What `tthc fetch` does; the failures by unit."""
    with place.kept(), mock.patch.object(pipeline, "init"):
        outcome, failed = pipeline.run_portals(place.settings, sources, night, place.said.append)
    return outcome, {one.unit_code: one for _, one in failed}


def dossiers(place: Warehouse) -> dict[str, int]:
    """Unit → dossiers of it that are known."""
    rows = place.query("select unit_code, count(*) as known from core.dossier group by 1")
    return {row["unit_code"]: row["known"] for row in rows}


def open_rules(place: Warehouse) -> set[tuple[str, str, str]]:
    rows = place.query(
        "select rule_id, source_id, unit_code from alerts.incident where state <> 'resolved' "
        "and rule_id similar to '(PORTAL\\_|WRONG)%'"
    )
    return {(row["rule_id"], row["source_id"], row["unit_code"]) for row in rows}


def asked_pages(portal: PortalSimulator, unit: str) -> list[str]:
    """The pages of a unit that were asked for, in order."""
    return [line.partition("&page=")[2].partition("&")[0] for line in portal.asked if f"unit={unit}" in line]


# Whole nights.


def test_the_simulated_province_gives_the_true_figures_through_its_portal(
    warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (night,) = simulate(province="42", dossiers=200, seed=11, start=PROVINCE_NIGHT, nights=1, out=tmp_path)
    example = Path(cli.__file__).parents[2] / "examples" / "portal"
    served = {path.parent.name for path in night.glob("*/*")} & {CSV, JSON}
    assert served == {CSV, JSON}
    rest = {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for path in night.glob("*/*")
        if path.parent.name not in served
    }
    with PortalSimulator(tmp_path, login="sign-in") as portal, warehouses.fresh(example) as place:
        for source in served:
            for name, value in (("URL", portal.url), ("USER", USER), ("PASSWORD", PASSWORD)):
                monkeypatch.setenv(f"TTHC_PORTAL_{source.upper()}_{name}", value)
        place.load(PROVINCE_NIGHT, rest)
        _, failed = fetch(place, CSV, JSON, night=PROVINCE_NIGHT)
        assert failed == {}
        published = place.query(
            "select period_calendar, period_kind, period_label, unit_code, field_code, metric_id, profile, numerator, "
            "denominator from mart.kpi where basis = 'as_reported'"
        )
        truth = json.loads((night / "truth.json").read_text(encoding="utf-8"))
        names = list(published[0])
        assert {tuple(row.values()) for row in published} == {
            tuple(row[name] for name in names) for row in (*truth["figures"], *truth["stated"])
        }
        dirty = {(row["file"], row["row_no"]) for row in truth["dirt"] if row["source_id"] in served}
        assert dirty
        assert dirty <= {(name, row) for name, row, _ in place.quarantine()}, "rows are those of the file"


def test_what_was_fetched_is_landed_byte_for_byte_and_known_the_next_time(
    place: Warehouse, portal: PortalSimulator, data: Path
) -> None:
    outcome, failed = fetch(place, CSV, JSON)
    assert (outcome.files, failed) == ({"loaded": 6}, {})
    for unit in UNITS:
        (row,) = place.query(
            "select file_sha256 as sha from core.fetch where source_id = :source and unit_code = :unit",
            source=CSV,
            unit=unit,
        )
        landed = place.settings.landing / row["sha"][:2] / row["sha"]
        assert landed.read_bytes() == (data / NIGHT.isoformat() / CSV / f"{unit}.csv").read_bytes()
    assert not [path for path in (place.settings.landing / "portal").rglob("*") if path.is_file()]
    again, failed = fetch(place, CSV, JSON)
    assert (again.files, failed) == ({"already_known": 6}, {})
    outcomes = place.query("select source_id, outcome, count(*) as n from core.fetch group by 1, 2 order by 1")
    assert [tuple(row.values()) for row in outcomes] == [(JSON, "fetched", 3), (CSV, "unchanged", 3)]


def test_an_unchanged_answer_counts_as_reported_on_a_later_night(place: Warehouse, portal: PortalSimulator) -> None:
    fetch(place, CSV, JSON)
    later, _ = fetch(place, CSV, JSON, night=NIGHT + timedelta(days=1))
    assert later.files == {"already_known": 6}
    assert later.rows_read == 0
    reported = place.query(
        "select count(distinct unit_code) as n from core.delivery join core.delivery_unit using (delivery_id) "
        "where night = :night",
        night=NIGHT + timedelta(days=1),
    )
    assert reported[0]["n"] == 3


def test_a_unit_for_which_the_portal_has_nothing_is_no_failure(
    place: Warehouse, portal: PortalSimulator, data: Path
) -> None:
    (data / NIGHT.isoformat() / CSV / f"{BAD}.csv").unlink()
    (data / NIGHT.isoformat() / JSON / f"{BAD}.json").write_bytes(exports.json_list([]))
    outcome, failed = fetch(place, CSV, JSON)
    assert (outcome.files, failed) == ({"loaded": 4}, {})
    rows = place.query("select outcome from core.fetch where unit_code = :unit", unit=BAD)
    assert [row["outcome"] for row in rows] == ["empty", "empty"]


# Failures.


def test_a_failure_is_one_incident_that_the_rerun_of_the_night_ends(place: Warehouse, portal: PortalSimulator) -> None:
    portal.faults = {BAD: "short_length"}
    outcome, failed = fetch(place, CSV)
    assert set(failed) == {BAD}
    assert outcome.files == {"loaded": 2}
    assert dossiers(place) == dict.fromkeys(GOOD, 30)
    assert open_rules(place) == {("PORTAL_TRUNCATED", CSV, BAD)}
    (row,) = place.query("select * from mart.data_quality where verdict = 'rejected'")
    assert (row["source_id"], row["unit_code"], row["file_name"], row["file_sha256"]) == (CSV, BAD, f"{BAD}.csv", None)
    assert row["reason"].startswith("PORTAL_TRUNCATED: dữ liệu bị cắt")
    fetch(place, CSV)
    assert place.value("select count(*) from alerts.incident where rule_id = 'PORTAL_TRUNCATED'") == 1
    portal.faults = {}
    _, failed = fetch(place, CSV)
    assert failed == {}
    assert dossiers(place) == dict.fromkeys(UNITS, 30)
    assert open_rules(place) == set()
    assert place.query("select 1 from mart.data_quality where verdict = 'rejected'") == []


def test_a_portal_that_is_down_is_one_incident_and_not_asked_for_everything(
    place: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, failed = fetch(place, CSV, JSON)
    assert set(failed) == set(UNITS)
    assert open_rules(place) == {("PORTAL_UNREACHABLE", source, "*") for source in (CSV, JSON)}


def test_one_source_that_fails_leaves_the_other_alone(
    place: Warehouse, portal: PortalSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TTHC_PORTAL_{CSV.upper()}_URL", "http://127.0.0.1:1")
    outcome, _ = fetch(place, CSV, JSON)
    assert outcome.files == {"loaded": 3}
    assert open_rules(place) == {("PORTAL_UNREACHABLE", CSV, "*")}


def test_p20_another_commune_s_file_is_not_taken_for_the_one_asked_for(
    place: Warehouse, portal: PortalSimulator, data: Path
) -> None:
    """The portal serves one commune's list for another: with its own list in the same night the bytes are loaded once,
    for whom they are."""
    portal.faults = {BAD: "wrong_unit"}
    outcome, failed = fetch(place, CSV)
    assert failed == {}
    assert outcome.needs_a_person
    assert dossiers(place) == dict.fromkeys(GOOD, 30)
    assert open_rules(place) == {("PORTAL_WRONG_UNIT", CSV, BAD)}
    again, _ = fetch(place, CSV)
    assert again.needs_a_person
    assert open_rules(place) == {("PORTAL_WRONG_UNIT", CSV, BAD)}
    portal.faults = {}
    outcome, _ = fetch(place, CSV)
    assert not outcome.needs_a_person
    assert dossiers(place) == dict.fromkeys(UNITS, 30)
    assert open_rules(place) == set()


def test_p20_a_list_that_first_came_for_another_commune_is_loaded_for_its_own(
    place: Warehouse, portal: PortalSimulator, data: Path
) -> None:
    folder = data / NIGHT.isoformat() / CSV
    sound = {unit: (folder / f"{unit}.csv").read_bytes() for unit in UNITS}
    (folder / f"{BAD}.csv").write_bytes(sound[GOOD[0]])
    (folder / f"{GOOD[0]}.csv").write_bytes(b"")
    fetch(place, CSV)
    assert dossiers(place) == {GOOD[1]: 30}
    for unit, content in sound.items():
        (folder / f"{unit}.csv").write_bytes(content)
    fetch(place, CSV)
    assert dossiers(place) == dict.fromkeys(UNITS, 30)
    assert open_rules(place) == set()


def test_one_page_of_errors_for_several_communes_is_told_of_each(
    place: Warehouse, portal: PortalSimulator, data: Path
) -> None:
    """One sentence with status 200 in place of two lists: one file is refused, both communes are missing, and whatever
    the portal says of its age, it is asked for whole."""
    sound = {}
    for unit in (BAD, GOOD[0]):
        path = data / NIGHT.isoformat() / CSV / f"{unit}.csv"
        sound[path] = path.read_bytes()
        path.write_text("Lỗi hệ thống, vui lòng thử lại", encoding="utf-8")
    for _ in range(2):
        fetch(place, CSV)
        assert open_rules(place) == {("PORTAL_SHAPE", CSV, BAD), ("PORTAL_SHAPE", CSV, GOOD[0])}
        assert dossiers(place) == {GOOD[1]: 30}
    (data / NIGHT.isoformat() / CSV / f"{GOOD[0]}.csv").write_bytes(sound.popitem()[1])
    fetch(place, CSV)
    with connect.transaction(place.settings) as connection:
        assert set(fetches.known(connection, CSV, NIGHT)) == set(GOOD)
    for path, content in sound.items():
        path.write_bytes(content)
    outcome, _ = fetch(place, CSV)
    assert not outcome.needs_a_person
    assert dossiers(place) == dict.fromkeys(UNITS, 30)
    assert open_rules(place) == set()


def test_p20_a_list_of_nobody_asked_for_is_rejected(place: Warehouse, portal: PortalSimulator, data: Path) -> None:
    folder = data / NIGHT.isoformat() / CSV
    (folder / f"{BAD}.csv").write_bytes(
        exports.csv_list([exports.dossier(f"K-{n}", unit_name="UBND xã Kỳ Xuân") for n in range(30)])
    )
    for _ in range(2):
        outcome, _ = fetch(place, CSV)
        assert outcome.files["rejected"] == 1
        assert set(dossiers(place)) == set(GOOD)
        assert ("PORTAL_WRONG_UNIT", CSV, BAD) in open_rules(place)
    assert place.value("select reason from core.delivery where verdict = 'rejected'") == "WRONG_UNIT"


def test_p20_a_list_with_some_rows_of_others_is_held(place: Warehouse, portal: PortalSimulator, data: Path) -> None:
    rows = [*portals.rows_of(BAD), *portals.rows_of(GOOD[0], 3)]
    (data / NIGHT.isoformat() / CSV / f"{BAD}.csv").write_bytes(exports.csv_list(rows))
    outcome, _ = fetch(place, CSV)
    assert outcome.files == {"loaded": 2, "held": 1}
    assert place.value("select reason from core.delivery where verdict = 'held'") == "WRONG_UNIT"


def test_p20_rows_of_a_commune_that_went_into_the_one_asked_for_are_its_own(
    place: Warehouse, portal: PortalSimulator, data: Path
) -> None:
    old = place.query(
        "select full_name from ref.unit join ref.unit_succession on old_code = unit_code and not is_partial "
        "where new_code = :unit and new_code <> old_code limit 1",
        unit=BAD,
    )
    rows = [
        exports.dossier(
            f"C-{n}", unit_name=f"UBND {old[0]['full_name']}", received_at="05/03/2025", due_at="12/03/2025"
        )
        for n in range(3)
    ]
    (data / NIGHT.isoformat() / CSV / f"{BAD}.csv").write_bytes(exports.csv_list([*portals.rows_of(BAD), *rows]))
    outcome, _ = fetch(place, CSV)
    assert outcome.files == {"loaded": 3}
    assert open_rules(place) == set()


def test_a_retry_asks_only_for_what_is_missing(place: Warehouse, portal: PortalSimulator) -> None:
    portal.faults = {BAD: "error"}
    pipeline.fetch(place.settings, CSV, NIGHT)
    portal.faults = {}
    portal.asked.clear()
    receipts, failed = pipeline.fetch(place.settings, CSV, NIGHT, again=False)
    assert {receipt.file_name for receipt in receipts} == {f"{unit}.csv" for unit in UNITS}
    assert failed == []
    assert not [line for line in portal.asked if GOOD[0] in line or GOOD[1] in line]


def test_no_value_of_a_person_and_no_secret_is_told(
    place: Warehouse, portal: PortalSimulator, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "canary-7c1d"
    access = PortalAccess(url=portal.url, user=secret, password=secret, token=secret)
    for fault in ("short_length", "record_lost", "cut_close", "page_repeated", "maintenance"):
        portal.faults = {"*": fault}
        for source in (CSV, JSON):
            pipeline.fetch(place.settings, source, NIGHT, access, say=place.said.append)
    pipeline.publish(place.settings)
    out, err = capfd.readouterr()
    told = out + err + "".join(place.said) + str(place.query("select * from core.fetch"))
    told += str(place.query("select * from alerts.incident"))
    assert "PORTAL_" in told
    for word in (secret, "NGƯỜI GIẢ", "H-18373"):
        assert word not in told


# Killed and run again.


def until(happened: Any) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("pages", [1, 4])
def test_killed_between_pages_it_goes_on_after_the_last_complete_one(
    place: Warehouse, portal: PortalSimulator, warm: Warm, pages: int, tmp_path: Path
) -> None:
    """30 records in five pages; each unit's journal tells how many are complete when the process is killed."""
    portal.faults = {"*": "pause"}
    command = warm.start(
        ["fetch", "--source", JSON, "--as-of", NIGHT.isoformat()], place.environment() | environment(portal), tmp_path
    )
    spool = place.settings.landing / "portal" / JSON / NIGHT.isoformat()
    until(lambda: any(len(list(folder.glob("0*.json"))) >= pages for folder in spool.glob("*")))
    command.kill()
    kept = {folder.name: len(list(folder.glob("0*.json"))) for folder in spool.glob("*")}
    journals = {
        unit: len(json.loads((spool / unit / "journal.json").read_text())["pages"])
        for unit in kept
        if (spool / unit / "journal.json").exists()
    }
    assert max(journals.values(), default=0) >= pages - 1
    portal.faults = {}
    portal.asked.clear()
    outcome, failed = fetch(place, JSON)
    assert (outcome.files, failed) == ({"loaded": 3}, {})
    assert dossiers(place) == dict.fromkeys(UNITS, 30)
    for unit, complete in journals.items():
        wanted = [str(complete)] if complete else []
        assert asked_pages(portal, unit)[: len(wanted) + 1][:1] == (wanted or ["1"]), (
            "the last complete page is looked at"
        )
        new = asked_pages(portal, unit)[len(wanted) : -1]
        assert new == [str(page) for page in range(complete + 1, 6)], "then only those not complete yet"


def test_pages_of_a_killed_run_are_not_mixed_with_those_of_a_list_that_moved(
    place: Warehouse, portal: PortalSimulator, data: Path
) -> None:
    portal.faults = {"*": "error_at_page_4"}
    _, failed = fetch(place, JSON)
    assert set(failed) == set(UNITS)
    portal.faults = {}
    for unit in UNITS:
        rows = [exports.dossier(f"MOI-{unit}", unit_name=UNITS[unit]), *portals.rows_of(unit, 29)]
        (data / NIGHT.isoformat() / JSON / f"{unit}.json").write_bytes(exports.json_list(rows))
    outcome, failed = fetch(place, JSON)
    assert (outcome.files, outcome.rows_accepted, failed) == ({"loaded": 3}, 90, {})


# The command.


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended, mock.patch("sys.argv", ["tthc", *arguments]):
        cli.main()
    code = ended.value.code
    return int(code or 0), capsys.readouterr().out


def test_the_command_ends_as_the_portal_did(
    place: Warehouse, portal: PortalSimulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place.environment().items():
        monkeypatch.setenv(name, value)
    with place.kept():
        status, out = run(capsys, "fetch", "--source", CSV, "--source", JSON, "--as-of", NIGHT.isoformat(), "--json")
        assert (status, json.loads(out)["failed"]) == (0, [])
        portal.faults = {BAD: "maintenance"}
        status, out = run(capsys, "fetch", "--source", CSV, "--as-of", "2026-03-13", "--json")
        assert status == 3
        assert [(one["unit_code"], one["reason"]) for one in json.loads(out)["failed"]] == [(BAD, "PORTAL_HTML")]
        status, out = run(capsys, "fetch", "--source", CSV, "--as-of", "2026-03-13")
        assert status == 3
        assert f"failed: {CSV}, PORTAL_HTML" in out
        portal.faults = {BAD: "wrong_unit"}
        status, _ = run(capsys, "fetch", "--source", CSV, "--as-of", "2026-03-14")
        assert status == 1
        status, _ = run(capsys, "fetch", "--source", "tong_hop_06a_xlsx")
        assert status == 2


def test_a_source_without_a_portal_cannot_be_fetched(warehouse: Warehouse) -> None:
    for source in (CSV, "no_such_source"):
        with pytest.raises(Misconfigured, match=r"source\.portal"):
            pipeline.fetch(warehouse.settings, source, NIGHT)
