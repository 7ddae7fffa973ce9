"""How a dossier is synchronised to the national portal (đồng bộ DVCQG): a record in which every value is a string."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tthc.domain.dossier import Dossier, PaymentMethod, Status
from tthc.simulation.lists import MARK, Line

Record = dict[str, Any]

# canonical column → field, for cells that are overridden
_FIELDS = {
    "procedure_code": "MaTTHC",
    "unit_name": "DonViXuLy",
    "status": "TrangThaiHoSo",
    "received_at": "NgayTiepNhan",
    "due_at": "NgayHenTra",
    "finished_at": "NgayKetThucXuLy",
}


def write_json(path: Path, lines: Sequence[Line]) -> None:
    """An array of records, one a line."""
    records = (json.dumps(record_of(line), ensure_ascii=False) for line in lines)
    path.write_text("[\n" + ",\n".join(records) + "\n]\n", encoding="utf-8")


def record_of(line: Line) -> Record:
    """The synchronisation record of one dossier; what the portal has no field for is left out."""
    dossier = line.dossier
    record: Record = {
        "MaHoSo": dossier.dossier_code,
        "MaTTHC": dossier.procedure_code or "",
        "TenTTHC": dossier.procedure_name or "",
        "MaLinhVuc": "",
        "TenLinhVuc": dossier.field_name or "",
        "KenhThucHien": "" if dossier.channel is None else str(int(dossier.channel)),
        "ChuHoSo": f"Người Giả Định {line.person:06d}",
        "LoaiDoiTuong": "1",
        "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": f"{line.person:012d}"}],
        "SoDienThoai": f"0{line.person:09d}",
        "Email": "",
        "GhiChu": MARK,
        "NgayNopHoSo": _stamp(dossier.submitted_at),
        "NgayTiepNhan": _stamp(dossier.received_at),
        "NgayHenTra": _stamp(dossier.due_at),
        "NgayKetThucXuLy": _stamp(dossier.finished_at),
        "NgayTra": _stamp(dossier.returned_at),
        "NgayTuChoi": _stamp(dossier.submitted_at) if dossier.status is Status.NOT_ACCEPTED else "",
        "TrangThaiHoSo": str(int(dossier.status)),
        "HinhThuc": "0",
        "DonViXuLy": line.unit_name,
        "NoiNopHoSo": "2",
        "HoSoCoThanhPhanSoHoa": "1" if dossier.components_digitised else "0",
        "TaiKhoanDuocXacThucVoiVNeID": "0",
        "DuocThanhToanTrucTuyen": _paid_online(dossier, line.person),
        "DSKetNoiCSDL": [],
        "TaiLieuNop": _components(dossier),
        "DanhSachLePhi": _fees(dossier.fee_amount),
        "DanhSachHoSoBoSung": _supplements(dossier),
        "DanhSachGiayToKetQua": _results(dossier),
    }
    return record | {_FIELDS[column]: text for column, text in line.raw.items()}


def _stamp(moment: date | datetime | None) -> str:
    """`yyyyMMddHHmmss`; a bare day has midnight, an unknown moment the empty string."""
    return "" if moment is None else f"{moment:%Y%m%d%H%M%S}"


def _paid_online(dossier: Dossier, person: int) -> str:
    if dossier.payment_method is PaymentMethod.ONLINE:
        return "1" if person % 4 else "2"
    return "3" if dossier.fee_amount else "0"


def _components(dossier: Dossier) -> list[Record]:
    reused = "1" if dossier.data_reused else "0"
    return [
        {
            "TepDinhKemId": "1",
            "TenTepDinhKem": "thanh-phan-gia-dinh.pdf",
            "IsDeleted": "False",
            "MaThanhPhanHoSo": "TP01",
            "DuongDanTaiTepTin": "",
            "DuocSoHoa": "1" if dossier.components_digitised else "0",
            "DuocTaiSuDung": reused,
            "DuocLayTuKhoDMQG": "0",
            "MaKetQuaThayThe": "",
        }
    ]


def _fees(amount: int | None) -> list[Record]:
    """The fee in one part, or in two where it can be halved."""
    if amount is None:
        return []
    parts = (amount // 2, amount // 2) if amount >= 100_000 else (amount,)
    return [
        {
            "TenPhiLePhi": "Phí giả định",
            "MaPhiLePhi": f"P{n}",
            "HinhThucThu": "1",
            "Gia": str(part),
            "LoaiPhiLePhi": "1",
        }
        for n, part in enumerate(parts, start=1)
    ]


def _supplements(dossier: Dossier) -> list[Record]:
    """One entry a request; only the last one carries its day, as in the list of a one-stop system."""
    count = dossier.supplement_count or 0
    return [
        {
            "HoSoBoSungId": str(number),
            "NgayBoSung": _stamp(dossier.supplement_requested_at) if number == count else "",
            "TrangThaiBoSung": "1" if number == count else "2",
            "NoiDungBoSung": "",
        }
        for number in range(1, count + 1)
    ]


def _results(dossier: Dossier) -> list[Record]:
    if not dossier.result_digitised:
        return []
    return [
        {
            "TenGiayTo": "Kết quả giả định",
            "MaThanhPhanHoSo": "KQ01",
            "GiayToId": "1",
            "DuongDanTepTinKetQua": f"/ket-qua/{dossier.dossier_code}.pdf",
            "MaGiayToKetQua": "",
        }
    ]
