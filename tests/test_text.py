"""What of a file may be shown: headings and names of fields, and nothing of the person one of them may be made of."""

from __future__ import annotations

import pytest

from tthc.domain.text import shown


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        ("  Ngày \u00a0tiếp\u200b nhận ", "Ngày tiếp nhận"),
        ("H42.18-260105-000123", "…"),
        ("hồ sơ h42.18.2-260105-0001 của NGƯỜI GIẢ", "hồ sơ … của NGƯỜI GIẢ"),
        ("SĐT 0912345678", "SĐT …"),
        ("SĐT +84 912 345 678", "SĐT …"),
        ("CCCD 001.234.567-890 (giả)", "CCCD … (giả)"),
        ("09\u200b12345678", "…"),  # hidden letters between the digits hide nothing
        ("0912\x00345678", "0912\ufffd345678"),
        ("Quý I/2026, cột 12345678", "Quý I/2026, cột 12345678"),
        ("Mã TTHC 1.000656", "Mã TTHC 1.000656"),
        ("a\u202eb\ud800", "a\ufffdb\ufffd"),
    ],
)
def test_a_heading_is_shown_without_what_tells_of_a_person(heading: str, told: str) -> None:
    assert shown(heading) == told


def test_a_long_heading_is_cut_after_it_was_blotted() -> None:
    """Half a number would be no number any more and stay."""
    assert shown("x" * 113 + " 0912345678 " + "y" * 200) == "x" * 113 + " … yyy…"
    assert len(shown("ế" * 5_000)) == 120
