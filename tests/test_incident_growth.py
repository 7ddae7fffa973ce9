"""What grows graver or wider is told again, once; a warning ends with the files that bear it, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

import channels
from channels import Mailbox, smtp
from exports import csv_list, dossier
from test_incidents import end, fail, failing, nth, tell
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

COMMUNES = [f"{number:05d}" for number in range(100)]
MAIL = """
[policy]
spread = 10
[[channel]]
id = "mail"
kind = "email"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "tthc@tinh.vn"

[[recipient]]
id = "operations"
channels = [{{ channel = "mail", to = ["truc@tinh.vn"] }}]
report = true
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with smtp() as made:
        yield made


@pytest.fixture(scope="module")
def kept(warehouses: Warehouses, box: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    overlay = channels.overlay(tmp_path_factory.mktemp("overlay"), MAIL.format(port=box.port))
    with warehouses.fresh(overlay) as made:
        yield made


@pytest.fixture
def place(kept: Warehouse, box: Mailbox) -> Warehouse:
    """The module's warehouse, emptied, and so is the mailbox."""
    kept.empty()
    box.letters.clear()
    return kept


def lines(box: Mailbox) -> list[list[str]]:
    """Letter → its lines of incidents, with the heading above each; without the morning reports."""
    found = []
    for letter in (letter for _, letter, _ in box.letters if "báo cáo sáng" not in letter["Subject"]):
        heading, told = "", []
        for line in letter.get_content().split("\n"):
            heading = line if line and not line.startswith("- ") else heading
            told += [f"{heading}: {line}"] if line.startswith("- ") else []
        found.append(told)
    return found


def test_what_turns_from_a_warning_into_an_error_is_told_once_more(place: Warehouse, box: Mailbox) -> None:
    for days, severity in enumerate(["warning", "warning", "error", "error", "warning", "error"]):
        night, now = nth(days)
        fail(place, failing(severity=severity, night=night), now=now)
        tell(place, days)
    first, second = lines(box)
    assert [line.startswith("Sự cố mới") for line in first] == [True]
    (line,) = second
    assert line.startswith("Nghiêm trọng hơn hoặc lan rộng / Graver or wider (1): - [LỖI]")
    assert "Nghiêm trọng hơn / graver: warning → error." in line
    end(place, *nth(6))
    tell(place, 6)
    assert [line.startswith("Đã hết") for line in lines(box)[2]] == [True]
    history = place.query("select what, reason from alerts.incident_history where what = 'grown'")
    assert history == [{"what": "grown", "reason": "Nghiêm trọng hơn / graver: warning → error."}]


def test_a_rule_that_spreads_from_communes_over_the_province_is_told_at_each_doubling(
    place: Warehouse, box: Mailbox
) -> None:
    """Three communes, then twelve: the province. Thirteen and twenty are no news, forty are, and ninety."""
    for days, count in enumerate([3, 12, 13, 20, 40, 41, 90, 90]):
        night, now = nth(days)
        fail(place, *(failing(unit_code=unit, night=night) for unit in COMMUNES[:count]), now=now)
        tell(place, days)
    told = lines(box)
    assert [len(letter) for letter in told] == [3, 1, 1, 1]
    assert told[1][0].startswith("Sự cố mới")
    assert "12 đơn vị" in told[1][0]
    assert "Lan rộng / wider: 12 → 40." in told[2][0]
    assert "Lan rộng / wider: 40 → 90." in told[3][0]


def test_members_of_a_group_that_turn_graver_are_told_as_the_group(place: Warehouse, box: Mailbox) -> None:
    for days, severity in enumerate(["warning", "error"]):
        night, now = nth(days)
        fail(place, *(failing(unit_code=unit, night=night, severity=severity) for unit in COMMUNES[:30]), now=now)
        tell(place, days)
    first, second = lines(box)
    assert (len(first), len(second)) == (1, 1)
    assert "Nghiêm trọng hơn / graver: error → critical." in second[0]


def test_what_grows_before_anybody_was_told_is_told_as_it_is_by_then(place: Warehouse, box: Mailbox) -> None:
    fail(place, failing(severity="warning", width=1))
    fail(place, failing(severity="error", width=40, subject="DATE_ORDER: 40 tệp"))
    tell(place)
    ((line,),) = lines(box)
    assert line.startswith("Sự cố mới / New (1): - [LỖI]")
    assert "40 tệp" in line


def test_what_is_silenced_grows_silently_until_it_wakes(place: Warehouse, box: Mailbox) -> None:
    fail(place, failing(severity="warning"))
    tell(place)
    with transaction(place.settings) as connection:
        connection.execute(
            sa.text("update alerts.incident set state = 'snoozed', snoozed_until = :until"), {"until": nth(3)[1]}
        )
    fail(place, failing(severity="error", night=nth(1)[0], width=9), now=nth(1)[1])
    tell(place, 1)
    assert len(lines(box)) == 1
    tell(place, 4)
    assert [line.partition(" (")[0] for line in lines(box)[1]] == ["Hết hạn tắt báo / Silence ended"]


# Through files.

NIGHT = date(2026, 3, 20)


def doubtful(number: int, unit: str) -> dict[str, str]:
    """A dossier whose code names another day than its receipt: CODE_DATE."""
    return dossier(f"H42-260107-00{number}", unit_name=f"UBND xã {unit}")


def sound(number: int, unit: str) -> dict[str, str]:
    return dossier(f"H42-260105-00{number}", unit_name=f"UBND xã {unit}")


def alive(place: Warehouse) -> dict[str, str]:
    rows = place.query("select rule_id, severity from alerts.incident where state <> 'resolved' and not is_group")
    return {row["rule_id"]: row["severity"] for row in rows if row["rule_id"] != "REPORTER_MISSING"}


@pytest.mark.parametrize(("name", "later"), [("khác hẳn", 0), ("xuat_20260321", 1)])
def test_a_warning_ends_with_the_clean_delivery_of_the_same_units_under_any_name(
    place: Warehouse, name: str, later: int
) -> None:
    place.load_only(NIGHT, {"mot_cua_csv/xuat_20260320.csv": csv_list([doubtful(1, "Tiên Điền"), sound(2, "Cổ Đạm")])})
    place.publish()
    night = NIGHT + timedelta(days=later)
    place.load_only(night, {"mot_cua_csv/le.csv": csv_list([sound(3, "Tiên Điền")])})
    place.publish()
    assert alive(place) == {"CODE_DATE": "warning"}, "only one of its units came again"
    place.load_only(night, {f"mot_cua_csv/{name}.csv": csv_list([sound(1, "Tiên Điền"), sound(2, "Cổ Đạm")])})
    place.publish()
    assert alive(place) == {}


def test_a_warning_does_not_end_with_the_file_of_another_commune(place: Warehouse) -> None:
    place.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list([doubtful(1, "Tiên Điền")])})
    place.load_only(NIGHT + timedelta(days=1), {"mot_cua_csv/b.csv": csv_list([sound(5, "Cổ Đạm")])})
    place.publish()
    assert alive(place) == {"CODE_DATE": "warning"}
    place.load_only(NIGHT + timedelta(days=3), {"mot_cua_csv/c.csv": csv_list([doubtful(1, "Tiên Điền")])})
    place.publish()
    assert alive(place) == {"CODE_DATE": "warning"}, "another name, the same fault"
    place.load_only(NIGHT + timedelta(days=4), {"mot_cua_csv/d.csv": csv_list([sound(1, "Tiên Điền")])})
    place.publish()
    assert alive(place) == {}


@pytest.mark.parametrize(
    ("refused", "accepted", "severity"), [(19, 10, "error"), (20, 80, "critical"), (20, 81, "error")]
)
def test_a_fifth_of_a_units_rows_refused_is_graver_than_a_row(
    place: Warehouse, refused: int, accepted: int, severity: str
) -> None:
    """In a file of two communes that is within the limit of its source; the other commune's rows count for the other."""
    rows = [dossier(f"H42-260105-1{number:03d}", due_at="01/01/2026") for number in range(refused)]
    rows += [sound(2000 + number, "Tiên Điền") for number in range(accepted)]
    rows += [sound(3000 + number, "Cổ Đạm") for number in range(200)]
    place.load_only(NIGHT, {"mot_cua_csv/a.csv": csv_list(rows)})
    assert alive(place)["DUE_BEFORE_RECEIVED"] == severity
