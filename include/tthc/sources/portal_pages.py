"""A list that comes page by page: every page once, in order, of one state of the list; a killed run goes on.

Pages lie in a directory of the landing store until the assembled file is landed. A list that moved while it was read is
read once more from its beginning, then given up.
"""

from __future__ import annotations

import json
from urllib.parse import urljoin

from tthc.domain.errors import PortalFailed
from tthc.sources.json_slices import records_at, value_at
from tthc.sources.page_store import Page, PageStore, digest_of
from tthc.sources.page_told import Told, parsed, shape
from tthc.sources.portal_body import too_large
from tthc.sources.portal_talk import Answer, Talk

MOVED = {
    "PORTAL_DATA_MOVED", "PORTAL_PAGE_REPEATED", "PORTAL_PAGE_MISSING", "PORTAL_PAGE_SKIPPED", "PORTAL_PAGES_SHRANK",
    "PORTAL_TOTAL",
}  # fmt: skip
_OUT_OF_REACH = {
    "PORTAL_UNREACHABLE", "PORTAL_TIMEOUT", "PORTAL_SLOW", "PORTAL_BUSY", "PORTAL_TLS", "PORTAL_LOGIN", "PORTAL_HTML",
    "PORTAL_TRUNCATED",
}  # fmt: skip

_PAGE_BYTES = 50_000_000  # a page is taken apart in memory
_LOOKS = 3  # how many earlier pages are looked at again when records repeat


def collect(talk: Talk, parameters: dict[str, str], store: PageStore) -> int:
    """Fetch what the store does not have yet; how many records there are. Raises PortalFailed."""
    try:
        return _Walk(talk, parameters, store).run()
    except PortalFailed as failed:
        if failed.reason not in MOVED:
            raise
    store.clear()
    try:
        return _Walk(talk, parameters, store).run()
    except PortalFailed as failed:
        if failed.reason in MOVED:
            store.clear()  # nothing of a list that moves is to be trusted
        raise


class _Walk:
    def __init__(self, talk: Talk, parameters: dict[str, str], store: PageStore) -> None:
        assert talk.portal.paging is not None
        self._talk, self._paging, self._store = talk, talk.portal.paging, store
        self._parameters = parameters
        self._keys: dict[str, int] = {}  # record key → the page it stood on
        self._last_key = ""
        self._repeating = 0  # how many pages there are up to the last one with a record that had come before
        self._bytes = 0

    def run(self) -> int:
        store = self._store
        if store.pages and not self._goes_on():
            store.clear()
        for number in range(len(store.pages)):
            self._note_keys(number, store.records(number))
        while not self._is_complete():
            page, records = self._fetch(len(store.pages), self._next_target())
            self._check(page, records)
            store.add(page, records)
        self._conclude()
        return self._count()

    def _goes_on(self) -> bool:
        """Whether the last page of a run before this one still is what it was."""
        try:
            return self._same(len(self._store.pages) - 1)
        except PortalFailed as failed:
            numbered = self._paging.kind in {"page", "offset"}
            if failed.reason in _OUT_OF_REACH or (numbered and failed.reason == "PORTAL_STATUS" and failed.passing):
                raise  # that tells nothing of the page
            return False  # such as a link or cursor that has expired

    def _count(self) -> int:
        return sum(page.count for page in self._store.pages)

    def _is_complete(self) -> bool:
        pages, kind = self._store.pages, self._paging.kind
        if not pages or kind == "single":
            return bool(pages)
        if kind in {"link", "cursor"}:
            return not pages[-1].following
        if pages[-1].count == 0:
            return True  # nothing more comes; whether all came is told by the counts
        if pages[-1].total is not None:
            return self._count() >= pages[-1].total
        return len(pages) >= (pages[-1].pages or 0)

    def _conclude(self) -> None:
        """All pages are there: do they hold what the portal counts? Raises PortalFailed."""
        pages, count = self._store.pages, self._count()
        total, told = pages[-1].total, pages[-1].pages
        numbered = self._paging.kind in {"page", "offset"}
        if total is not None and count != total:
            reason = "PORTAL_PAGE_MISSING" if count < total else "PORTAL_TOTAL"
            raise PortalFailed(reason, f"cổng báo {total} bản ghi, nhận được {count} / {count} of {total} records came")
        uneven = len({page.count for page in pages[:-1]}) > 1
        if numbered and total is None and (uneven or len(pages) < (told or 0)):
            raise PortalFailed(
                "PORTAL_PAGE_MISSING", f"thiếu trang hoặc bản ghi trong {told} trang / a page is not whole"
            )
        if numbered and len(pages) > 1 and not self._same(0):
            raise _moved("the first page is another one by now")
        if numbered:
            self._cut_otherwise()

    def _next_target(self) -> str:
        pages, paging = self._store.pages, self._paging
        following = pages[-1].following if pages else ""
        if paging.kind == "link" and following:
            return following
        numbers = {
            "page": str(paging.first + len(pages)),
            "offset": str(self._count()),
            "size": str(paging.size),
            "cursor": following,
        }
        self._parameters = self._parameters | numbers
        return self._talk.portal.target(self._parameters)

    def _fetch(self, number: int, target: str) -> tuple[Page, list[str]]:
        portal, paging, into = self._talk.portal, self._paging, self._store.directory / "arriving"
        text, whole = "", None

        def judge(answer: Answer) -> None:
            nonlocal text, whole
            if answer.body is None:
                return
            if answer.body.size > _PAGE_BYTES:
                raise too_large("a page or all pages together")
            text, whole = parsed(answer, into)
            if portal.ok_at and str(value_at(whole, portal.ok_at)) != portal.ok_value:
                raise PortalFailed(
                    "PORTAL_ANSWER", "cổng báo lỗi trong câu trả lời / the answer says it failed", passing=True
                )

        answer = self._talk.ask(target, self._parameters, into, judge=judge)
        if answer.body is None:
            return Page(digest=digest_of([]), count=0, total=0, pages=0, asked=target, following=""), []
        self._bytes += answer.body.size
        if self._bytes > portal.limits.max_megabytes * 1_000_000:
            raise too_large("a page or all pages together")
        records = records_at(text, paging.records_at)
        if records is None:
            raise shape("no list of records stands where the source says")
        told = Told(answer, whole)
        page_told = told.number(paging.page_at)
        if page_told is not None and page_told != paging.first + number:
            raise PortalFailed("PORTAL_PAGE_SKIPPED", "cổng trả trang khác với trang được hỏi / another page came")
        page = Page(
            digest=digest_of(records),
            count=len(records),
            total=told.number(paging.total_at),
            pages=told.number(paging.pages_at),
            asked=target,
            following=self._following(told, target),
        )
        if (paging.total_at and page.total is None) or (paging.pages_at and page.pages is None):
            raise shape("the answer does not say how much there is")
        return page, records

    def _following(self, told: Told, target: str) -> str:
        if told.is_odd(self._paging.next_at):
            raise shape("the next link or cursor is neither text nor number")
        text = told.text(self._paging.next_at) if self._paging.next_at else ""
        if self._paging.kind != "link" or not text:
            return text
        if self._paging.next_at.lower() == "header:link":
            text = told.next_link()
        try:
            return urljoin(self._talk.url_of(target), text) if text else ""
        except ValueError:
            raise shape("the next link is not a URL") from None

    def _check(self, page: Page, records: list[str]) -> None:
        """A new page must belong to the same state of the list as those before it. Raises PortalFailed."""
        before = self._store.pages
        if before:
            first = before[0]
            if page.pages is not None and first.pages is not None and page.pages < first.pages:
                raise PortalFailed("PORTAL_PAGES_SHRANK", "số trang giảm trong khi đọc / fewer pages than before")
            if (page.total, page.pages) != (first.total, first.pages):
                raise _moved("the total changed")
            seen_following = {earlier.following for earlier in before if earlier.following}
            if page.following and page.following in seen_following:
                raise _repeated("the link to the next page leads back")
            if page.count > 1 and page.digest in {earlier.digest for earlier in before}:
                raise _repeated("a page came twice")
            if page.total is not None and sum(p.count for p in before) + page.count > page.total:
                detail = "nhiều bản ghi hơn số cổng báo / more records than the portal counts"
                raise PortalFailed("PORTAL_TOTAL", detail)
        self._note_keys(len(before), records)

    def _note_keys(self, number: int, records: list[str]) -> None:
        """A record that stands on two pages: the list moved, unless the earlier page still is what it was.

        Without a key of records, the same characters are the same record.
        """
        name = self._paging.record_key
        keys = [str(value_at(json.loads(record), name) or "") if name else digest_of([record]) for record in records]
        if keys and keys[0] and keys[0] == self._last_key:
            raise _repeated("a page begins with the end of the one before")
        self._last_key = keys[-1] if keys else ""
        known = sorted({self._keys[key] for key in keys if key in self._keys})
        for earlier in known[:_LOOKS]:
            if not self._same(earlier):
                raise _moved("a record moved to another page")
        named = [key for key in keys if key]
        if known or len(set(named)) < len(named):
            self._repeating = number + 1
        self._keys |= dict.fromkeys(named, number)

    def _cut_otherwise(self) -> None:
        """Records repeat, and every page stands by it: one large page must hold the same. Raises PortalFailed.

        A portal that sorts by what is equal for many cuts pages that overlap, the same ones each time, and what it
        leaves out is not missed by the count. One that gives no such page proves nothing.
        """
        portal, store, number = self._talk.portal, self._store, self._repeating
        if not number or "{size}" not in portal.path + repr(portal.body):
            return
        kept = [record for earlier in range(number) for record in store.records(earlier)]
        try:
            page = self._page(0, "0", str(len(kept)))
        except PortalFailed:
            return
        if page.count == len(kept) and page.digest != digest_of(kept):
            raise _repeated("one large page holds other records than the small ones")

    def _page(self, number: int, offset: str, size: str, cursor: str = "", asked: str = "") -> Page:
        """Ask for a page by its place in the list."""
        parameters = self._parameters
        try:
            places = {"page": str(self._paging.first + number), "offset": offset, "size": size, "cursor": cursor}
            self._parameters = parameters | places
            return self._fetch(number, asked or self._talk.portal.target(self._parameters))[0]
        finally:
            self._parameters = parameters

    def _same(self, number: int) -> bool:
        """Look again at a page that was read before."""
        known = self._store.pages[number]
        count = sum(page.count for page in self._store.pages[:number])
        cursor = self._store.pages[number - 1].following if number else ""
        page = self._page(number, str(count), str(self._paging.size), cursor, known.asked)
        return (page.digest, page.total, page.pages) == (known.digest, known.total, known.pages)


def _moved(detail: str) -> PortalFailed:
    return PortalFailed("PORTAL_DATA_MOVED", f"dữ liệu thay đổi trong khi đọc / {detail}")


def _repeated(detail: str) -> PortalFailed:
    return PortalFailed("PORTAL_PAGE_REPEATED", f"một trang hoặc bản ghi bị lặp lại / {detail}")
