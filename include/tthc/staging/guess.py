"""What the headings and cells of a file nobody knows may mean: columns, forms of days, who is told of."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from tthc.domain.text import fold
from tthc.reference.layout import Column, Layout
from tthc.staging.columns import in_english
from tthc.staging.drift import SAMPLE, Suggestion, has_form, suggest
from tthc.staging.grid import REAL_DATE

# Of two forms that read every cell, such as 05/03/2026 as 5 March and May 3, the first one counts.
DATE_FORMATS = (
    *(f"{day}{time}" for day in ("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d")
      for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H.%M", " %Hh%M", " %H:%M:%S.%f")),
    *(f"%Y-%m-%d{between}{time}" for between in (" ", "T")
      for time in ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M%z", "%H:%M:%S%z", "%H:%M:%S.%f%z")),
    "%Y-%m-%d", "%Y%m%d", "%Y%m%d%H%M%S", "%d/%m/%y", "%H:%M %d/%m/%Y", "%H:%M:%S %d/%m/%Y", "%Hh%M %d/%m/%Y",
    "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %b %Y %H:%M", "%b %d, %Y", "%B %d, %Y", "%d %B %Y",
)  # fmt: skip
COUNTED = {"epoch": r"1\d{9}", "epoch_ms": r"1\d{12}"}
_ALL_FORMS = (*DATE_FORMATS, *COUNTED)
# Names of months that strptime does not know, from January on.
_MONTHS = (
    tuple(f"thg{month}" for month in range(1, 13)),
    tuple(f"thg {month}" for month in range(1, 13)),
    ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    ("jan", "feb", "mär", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"),
    ("janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc"),
    ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
)
# Headings of registers and of portals outside of Việt Nam, for what our own layouts call otherwise.
SYNONYMS = {
    "dossier_code": ("số hồ sơ", "mã số hồ sơ", "số biên nhận", "mã biên nhận", "số phiếu",
                     "ma ho so", "so ho so", "so bien nhan", "zaaknummer",
                     "case id", "case concept name", "caseid", "request id", "service request id", "sr number",
                     "service request number", "permit number", "permit num", "permit#", "application number",
                     "reference", "uid", "unique key", "case enquiry id", "file number", "case number",
                     "record number"),
    "received_at": ("ngày nhận", "ngày nhận hồ sơ", "nhận hồ sơ", "thời điểm tiếp nhận", "thời gian tiếp nhận",
                    "ngay tiep nhan", "ngay nhan", "accepted date", "startdatum", "datum ontvangst", "open timestamp",
                     "created date", "open dt", "open date", "opened", "received date", "filed date", "start date",
                    "startdate", "date received", "application date", "applied date", "application start date",
                    "requested datetime", "date valid", "valid date", "creation date", "submitted date",
                    "date created"),
    "due_at": ("ngày hẹn", "hẹn trả", "ngày hẹn trả kết quả", "hạn xử lý", "thời điểm hẹn trả", "hạn giải quyết",
               "ngay hen tra", "ngay hen", "appointment date", "streefdatum", "einddatum gepland",
                     "due date", "target date", "target dt", "sla target dt", "target close date", "deadline",
               "enddate planned", "end date planned", "expected datetime", "target decision date", "sla due date"),
    "finished_at": ("ngày xong", "ngày có kết quả", "ngày hoàn thành", "có kết quả", "ngày kết thúc",
                    "ngay ket thuc", "ngay ket thuc xu ly", "einddatum", "closed datetime", "closed timestamp",
                     "closed date", "close date", "closed dt", "completed date", "decision date", "decided date",
                    "enddate", "end date", "closed", "resolution date", "issued date", "issue date", "date issued"),
    "returned_at": ("thời điểm trả kết quả", "ngay tra", "ngay tra ket qua"),
    "status": ("tình trạng", "tình trạng hồ sơ", "tình trạng xử lý", "trang thai", "trang thai ho so",
                     "status", "case status", "current status", "status current", "status description", "app state",
               "application status", "permit status", "sr status", "decision"),
    "channel": ("hình thức tiếp nhận", "kênh tiếp nhận", "kênh", "nguồn tiếp nhận", "hình thức nhận",
                "hinh thuc nop",
                     "source", "channel", "origin", "open data channel type", "method received", "report source",
                "interface used", "request source"),
    "unit_name": ("nơi tiếp nhận", "nơi nhận", "cơ quan giải quyết", "cơ quan tiếp nhận", "đơn vị giải quyết",
                  "tên đơn vị", "ten don vi", "don vi xu ly", "agency responsible", "gemeente",
                     "agency name", "agency", "department", "municipality", "owner department", "responsible agency",
                  "area name", "assigned department"),
    "field_name": ("linh vuc", "ten linh vuc",
                   "complaint type", "request type", "category", "type", "service name", "application type",
                   "permit type", "app type", "case type"),
    "fee_amount": ("phí", "lệ phí", "sumleges", "leges",
                     "fee", "fee paid", "amount", "total fees", "total fee"),
    "row_at": ("time timestamp", "complete timestamp", "timestamp"),
}  # fmt: skip
_ACTIVITY = ("activity", "concept name", "event", "event name", "activity name", "tên bước", "bước xử lý", "hành động")
_PERSONAL = re.compile(
    r"họ (?:và )?tên|người (?:nộp|yêu cầu|liên hệ|xử lý|tiếp nhận)|chủ hồ sơ|cá nhân|cán bộ|chuyên viên|số giấy tờ"
    r"|cccd|cmnd|điện thoại|sđt|địa chỉ|trích yếu|e-?mail|ngày sinh|name of|fullname|identity"
    r"|contractor|builder|architect|owner(?! department)"
    r"|nguoi (?:nop|yeu cau|xu ly|tiep nhan)|chu ho so|ho ten|dia chi|dien thoai|can bo|cccd"
    r"|(?:first|last|full|owner|applicant|contact|street|company)\b.*\bname|applicant|address|phone|resource|responsible"
    r"|contact|birth|latitude|longitude|\blat\b|\blon\b|location|coordinate|photo"
    r"|description|detail|comment|closure reason|ghi chú|nội dung"
)
_OFFICE = re.compile(r"responsible (?:agency|department|unit)|(?:agency|department|unit) responsible")
# The days that databases and spreadsheets write for none.
_NO_DAY = re.compile(r"(?<!\d)(?:0001|9999)(?!\d)|^(?:1900[-/]0?1[-/]0?1|0?1[-/.]0?1[-/.]1900)(?!\d)")
_TIME = re.compile(r"date|time|\bdt\b|\bat\b|ngày|ngay|giờ|thời|opened|closed|created|updated|submitted|\bon\b")
_GENERIC = {
    "type",
    "source",
    "id",
    "code",
    "amount",
    "fee",
    "closed",
    "opened",
    "category",
    "channel",
    "event",
    "agency",
}
# What words say nearly everywhere; a person reads each of them.
_SAID = {
    "status": {
        "9": "closed|close|complete|completed|issued|permit issued|final|finaled|resolved|granted|đã có kết quả"
             "|đã giải quyết|đã hoàn thành|hoàn thành|đã xong|xong",
        "4": "open|in progress|in process|pending|under review|in review|đang giải quyết|chưa giải quyết"
             "|đang thực hiện",
        "5": "chờ bổ sung|bổ sung|yêu cầu bổ sung",
        "7": "withdrawn|cancelled|canceled|void|rút hồ sơ|đã rút",
        "10": "đã trả|đã trả kết quả",
    },
    "channel": {
        "1": "call|phone|walk in|walk-in|in person|counter|desk|trực tiếp|tại quầy|một cửa|nộp trực tiếp",
        "2": "online|online web|web|internet|website|mobile app|mobile|app|self service|e-mail|email|trực tuyến"
             "|qua mạng|nộp trực tuyến|cổng dvc|cổng dvcqg",
        "3": "mail|post|letter|bưu chính|bưu điện|bcci|bưu chính công ích|qua bưu điện",
    },
}  # fmt: skip
SAID = {name: {word: code for code, words in said.items() for word in words.split("|")} for name, said in _SAID.items()}
_LIKELY = 0.82
_LONG_WORDS = 9  # letters from which on "permitissuedate" holds "issue date"
_LONGEST = 40  # text of a day
_MOST_WORDS_AMONG = 8  # days
_MOST_WORDS = 40  # of a column of words


def named(heading: str) -> str:
    """A heading as words: "StatusCurrent", "status_current" and "(case) status.current" are alike."""
    apart = re.sub(r"(?<=[a-zà-öø-ÿ])(?=[A-Z])", " ", heading.removeprefix("(case)"))
    return " ".join(fold(re.sub(r"[_:.()|]+", " ", apart)).split())


def tells_of_a_person(heading: str) -> bool:
    """Whether a heading sounds as if a person, a place or free text stood below it."""
    return _PERSONAL.search(_OFFICE.sub("", named(heading))) is not None


def guess(
    cells: Mapping[str, Sequence[str]], known: Mapping[str, tuple[str, ...]], form: Layout
) -> dict[str, Suggestion]:
    """Heading → what it most likely is; each heading and each column once.

    `cells`: the filled cells of every heading; `known`: what each column is called anywhere.
    """
    columns = tuple(Column(name=name, headings=tuple(map(named, headings))) for name, headings in known.items())
    layout = replace(form, columns=columns, date_formats=tuple(forms_of_columns(cells)))
    back = {named(heading): heading for heading in cells if not tells_of_a_person(heading)}
    told = {words: cells[heading] for words, heading in back.items()}
    guessed: dict[str, Suggestion] = {}
    taken: set[str] = set()
    found = suggest(told, list(known), layout, _alike)
    of_cases = any(heading.startswith("case:") for heading in cells)  # beside what is of an event

    def rank(one: Suggestion) -> tuple[float, ...]:
        of_event = of_cases and one.column != "row_at" and not back[one.heading].startswith("case:")
        return (not told[one.heading], of_event, -one.likeness, -one.score)

    ranked = sorted(found, key=rank)
    for one in ranked:
        heading = back[one.heading]
        if one.likeness < _LIKELY or one.fits == 0 or one.column in taken or heading in guessed:
            continue
        if one.column == "status" and not _are_words(cells[heading]):
            continue
        guessed[heading] = replace(one, heading=heading)
        taken.add(one.column)
    return guessed


_TERM = re.compile(r"0*\d+ (?:ngày(?: làm việc)?|(?:business|working|calendar)? ?days?)", re.IGNORECASE)


def term_of(cells: Mapping[str, Sequence[str]]) -> str | None:
    """The heading of a term told as a number of days, "05 ngày làm việc"."""
    tidy = {heading: [" ".join(text.split()) for text in texts] for heading, texts in cells.items()}
    return next((heading for heading, texts in tidy.items() if texts and all(map(_TERM.fullmatch, texts))), None)


def activity_of(headings: Iterable[str]) -> str | None:
    """The heading of what happened, in a log of events."""
    return next((heading for heading in headings if named(heading) in _ACTIVITY), None)


def code_of(cells: Mapping[str, Sequence[str]], taken: Iterable[str], rows: int) -> str | None:
    """The first heading with a cell in every row, no days and no two alike, where no name says which column is the
    code."""
    free = [heading for heading in cells if heading not in set(taken) and not tells_of_a_person(heading)]
    free = [heading for heading in free if not is_of_days(heading, cells[heading])]
    return next((heading for heading in free if rows > 1 and len(set(cells[heading])) == rows), None)


def _alike(heading: str, known: str) -> float:
    ratio = difflib.SequenceMatcher(None, heading, known).ratio()
    whole, part = heading.replace(" ", ""), known.replace(" ", "")
    if part in whole and len(part) >= _LONG_WORDS:
        ratio = max(ratio, 1.0 if part == whole else 0.75 + 0.2 * len(part) / len(whole))
    mine, theirs = set(heading.split()), set(known.split())
    if theirs <= mine and not theirs <= _GENERIC:
        ratio = max(ratio, 0.75 + 0.2 * len(theirs) / len(mine))
    return ratio


def _are_words(texts: Sequence[str]) -> bool:
    words = {fold(text) for text in texts}
    return 0 < len(words) <= _MOST_WORDS and max(map(len, words)) <= 80


def month_names_of(cells: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names of months under which columns hold days that hold none without them; () where there are none."""
    silent = {heading: texts[:SAMPLE] for heading, texts in cells.items() if texts and not forms_of(texts[:SAMPLE])}
    for names in _MONTHS:
        if any(forms_of(in_english(texts, names)) for texts in silent.values()):
            return names
    return ()


def with_english_months(cells: Mapping[str, Sequence[str]], names: tuple[str, ...]) -> dict[str, list[str]]:
    """The cells of every column, days with the names of months that strptime knows."""
    found = {}
    for heading, texts in cells.items():
        english = in_english(texts, names) if names else []
        found[heading] = english if english and forms_of(english[:SAMPLE]) else list(texts)
    return found


def forms_of_columns(cells: Mapping[str, Sequence[str]]) -> list[str]:
    """The forms of every column that holds days. Day and month stand in one order in a whole file: where any cell
    tells which, the other order is none of the forms."""
    days = {heading: texts[:SAMPLE] for heading, texts in cells.items() if is_of_days(heading, texts)}
    told = forms_of([text for texts in days.values() for text in texts])
    return told or list(dict.fromkeys(itertools.chain.from_iterable(forms_of(texts) for texts in days.values())))


def words_among_days(texts: Sequence[str]) -> list[str]:
    """What a column of days says where it names none, "còn hạn", "quá hạn 3 ngày" or the year 1, as words and patterns;
    [] where fewer than half of the cells are days."""
    tidy = [" ".join(text.split()) for text in texts[:SAMPLE]]
    days = (REAL_DATE, *DATE_FORMATS)
    others = [text for text in tidy if _NO_DAY.search(text) or not any(_reads(text, form) for form in days)]
    if not others or len(others) * 2 > len(tidy):
        return []
    words = dict.fromkeys(fold(text) for text in others)
    patterns = {word: re.sub(r"\d+", r"\\d+", re.escape(word).replace(r"\ ", " ")) for word in words}
    plain = {word for word in words if _NO_DAY.search(word) or not re.search(r"\d", word)}
    found = dict.fromkeys(word if word in plain else f"/{patterns[word]}/" for word in words)
    return list(found) if len(found) <= _MOST_WORDS_AMONG else []


def is_of_days(heading: str, texts: Sequence[str]) -> bool:
    """Whether a column holds days; a long number is one only under a heading that says so."""
    forms = forms_of(texts[:SAMPLE])
    numbers = {"%Y%m%d", "%Y%m%d%H%M%S", *COUNTED}
    return bool(forms) and (not numbers & set(forms) or _TIME.search(named(heading)) is not None)


def forms_of(texts: Sequence[str]) -> list[str]:
    """The forms that together read every cell, fewest first; [] where some cell has none of them, or all are real
    dates of a workbook. Forms that read one text as two days do not stand together."""
    if not all(any(_reads(" ".join(text.split()), form) for form in (REAL_DATE, *_ALL_FORMS)) for text in texts):
        return []
    left = list(dict.fromkeys(" ".join(text.split()) for text in texts if not _reads(text, REAL_DATE)))
    found: list[str] = []
    hardest = sorted(left, key=lambda text: sum(_reads(text, form) for form in _ALL_FORMS))
    while hardest:
        forms = [form for form in _ALL_FORMS if _reads(hardest[0], form) and not _turned(form) & set(found)]
        if not forms:
            return []
        counts = {form: sum(_reads(text, form) for text in hardest) for form in forms}
        found.append(max(counts, key=lambda form: counts[form]))
        hardest = [text for text in hardest if not _reads(text, found[-1])]
    return sorted(found, key=lambda form: -sum(_reads(text, form) for text in left))


def _turned(form: str) -> set[str]:
    """The forms that have day and month the other way round."""
    start = form[:5]
    turned = {"%d/%m": "%m/%d", "%m/%d": "%d/%m", "%d-%m": "%m-%d", "%m-%d": "%d-%m"}.get(start)
    return {other for other in DATE_FORMATS if turned and other.startswith(turned)}


@lru_cache(maxsize=1 << 16)
def _reads(text: str, form: str) -> bool:
    if not any(map(str.isdigit, text)) or len(text) > _LONGEST:
        return False
    if form in COUNTED:
        return re.fullmatch(COUNTED[form], text) is not None
    return has_form(text, form)
