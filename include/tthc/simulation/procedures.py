"""Which procedures are asked for at which desk, and how often: the registry, weighted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from tthc.domain.text import fold
from tthc.reference.procedures import Procedure
from tthc.simulation.offices import Office

# Share of a commune's work by field (lĩnh vực); fields not named here are the departments'. Assumed: the order of
# size (certification, then civil status) is common knowledge, the figures are not from a source.
_COMMUNE_FIELDS = {
    "Chứng thực": 42.0,
    "Hộ tịch": 34.0,
    "Hoạt động xây dựng": 6.0,
    "Đất đai": 6.0,
    "Bảo trợ xã hội": 5.0,
    "Hạ tầng kỹ thuật": 2.0,
    "Đường bộ": 2.0,
    "Hàng hải và đường thủy nội địa": 1.0,
    "Nuôi con nuôi": 1.0,
    "Hòa giải ở cơ sở": 1.0,
    "Quy hoạch đô thị và nông thôn": 1.0,
}
_UNKNOWN_SHARE = 0.002  # of dossiers name a well-formed code the registry does not have yet
UNKNOWN = Procedure(
    procedure_code="9.999001",
    procedure_name="Thủ tục giả định chưa có trong danh mục",
    field_code=None,
    field_name="Lĩnh vực giả định",
    service_level=None,
    fee_bearing=None,
    yields_result=None,
    max_working_days=None,
    source="synthetic",
)


class Demand:
    """Draws the procedure of a dossier; within a field a few short procedures make most of the work."""

    def __init__(self, rng: Random, procedures: Mapping[str, Procedure]) -> None:
        self._rng = rng
        self._all = sorted(procedures.values(), key=lambda procedure: procedure.procedure_code)
        rng.shuffle(self._all)
        self._all.sort(key=lambda procedure: procedure.max_working_days or 0)
        self._of: dict[str, tuple[list[Procedure], list[float]]] = {}

    def draw(self, office: Office) -> Procedure:
        """The procedure of one dossier at one desk."""
        if self._rng.random() < _UNKNOWN_SHARE:
            spaced = "Lĩnh vực  giả định" if self._rng.random() < 0.5 else UNKNOWN.field_name
            return replace(UNKNOWN, field_name=spaced)
        if office.unit_code not in self._of:
            self._of[office.unit_code] = self._weighted(office)
        procedures, weights = self._of[office.unit_code]
        return self._rng.choices(procedures, weights=weights)[0]

    def business(self, office: Office) -> float:
        """How much more a desk has to do than its size says: departments whose own procedures the registry knows."""
        return 6.0 if office.level == "department" and self._of_line(office) else 1.0

    def _of_line(self, office: Office) -> list[Procedure]:
        """A department's procedures by the ministry above it: "Sở Tư pháp" and "Bộ Tư pháp" share a line."""
        line = fold(office.names[-1][1].partition(" ")[2])
        return [p for p in self._all if p.field_name not in _COMMUNE_FIELDS and line in fold(p.source)]

    def _weighted(self, office: Office) -> tuple[list[Procedure], list[float]]:
        """The procedures of a desk: a commune's by field, a department's by the ministry above it, else the rest."""
        commune = [procedure for procedure in self._all if procedure.field_name in _COMMUNE_FIELDS]
        others = [procedure for procedure in self._all if procedure.field_name not in _COMMUNE_FIELDS]
        if office.level == "commune":
            procedures, shares = commune, _COMMUNE_FIELDS
        else:
            procedures, shares = self._of_line(office) or others, {}
        rank: Counter[str | None] = Counter()
        weights = []
        for procedure in procedures or self._all:
            rank[procedure.field_name] += 1
            weights.append(shares.get(procedure.field_name or "", 1.0) / rank[procedure.field_name] ** 1.2)
        return procedures or self._all, weights
