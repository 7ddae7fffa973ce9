"""Bad nights as people hear of them: three of ten portals down for three nights, told once to each owner and never as a
storm; and the all-clear after the repair.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import pytest

import channels
import exports
import portals
from channels import Http, Mailbox, http, smtp
from test_web import get
from tthc import pipeline
from tthc.alerts.dispatch import Dispatched, dispatch
from tthc.serving.web import create_app
from tthc.simulation.portal import PortalSimulator
from warehouses import Warehouse, Warehouses

FIRST = date(2026, 3, 10)
DAWN = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)  # 01:30 on the 11th in Việt Nam: the end of the night of the 10th
COUNT, DOWN = 10, 3
PORTALS = [f"cong_{number}" for number in range(COUNT)]
UNITS = {"18373": "UBND xã Tiên Điền", "18352": "UBND xã Nghi Xuân"}
WEB = "http://127.0.0.1:8123"


@dataclass(slots=True)
class Stage:
    """A warehouse with ten portals, an owner each who reads mail, and one webhook that hears everything."""

    place: Warehouse
    box: Mailbox
    hook: Http
    simulator: PortalSimulator
    address: pytest.MonkeyPatch

    def serve(self, *down: str) -> None:
        """Where each portal is from now on; those that are down listen nowhere."""
        for name in PORTALS:
            url = "http://127.0.0.1:1" if name in down else self.simulator.url
            self.address.setenv(f"TTHC_PORTAL_{name.upper()}_URL", url)

    def night(self, days: int) -> None:
        """What a night does: fetch, load, publish, and its messages at its end."""
        with self.place.kept(), mock.patch.multiple(pipeline, init=mock.DEFAULT, notify=lambda *_: Dispatched(0, 0, 0)):
            pipeline.run_portals(self.place.settings, PORTALS, FIRST + timedelta(days=days))
        dispatch(self.place.settings, DAWN + timedelta(days=days), FIRST + timedelta(days=days))

    def letters(self) -> list[tuple[str, str]]:
        """(address, text) of every digest that came by mail."""
        return [
            (to[0], str(letter.get_content())) for to, letter, _ in self.box.letters if "sự cố" in letter["Subject"]
        ]


@pytest.fixture(scope="module")
def stage(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    data, overlay = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("overlay")
    for days in range(5):
        for place, name in enumerate(PORTALS):
            for unit, title in UNITS.items():
                folder = data / (FIRST + timedelta(days=days)).isoformat() / name
                folder.mkdir(parents=True, exist_ok=True)
                row = exports.dossier(f"H42.{place}-260105-{unit}", unit_name=title)
                (folder / f"{unit}.csv").write_bytes(exports.csv_list([row]))
    limits = ", ".join(f"{name} = {value}" for name, value in (portals.LIMITS | {"retries": 0}).items())
    (overlay / "sources.toml").write_text("".join(_source(name, limits) for name in PORTALS), encoding="utf-8")
    with smtp() as box, http() as hook, PortalSimulator(data) as simulator, pytest.MonkeyPatch.context() as address:
        channels.overlay(overlay, _owners(box.port, hook.url))
        with warehouses.fresh(overlay) as place:
            yield Stage(place, box, hook, simulator, address)


def _source(name: str, limits: str) -> str:
    return f"""
[[source]]
id = "{name}"
title = "Cổng {name} (dữ liệu tổng hợp)"
layouts = ["mot_cua_csv"]
[source.portal]
url = "http://127.0.0.1:1"
path = "/files/{name}/{{unit}}?night={{night}}"
units = {list(UNITS)}
file_name = "{{unit}}.csv"
networks = ["127.0.0.1/32"]
limits = {{ {limits} }}
"""


def _owners(port: int, url: str) -> str:
    owners = [
        f'[[recipient]]\nid = "chu_{name}"\nsources = ["{name}"]\nchannels = [{{ channel = "mail", to = ["{name}@tinh.vn"] }}]\n'
        for name in PORTALS
    ]
    mail = f'[[channel]]\nid = "mail"\nkind = "email"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "t@tinh.vn"\n'
    policy = f'web_url = "{WEB}"\nspread = {DOWN}'
    return channels.webhook(url, policy=policy, more="\n".join([mail, *owners]))


def test_three_of_ten_portals_down_for_three_nights_are_told_once_to_each_owner(stage: Stage) -> None:
    stage.serve(*PORTALS[:DOWN])
    for days in range(3):
        stage.night(days)
        assert Counter(to for to, _ in stage.letters()) == {f"{name}@tinh.vn": 1 for name in PORTALS[:DOWN]}
        assert len(stage.hook.digests()) == 1, "no storm, and no repeat before the interval"
    (digest,) = stage.hook.digests()
    lines = [line for line in digest["text"].split("\n") if "PORTAL_UNREACHABLE" in line]
    assert len(lines) == 1, "three portals with one fault are one line"
    assert all(name in digest["text"] for name in PORTALS[:DOWN])
    for to, text in stage.letters():
        assert [name for name in PORTALS if name in text] == [to.partition("@")[0]]
    loaded = stage.place.query("select source_id, count(*) as files from core.delivery group by 1")
    assert {row["source_id"]: row["files"] for row in loaded} == dict.fromkeys(PORTALS[DOWN:], 3 * len(UNITS))
    assert len(stage.hook.reports()) == 3, "the report comes every morning"


def test_the_repair_is_told_once_with_how_long_it_lasted(stage: Stage) -> None:
    stage.serve()
    stage.night(3)
    stage.night(4)
    assert Counter(to for to, _ in stage.letters()) == {f"{name}@tinh.vn": 2 for name in PORTALS[:DOWN]}
    assert len(stage.hook.digests()) == 2
    for text in (stage.hook.digests()[1]["text"], *(text for _, text in stage.letters()[DOWN:])):
        assert "Đã hết sau 3 đêm / over after 3 nights" in text, text
    assert stage.place.value("select count(*) from alerts.incident where state <> 'resolved'") == 0
    assert stage.place.value("select count(*) from alerts.outbox where sent_at is null and withdrawn_at is null") == 0


def test_every_link_of_a_message_opens_and_shows_what_it_tells_of(stage: Stage) -> None:
    app = create_app(stage.place.settings)
    texts = [text for _, text in stage.letters()] + [
        call["text"] for call in stage.hook.digests() + stage.hook.reports()
    ]
    links = {link for text in texts for link in re.findall(r"https?://\S+", text)}
    assert links
    assert all(link.startswith(WEB + "/") for link in links)
    for link in links:
        answer = get(app, link.removeprefix(WEB))
        assert answer.status_code == 200, link
        assert "PORTAL_UNREACHABLE" in answer.text, link
