"""`make hitl`: a night on a live Airflow, a person asked about each held file, and every sink searched for persons.

Not collected by `make test`, for it takes minutes; what `make test` asks of it stands in test_held_files.py and
test_demo.py. The tests are one story and run in this order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import channels
from canaries import CODES, NAME, PERSON, PHONE, leaks, odd_files, persons, sqlite_tables, texts_below
from canaries import warehouse_tables as tables
from channels import Http, Mailbox, http, smtp
from exports import csv_list, dossier
from live_airflow import CLERKS, Airflow, airflow, until
from loader import Warm
from test_web import get
from tthc import pipeline
from tthc.serving.web import create_app
from tthc_airflow.held_files import LATER, REFUSE, RELEASE
from warehouses import Warehouse, Warehouses

NIGHT = "2026-03-20"
LAN, BINH = CLERKS
RELEASED, REFUSED, LATE = "cho-nap.csv", "tu-choi.csv", "de-sau {{ 7 * 6 }}.csv"  # a name is no template
UNREASONED = "khong-ly-do.csv"
HELD = (RELEASED, REFUSED, LATE, UNREASONED)
GOOD_ROWS, BAD_ROWS = 8, 14  # of each held file
PORTAL_DOWN = """
[[source]]
id = "cong_tat"
title = "Một cổng không hoạt động"
layouts = ["mot_cua_csv"]
[source.portal]
url = "http://127.0.0.1:1"
path = "/{unit}"
units = ["18373"]
file_name = "{unit}.csv"
networks = ["127.0.0.1/32"]
"""
WORDS = {
    "files": ["files", "list"], "quarantine": ["quarantine", "list"], "incidents": ["incidents", "list"],
    "messages": ["messages", "list"], "summaries": ["summaries", "differences"], "watchdog": ["watchdog"],
}  # fmt: skip


def drop() -> dict[str, bytes]:
    """What comes of everything, and four files to be held: more than half of their rows are refused."""
    files = odd_files()
    for number, name in enumerate(HELD):
        codes = CODES[30 + number * (GOOD_ROWS + BAD_ROWS) :][: GOOD_ROWS + BAD_ROWS]
        rows = [dossier(code, channel=PHONE, status=NAME, **PERSON) for code in codes[GOOD_ROWS:]]
        rows += [dossier(code, **PERSON) for code in codes[:GOOD_ROWS]]
        files[f"mot_cua_csv/{name}"] = csv_list(rows)
    return files


@dataclass(slots=True)
class Stage:
    """All that one night leaves behind; `asked`: file → its question in the newest run."""

    warehouses: Warehouses
    warehouse: Warehouse
    airflow: Airflow
    box: Mailbox
    hook: Http
    night: dict[str, str] = field(default_factory=dict)
    first_run: str = ""

    def held(self) -> set[str]:
        return {
            r["file_name"] for r in self.warehouse.query("select file_name from core.delivery where verdict = 'held'")
        }

    def received(self) -> int:
        figure = self.warehouse.figure("received", unit="18373", period="2026-Q1", profile="TT01_06A")
        return (figure[0] or 0) if figure else 0

    def asked(self, run_id: str) -> dict[str, dict[str, Any]]:
        """File → its question that waits now."""
        found = {}
        for question in self.airflow.questions("held_files", run_id):
            (name,) = [name for name in HELD if name in question["subject"]]
            found[name] = question
        return found

    def decide(self, run_id: str, answers: dict[str, tuple[str, str, str]]) -> tuple[dict[str, str], dict[str, int]]:
        """Answer by file (who, option, reason) until the run has ended: its states, and the map index of each file.

        An answer within the second in which a question was asked may be lost by Airflow, which then asks again.
        """
        places: dict[str, int] = {}

        def answer() -> None:
            for name, question in self.asked(run_id).items():
                places[name] = question["task_instance"]["map_index"]
                self.airflow.answer(question, *answers[name])

        return self.airflow.ended("held_files", run_id, answer), places


@pytest.fixture(scope="module")
def stage(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A live Airflow, a warehouse, and a mailbox and webhook that listen."""
    with smtp() as box, http() as hook:
        overlay = channels.overlay(tmp_path_factory.mktemp("reference"), _every_channel(box.port, hook.url))
        (overlay / "sources.toml").write_text(PORTAL_DOWN, encoding="utf-8")
        with warehouses.fresh(overlay) as warehouse:
            variables = warehouse.environment() | {"TTHC_DROP": str(warehouse.drop(drop()))}
            with airflow(tmp_path_factory.mktemp("airflow"), variables, dags=2) as made:
                yield Stage(warehouses, warehouse, made, box, hook)


def _every_channel(port: int, url: str) -> str:
    ways = '{ channel = "mail", to = ["truc@tinh.vn"] }', '{ channel = "hook" }', '{ channel = "file" }'
    recipients = [
        f'[[recipient]]\nid = "{name}"\nchannels = [{way}]\nreport = true\n'
        for name, way in zip(("operations", "hooked", "filed"), ways, strict=True)
    ]
    mail = f'[[channel]]\nid = "mail"\nkind = "email"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "t@tinh.vn"\n'
    hook = f'[[channel]]\nid = "hook"\nkind = "webhook"\nurl = "{url}/hook"\n'
    return "\n".join([mail, hook, *recipients])


def test_a_night_with_held_and_rejected_files_and_a_portal_down_ends_well_and_is_told(stage: Stage) -> None:
    """None of them fails a task: they are incidents, and what a person must do is not in the run."""
    run_id = stage.airflow.trigger("load_exports", night=NIGHT)
    stage.night = stage.airflow.ended("load_exports", run_id)
    assert stage.night["run"] == stage.night["conclude"] == stage.night["publish"] == "success", stage.night
    assert set(stage.night.values()) == {"success", "skipped"}, stage.night
    assert (stage.night["cong_tat.receive"], stage.night["cong_tat.load"]) == ("success", "skipped")
    task = stage.airflow.ask("GET", f"dags/load_exports/dagRuns/{run_id}/taskInstances/cong_tat.receive")
    assert task["try_number"] == 3, "what may pass is tried again"
    assert stage.held() == set(HELD)
    assert stage.warehouse.value("select count(*) from core.delivery where verdict = 'rejected'") == 3
    rules = {row["rule_id"] for row in stage.warehouse.query("select rule_id from alerts.incident")}
    assert {"QUARANTINE_SHARE", "PORTAL_UNREACHABLE"} <= rules
    assert not {"STEP_FAILED", "STEP_KILLED"} & rules
    assert stage.warehouse.value("select max(night)::text from alerts.dispatch") == NIGHT
    assert len(stage.hook.digests()) == 1
    assert "QUARANTINE_SHARE" in stage.hook.digests()[0]["text"]


def test_named_persons_decide_and_warehouse_figures_and_task_states_say_the_same(stage: Stage) -> None:
    """One clerk releases a file, another refuses one; one is left for later, and one decision has no reason."""
    before = stage.received()
    run_id = stage.first_run = stage.airflow.trigger("held_files")
    until(lambda: len(stage.asked(run_id)) == len(HELD))
    asked = stage.asked(run_id)
    assert set(asked) == set(HELD)
    assert f"{GOOD_ROWS + BAD_ROWS} dòng, {BAD_ROWS} dòng bị cách ly" in asked[RELEASED]["body"]
    answers = {
        RELEASED: (LAN, RELEASE, "đã gọi điện cho xã"), REFUSED: (BINH, REFUSE, "xã gửi nhầm tệp"),
        LATE: (BINH, LATER, ""), UNREASONED: (LAN, REFUSE, " "),
    }  # fmt: skip
    states, of = stage.decide(run_id, answers)
    decided = {name: states[f"file.decide[{index}]"] for name, index in of.items()}
    assert decided == {RELEASED: "success", REFUSED: "success", LATE: "skipped", UNREASONED: "failed"}
    published = {name: states[f"file.publish[{index}]"] for name, index in of.items()}
    assert published[RELEASED] in {"success", "skipped"}  # skipped when the other's publication told of both
    assert published[LATE] == "skipped"
    assert published[UNREASONED] == "upstream_failed"
    assert states["run"] == "failed", "somebody must act on the run: a reason is missing"
    rows = stage.warehouse.query(
        "select file_name, verdict, decision, decided_by, decision.reason from core.decision "
        "join core.delivery using (delivery_id) order by file_name"
    )
    assert [tuple(row.values()) for row in rows] == [
        (RELEASED, "loaded_with_quarantine", "release", LAN, "đã gọi điện cho xã"),
        (REFUSED, "rejected", "refuse", BINH, "xã gửi nhầm tệp"),
    ]
    assert stage.held() == {LATE, UNREASONED}
    assert stage.received() == before + GOOD_ROWS


def test_airflow_s_callback_hints_the_dispatcher_when_a_run_failed(stage: Stage) -> None:
    until(lambda: stage.warehouse.value("select count(*) from alerts.dispatch where night is null"))
    texts = [body["text"] for body in stage.hook.digests()[1:]]
    assert any("đã gọi điện cho xã" in text and LAN in text for text in texts), texts


def test_the_decision_without_a_reason_is_asked_for_again_when_cleared(stage: Stage) -> None:
    """What the runbook tells to do: clear `ask` of that file with what follows it; the run ends well then."""
    failed = [name for name, state in stage.airflow.states("held_files", stage.first_run).items() if state == "failed"]
    (index,) = [int(re.findall(r"\d+", name)[0]) for name in failed]
    stage.airflow.ask(
        "POST",
        "dags/held_files/clearTaskInstances",
        dry_run=False,
        dag_run_id=stage.first_run,
        task_ids=[["file.ask", index]],
        include_downstream=True,
        only_failed=False,
        reset_dag_runs=True,
    )
    until(lambda: UNREASONED in stage.asked(stage.first_run))
    states, _ = stage.decide(stage.first_run, {UNREASONED: (LAN, REFUSE, "trùng với tệp khác")})
    assert states["run"] == "success", states
    assert stage.held() == {LATE}
    assert (
        stage.warehouse.value("select reason from core.decision order by decided_at desc limit 1")
        == "trùng với tệp khác"
    )


def test_what_was_left_for_later_is_asked_again_and_an_unanswered_question_decides_nothing(stage: Stage) -> None:
    """The 23 hours are over: Airflow's scheduler takes the default, and the file stays held."""
    run_id = stage.airflow.trigger("held_files")
    until(lambda: stage.asked(run_id))
    assert set(stage.asked(run_id)) == {LATE}
    stage.airflow.change(
        "update task_instance set trigger_timeout = '2026-01-01 00:00:00.000000' where run_id = ? and task_id = 'file.ask'",
        run_id,
    )
    states = stage.airflow.ended("held_files", run_id)
    assert states["run"] == "success", states
    assert states["file.decide[0]"] == states["file.publish[0]"] == "skipped"
    assert stage.held() == {LATE}
    again = stage.airflow.trigger("held_files")
    states, _ = stage.decide(again, {LATE: (BINH, RELEASE, "cả xã nghỉ lễ")})
    assert states["run"] == "success", states
    assert stage.held() == set()


def test_nothing_of_a_person_is_anywhere_outside_the_landing_store(stage: Stage, warm: Warm) -> None:
    """Airflow's database and logs, the warehouse, pages, workbooks, messages, data docs, and what commands print."""
    settings = stage.warehouse.settings
    pipeline.write_workbooks(settings)
    pipeline.notify(settings)
    sinks = dict(texts_below(stage.airflow.home))
    sinks |= dict(texts_below(settings.home, without=(settings.landing, *settings.home.glob("drop-*"))))
    sinks |= dict(
        texts_below(stage.warehouses.home / "postgres", without=[stage.warehouses.home / "postgres" / "data"])
    )
    sinks |= {f"airflow.{name}": text for name, text in sqlite_tables(stage.airflow.home / "airflow.db")}
    query = stage.warehouse.query
    sinks |= {
        f"warehouse.{name}": text for name, text in tables(lambda words: [tuple(r.values()) for r in query(words)])
    }
    sinks |= {f"mail {n}": f"{letter}\n{letter.get_content()}" for n, (_, letter, _) in enumerate(stage.box.letters)}
    sinks |= {f"hook {n}": json.dumps(call.body, ensure_ascii=False) for n, call in enumerate(stage.hook.calls)}
    sinks |= dict(_pages(stage, settings.home / "pages"))
    sinks |= dict(_commands(stage, warm))
    for name, word in {
        "airflow.xcom": "sha256", "airflow.hitl_detail": RELEASED, "airflow.rendered_task_instance_fields": "mot_cua_csv",
        "warehouse.alerts.message": "QUARANTINE_SHARE", "mail 0": "QUARANTINE_SHARE", "hook 0": "QUARANTINE_SHARE",
        "page /quality": RELEASED, "command files": RELEASED, "command quarantine": "UNKNOWN_STATUS",
    }.items():  # fmt: skip
        assert word in sinks[name], name
    for ending in (".xlsx!xl/worksheets/sheet1.xml", ".html", ".txt", ".log", "scheduler.log", "server.log"):
        assert any(name.endswith(ending) for name in sinks), ending
    assert leaks(sinks.items()) == set()
    landed = "\n".join(text for _, text in texts_below(settings.landing))
    assert persons(landed) >= {NAME, PHONE, *CODES[:23]}, "the search finds what is there"


def _pages(stage: Stage, folder: Path) -> Iterator[tuple[str, str]]:
    """Every page and every download that is linked from the first page, from link to link."""
    app, seen, waiting = create_app(stage.warehouse.settings), {"/"}, ["/"]
    while waiting:
        path = waiting.pop()
        answer = get(app, path)
        assert answer.status_code == 200, (path, answer.status_code)
        if "html" not in answer.headers["content-type"]:
            file = folder / re.sub(r"\W", "-", path)
            folder.mkdir(exist_ok=True)
            file.write_bytes(answer.content)
            yield from texts_below(folder)
            file.unlink()
            continue
        yield f"page {path}", answer.text
        links = {link.replace("&amp;", "&").partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', answer.text)}
        new = sorted(link for link in links - seen if len(seen) < 400)
        seen |= set(new)
        waiting += new


def _commands(stage: Stage, warm: Warm) -> Iterator[tuple[str, str]]:
    home, environment = stage.warehouse.settings.home, stage.warehouse.environment()
    for name, words in WORDS.items():
        command = warm.start(words, environment, home)
        assert command.wait() in {0, 1}, command.said()
        yield f"command {name}", command.out.read_text(encoding="utf-8") + command.said()
