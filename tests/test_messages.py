"""How messages leave: over real SMTP and HTTP servers on this machine that refuse, hang, lie and kill the sender.

The numbers A05 to A22 are those of the list of alert guarantees the tests were written for.
"""

from __future__ import annotations

import re
import ssl
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme
from hypothesis import example, given, settings
from hypothesis import strategies as st

import channels
from channels import Http, http, smtp, webhook
from exports import csv_list, dossier
from loader import Warm
from tthc import pipeline
from tthc.alerts import wording
from tthc.alerts.dispatch import TRIES_BEFORE_NEXT, Dispatched, check_channels, dispatch
from tthc.alerts.incidents import Failure, record
from tthc.alerts.letter import Letter
from tthc.alerts.send_email import Email
from tthc.domain.errors import Misconfigured, ReferenceFault
from tthc.reference.channels import Channel
from tthc.warehouse.connect import transaction
from warehouses import Warehouse, Warehouses

NIGHT = date(2026, 3, 10)
DAWN = datetime(2026, 3, 10, 18, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def hook() -> Iterator[Http]:
    with http() as made:
        yield made


@pytest.fixture
def place(warehouses: Warehouses, hook: Http, tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse whose messages go to the webhook."""
    with warehouses.fresh(channels.overlay(tmp_path, webhook(hook.url))) as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, path


def fail(place: Warehouse, *rules: str, now: datetime = DAWN, night: date = NIGHT, detail: str = "lý do") -> None:
    with transaction(place.settings) as connection:
        failures = [
            Failure(
                rule_id=rule,
                source_id="mot_cua_csv",
                severity="error",
                night=night,
                subject=f"{rule}: 1",
                detail=detail,
            )
            for rule in rules
        ]
        record(connection, failures, now)


def send(place: Warehouse, later: timedelta = timedelta()) -> Dispatched:
    return dispatch(place.settings, DAWN + later)


# At least once on the wire, once in the ledger.


def test_killed_between_check_and_commit_leaves_nothing_and_the_rerun_one_incident(
    place: Warehouse, warm: Warm, hook: Http
) -> None:
    """A05: the load waits for a lock on the outbox when it is killed: its failure is recorded, but not committed."""
    drop = place.drop({"mot_cua_csv/a.csv": csv_list([dossier("H42-260105-0001", due_at="01/01/2026")])})
    arguments = ["load", "--drop", str(drop), "--as-of", NIGHT.isoformat()]
    engine = sa.create_engine(place.url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.begin() as holder:
        holder.execute(sa.text("lock table alerts.outbox in exclusive mode"))
        command = warm.start(arguments, place.environment(), place.settings.home)
        waiting = sa.text("select count(*) from pg_locks where not granted and relation = 'alerts.outbox'::regclass")
        while not holder.execute(waiting).scalar():
            assert command.pid
        command.kill()
    assert place.value("select count(*) from alerts.incident") == 0
    assert place.value("select count(*) from core.delivery") == 0
    for _ in range(2):
        assert warm.start(arguments, place.environment(), place.settings.home).wait() == 0
    assert place.value("select count(*) from alerts.incident") == 1
    assert len(hook.digests()) == 1


def test_killed_between_sending_and_marking_sends_again_under_the_same_key(
    place: Warehouse, warm: Warm, hook: Http
) -> None:
    """A06: the receiver kills the sender after it has the message."""
    moment = datetime.now(UTC)  # the command takes none: it sends now
    fail(place, "DATE_ORDER", now=moment, night=moment.date())
    hook.answer = "kill"
    command = warm.start(["messages", "send"], place.environment(), place.settings.home)
    hook.victim = command.pid
    assert command.wait() == -9
    assert place.value("select count(*) from alerts.message where sent_at is not null") == 0
    hook.answer = 200
    for _ in range(2):
        assert warm.start(["messages", "send"], place.environment(), place.settings.home).wait() == 0
    digests = [call for call in hook.calls if call.body["kind"] == "digest"]
    assert [call.body["key"] for call in digests] == [digests[0].key] * 2
    assert place.value("select count(*) from alerts.message where kind = 'digest'") == 1


def test_after_hours_without_a_dispatcher_all_leaves_in_order(place: Warehouse, hook: Http) -> None:
    """A07: composed one by one while the channel is down, delivered by the first pass that reaches it."""
    hook.answer = 500
    rules = [f"RULE_{number}" for number in range(6)]
    for number, rule in enumerate(rules):
        fail(place, rule, now=DAWN + number * HOUR)
        send(place, number * HOUR)
    hook.calls.clear()
    hook.answer = 200
    told = send(place, 30 * HOUR)
    assert not told.waiting
    order = [rule for body in hook.digests() for rule in rules if f" {rule}: " in body["text"]]
    assert order == rules
    send(place, 31 * HOUR)
    assert len([body for body in hook.digests() if "RULE_" in body["text"]]) == len(rules)


def test_two_dispatchers_at_once_send_each_message_once(place: Warehouse, hook: Http) -> None:
    from concurrent.futures import ThreadPoolExecutor

    fail(place, "DATE_ORDER")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: send(place), range(4)))
    assert len(hook.digests()) == 1


# Channels that fail.


@pytest.mark.parametrize("fault", [500, 302, 404, "hang"])
def test_a_failing_channel_is_tried_again_then_the_second_is_taken_and_the_run_says_so(
    warehouses: Warehouses, hook: Http, tmp_path: Path, fault: int | str
) -> None:
    """A08: and the failure is an incident itself, which ends when the channel works again."""
    with http() as second:
        more = f'[[channel]]\nid = "second"\nkind = "webhook"\nurl = "{second.url}"\n'
        ways = '[{ channel = "hook" }, { channel = "second" }]'
        text = webhook(hook.url, more=more, channels=ways).replace("timeout_seconds = 20", "timeout_seconds = 0.3")
        with warehouses.fresh(channels.overlay(tmp_path, text)) as place:
            fail(place, "DATE_ORDER")
            hook.answer = fault
            first = send(place)
            assert first.degraded
            assert "degraded" in str(first)
            pause = place.value("select next_try_at from alerts.message where kind = 'digest'") - DAWN
            assert timedelta(seconds=45) <= pause <= timedelta(seconds=75)
            assert send(place, timedelta(seconds=30)).failed == 0, "not before its time"
            passes = 1
            while not any("DATE_ORDER" in body["text"] for body in second.digests()):
                passes += 1
                send(place, passes * 5 * timedelta(minutes=1))
                assert passes <= TRIES_BEFORE_NEXT
            assert passes == TRIES_BEFORE_NEXT
            (incident,) = place.query("select state, source_id from alerts.incident where rule_id = 'CHANNEL_FAILED'")
            assert incident == {"state": "open", "source_id": "channel:hook"}
            assert place.value("select state from alerts.incident where rule_id = 'DATE_ORDER'") == "open"
            hook.answer = 200
            fail(place, "DATE_RANGE")
            for later in range(2, 6):
                send(place, later * HOUR)
            state = "select state from alerts.incident where rule_id = 'CHANNEL_FAILED'"
            assert place.value(state) == "resolved"
            assert place.value("select count(*) from alerts.message where sent_at is null") == 0


def test_a_failing_channel_hides_no_data_failure(place: Warehouse, hook: Http) -> None:
    """A08: the outcome of the run is that of its data."""
    hook.answer = 500
    outcome = place.load(NIGHT, {"mot_cua_csv/a.csv": b"Kh\xc3\xb4ng c\xc3\xb3 g\xc3\xac\n1\n"})
    assert outcome.needs_a_person
    assert any("degraded" in line for line in place.said)
    assert place.value("select count(*) from alerts.incident where rule_id = 'HEADER'") == 1


BROKEN = {
    "a secret that is not set": ('kind = "webhook"\nurl = "env:TTHC_NOT_SET"', "TTHC_NOT_SET"),
    "a secret in the file": ('kind = "email"\nhost = "127.0.0.1"\nsender = "a@b.vn"\npassword = "x"', "env:NAME"),
    "mail over the network in the open": (
        'kind = "email"\nhost = "mail.vn"\nsender = "a@b.vn"\nsecurity = "none"',
        "none",
    ),
    "a password that mail cannot carry": (
        'kind = "email"\nhost = "m.vn"\nsender = "a@b.vn"\npassword = "env:TTHC_WRONG_PASSWORD"',
        "ASCII",
    ),
    "no sender": ('kind = "email"\nhost = "127.0.0.1"', "sender"),
    "a certificate that is not there": ('kind = "email"\nhost = "m.vn"\nsender = "a@b.vn"\nca_file = "/no"', "ca_file"),
    "http over the network": ('kind = "webhook"\nurl = "http://example.vn/"', "https"),
    "no address": ('kind = "webhook"', "https"),
    "an address that is none": ('kind = "webhook"\nurl = "https://[::"', "https"),
    "a service Apprise does not know": ('kind = "apprise"\nurl = "nosuchservice://secret-token"', "Apprise"),
    "an empty url for Apprise": ('kind = "apprise"', "Apprise"),
    "no token": ('kind = "telegram"', "token"),
    "an unknown kind": ('kind = "pigeon"', "kind"),
    "a misspelt setting": ('kind = "console"\nlimits = 3', "limits"),
    "a limit in words": ('kind = "console"\nlimit = "long"', "limit"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_could_never_send_stops_at_the_start(
    warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A09: closed, and without a word of the secret."""
    monkeypatch.setenv("TTHC_WRONG_PASSWORD", "mật khẩu")
    text, words = BROKEN[name]
    overlay = channels.overlay(tmp_path, f'[[channel]]\nid = "broken"\n{text}\n')
    with pytest.raises(Misconfigured, match=re.escape(words)) as told, warehouses.fresh(overlay):
        pass
    assert "secret-token" not in str(told.value)


NOBODY = {
    "nobody takes everything": 'channels = [{ channel = "file" }]\nreport = true\nunits = ["18373"]',
    "nobody takes warnings": 'channels = [{ channel = "file" }]\nreport = true\nleast_severity = "error"',
    "nobody takes the report": 'channels = [{ channel = "file" }]',
    "no channel": "report = true",
    "an unknown channel": 'channels = [{ channel = "none" }]\nreport = true',
}


@pytest.mark.parametrize("name", NOBODY)
def test_an_incident_that_could_find_nobody_stops_at_the_start(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    from dataclasses import replace

    overlay = channels.overlay(tmp_path, f'[[recipient]]\nid = "operations"\n{NOBODY[name]}\n')
    with pytest.raises(ReferenceFault):
        check_channels(replace(warehouse.settings, reference_overlay=overlay))


# The channels themselves.


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
def test_mail_goes_encrypted_and_signed_in_and_says_it_all_in_vietnamese(
    warehouses: Warehouses,
    tmp_path: Path,
    authority: tuple[trustme.CA, Path],
    monkeypatch: pytest.MonkeyPatch,
    implicit: bool,
) -> None:
    ca, ca_file = authority
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    monkeypatch.setenv("TTHC_SMTP_PASSWORD", "mat khau thu")
    login = ("tthc", "mat khau thu")
    with (
        smtp(context, implicit=implicit, login=login) as box,
        warehouses.fresh(channels.overlay(tmp_path, mail(box.port, ca_file, implicit))) as place,
    ):
        fail(place, "DATE_ORDER", detail="Cột «Hẹn trả»: ngày hẹn trả trước ngày tiếp nhận")
        assert not send(place).degraded
        ((to, letter, encrypted),) = box.letters
        assert encrypted
        assert to == ["mot-cua@xa.vn", "truc@tinh.vn"]
        key = place.value("select message_key from alerts.message")
        assert letter["Message-ID"] == f"<{key}@tinh.vn>"
        assert "1 sự cố mới" in letter["Subject"]
        text = letter.get_content()
        assert "ngày hẹn trả trước ngày tiếp nhận" in text
        assert "11/03/2026 01:30 (giờ Việt Nam, 2026-03-10 18:30 UTC)" in text, "A20"


WORDS = st.text(
    st.sampled_from("aăệữĐ01,:/[]=?_😀") | st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1
)


def test_a_subject_arrives_as_it_was_written() -> None:
    """No space is lost where it is folded, and no line or encoded word is longer than RFC 2047 allows."""
    with smtp() as box:
        sender = Email(Channel(id="m", kind="email", host="127.0.0.1", port=box.port, sender="a@b.vn", security="none"))

        @settings(max_examples=60, deadline=None)
        @example("tthc, đêm 30/06/2026: 0 sự cố mới, 1 đã hết / 0 new, 1 over, 2 tệp đã quyết định / 2 decided")
        @given(st.lists(WORDS, min_size=1, max_size=30).map(" ".join).filter(lambda text: len(text) <= 200))
        def arrives(subject: str) -> None:
            sender.send(letter_about(subject))
            _, letter, _ = box.letters.pop()
            assert letter["Subject"] == subject
            (lines,) = re.findall(rb"^Subject: .*(?:\r\n .*)*", box.raw.pop(), re.MULTILINE)
            assert max(map(len, lines.splitlines())) <= 76
            assert max(map(len, re.findall(rb"=\?\S*\?=", lines))) <= 75
            assert letter.get_content().strip() == "Chữ"

        arrives()


def letter_about(subject: str) -> Letter:
    return Letter(
        key="k", number=1, to=("a@b.vn",), kind="digest", severity="error", night=NIGHT, subject=subject,
        text="Chữ", made_at=DAWN,
    )  # fmt: skip


def mail(port: int, ca_file: Path | str, implicit: bool = False, *, security: str = "") -> str:
    return f"""
[[channel]]
id = "mail"
kind = "email"
host = "127.0.0.1"
port = {port}
security = "{security or ("tls" if implicit else "starttls")}"
ca_file = "{ca_file}"
sender = "tthc@tinh.vn"
user = "{"" if security == "none" else "tthc"}"
password = "{"" if security == "none" else "env:TTHC_SMTP_PASSWORD"}"
timeout_seconds = 20

[[recipient]]
id = "operations"
channels = [{{ channel = "mail", to = ["mot-cua@xa.vn", "truc@tinh.vn"] }}]
report = true
"""


def test_mail_to_a_server_nobody_vouches_for_is_not_sent(
    warehouses: Warehouses, tmp_path: Path, authority: tuple[trustme.CA, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    monkeypatch.setenv("TTHC_SMTP_PASSWORD", "mat khau thu")
    with smtp(context) as box, warehouses.fresh(channels.overlay(tmp_path, mail(box.port, authority[1]))) as place:
        fail(place, "DATE_ORDER")
        assert send(place).failed == 1
        assert box.letters == []
        words = place.value("select last_error from alerts.message")
        assert words == "mail: SSLCertVerificationError"
        assert "mat khau" not in words


def test_one_refused_address_keeps_the_others_letter(warehouses: Warehouses, tmp_path: Path) -> None:
    with smtp() as box, warehouses.fresh(channels.overlay(tmp_path, mail(box.port, "", security="none"))) as place:
        box.refuse = lambda address: address.startswith("truc")
        fail(place, "DATE_ORDER")
        assert send(place).sent == 1
        assert place.value("select last_error from alerts.message") == "1 of 2 addresses were refused"
        box.refuse = lambda _: True
        fail(place, "DATE_RANGE")
        assert send(place).failed == 1
        assert len(box.letters) == 1


def test_telegram_is_believed_only_when_it_says_ok(
    warehouses: Warehouses, hook: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A18: 4,096 UTF-16 units and no half letter; the token is in no error."""
    monkeypatch.setenv("TTHC_TELEGRAM_TOKEN", "123:token-of-tests")
    text = f"""
[[channel]]
id = "chat"
kind = "telegram"
api = "{hook.url}"
token = "env:TTHC_TELEGRAM_TOKEN"

[[recipient]]
id = "operations"
channels = [{{ channel = "chat", to = ["-100"] }}]
report = true
"""
    with warehouses.fresh(channels.overlay(tmp_path, text)) as place:
        fail(place, *(f"RULE_{number}" for number in range(40)), detail="Xã Tiên Điền 😀 " * 60)
        hook.reply = b'{"ok": false}'
        assert send(place).failed == 1
        hook.reply = b'{"ok": true}'
        assert send(place, HOUR).sent >= 1
        first, again = hook.calls[0], hook.calls[1]
        assert first.path == "/bot123:token-of-tests/sendMessage"
        assert first.raw == again.raw
        sent = again.body["text"]
        assert len(sent.encode("utf-16-le")) // 2 <= 4096
        assert "dòng nữa" in sent
        assert sent.endswith("tthc incidents show ID"), "what to do next survives the cut"
        hook.answer = 500
        fail(place, "DATE_ORDER")
        send(place, 2 * HOUR)
        assert "token-of-tests" not in str(place.query("select * from alerts.message"))


def test_apprise_is_believed_only_when_it_delivered(warehouses: Warehouses, hook: Http, tmp_path: Path) -> None:
    """A09: its answer, not its silence."""
    url = hook.url.replace("http://", "json://")
    text = f"""
[[channel]]
id = "any"
kind = "apprise"
url = "{url}/nhan"

[[recipient]]
id = "operations"
channels = [{{ channel = "any" }}]
report = true
"""
    with warehouses.fresh(channels.overlay(tmp_path, text)) as place:
        fail(place, "DATE_ORDER")
        hook.answer = 500
        assert send(place).failed == 1
        hook.answer = 200
        assert send(place, HOUR).sent >= 1
        body = hook.calls[-1].body if "DATE_ORDER" in hook.calls[-1].body["message"] else hook.calls[-2].body
        assert "1 sự cố mới" in body["title"]


# What a message says.


def test_links_lead_to_the_pages(warehouses: Warehouses, hook: Http, tmp_path: Path) -> None:
    text = webhook(hook.url, policy='web_url = "https://tthc.example.vn/"')
    with warehouses.fresh(channels.overlay(tmp_path, text)) as place:
        fail(place, "DATE_ORDER")
        dispatch(place.settings, DAWN, NIGHT)
        for body in (*hook.digests(), *hook.reports()):
            assert "https://tthc.example.vn/quality" in body["text"].split()


LETTERS = st.text(alphabet="aăâệữĐđ \n.\u0301\u0323e😀👩‍👧", max_size=120)


@settings(max_examples=200, deadline=None)
@given(LETTERS, st.integers(0, 60), st.sampled_from(["characters", "bytes", "utf16"]))
def test_a_text_is_cut_between_letters_and_never_within_one(text: str, limit: int, measure: str) -> None:
    """A18."""
    length = {"characters": len, "bytes": lambda t: len(t.encode()), "utf16": lambda t: len(t.encode("utf-16-le")) // 2}
    cut = wording.fit(text, limit, measure)
    assert length[measure](cut) <= limit
    if cut != text and cut:
        kept = cut.removesuffix(" …")
        assert text.startswith(kept)
        rest = text[len(kept) :].lstrip()
        if kept and not text[len(kept) :][:1].isspace():
            assert not unicodedata.combining(rest[:1] or "x")
            assert rest[:1] != "\u200d"
            assert kept[-1] != "\u200d"


CANARY = ["NGƯỜI GIẢ CHIM HOÀNG YẾN", "042199912345", "0912345678", "H42.9-260105-7777", "canary@example.vn"]


def test_no_value_of_a_person_leaves_by_any_message(place: Warehouse, hook: Http) -> None:
    """A19: in good rows, refused rows, unlisted columns, rejected files and the names of files."""
    name, paper, phone, code, _ = CANARY
    personal = {"Chủ hồ sơ": name, "Số CCCD": paper, "Số điện thoại": phone}
    rows = [
        dossier(code, due_at="01/01/2026", **personal),
        dossier(code, status="không rõ " + name, **personal),
        dossier(code + "1", unit_name=name, received_at=paper, **personal),
    ]
    listed = csv_list(rows)
    unlisted = csv_list(rows).replace("Hình thức nộp".encode(), "Cột lạ".encode())
    files = {
        f"mot_cua_csv/{paper}.csv": listed,
        f"mot_cua_csv/ho so {code}.csv": unlisted,
        f"mot_cua_csv/{phone}-b.csv": f"{name},{paper}\n{phone},{code}\n".encode(),
        f"dvcqg_json/{paper}-{phone}.json": f'[{{"MaHoSo": "{code}", "ChuHoSo": "{name}"}}]'.encode(),
    }
    place.load(NIGHT, files)
    assert hook.digests()
    assert hook.reports()
    for call in hook.calls:
        found = call.raw.decode("unicode-escape", errors="replace") + str(call.body) + str(call.headers)
        assert [marker for marker in CANARY if marker in found] == []
    kept = str(place.query("select body, subject from alerts.message"))
    assert [marker for marker in CANARY if marker in kept] == []


# The morning report.


def test_the_report_comes_every_day_and_its_sums_hold(place: Warehouse, hook: Http) -> None:
    """A22: expected = received + missing; files = loaded + held + rejected. Also when all is well, once a night."""
    good = [dossier("H42-260105-0001"), dossier("H42-260105-0002", unit_name="UBND xã Cổ Đạm")]
    place.load(NIGHT, {"mot_cua_csv/a.csv": csv_list(good), "mot_cua_csv/b.csv": b"khong,co\n1,2\n"})
    place.load(NIGHT + timedelta(days=1), {"mot_cua_csv/a.csv": csv_list(good[:1])})
    place.load(NIGHT + timedelta(days=2), {})
    reports = hook.reports()
    assert [report["night"] for report in reports] == [str(NIGHT + timedelta(days=days)) for days in range(3)]
    seen = []
    for report in reports:
        units = re.search(r"units: (\d+) .*expected, (\d+) .*received, (\d+) ", report["text"])
        files = re.search(r"files: (\d+) .*received, (\d+) .*loaded, (\d+) .*held, (\d+) ", report["text"])
        assert units
        assert files
        expected, received, missing = map(int, units.groups())
        delivered, loaded, held, rejected = map(int, files.groups())
        assert expected == received + missing
        assert delivered == loaded + held + rejected
        seen.append((expected, received, missing, delivered, rejected))
    assert seen == [(2, 2, 0, 2, 1), (2, 1, 1, 1, 0), (2, 0, 2, 0, 0)]
    pipeline.notify(place.settings, NIGHT)
    assert len(hook.reports()) == 3


def test_without_a_run_the_dispatcher_reports_in_the_morning(place: Warehouse, hook: Http) -> None:
    send(place, timedelta(hours=4))  # 05:30
    assert hook.reports() == []
    for later in (7, 8, 9):
        send(place, later * HOUR)
    (report,) = hook.reports()
    assert report["night"] == str(NIGHT)
