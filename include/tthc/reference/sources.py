"""Who delivers what: the sources of `sources.toml`, in order of priority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tthc.domain.errors import ReferenceFault
from tthc.reference.files import directories, read_toml
from tthc.reference.portals import Portal, read_portal
from tthc.settings import Settings

DELIVERIES = ("delta", "window", "full")
LEVELS = ("province", "nation")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str, "int": int, "float": (int, float), "bool": bool, "tuple[str, ...]": list,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One portal or drop folder. `priority` is its place in the file: the lower wins where two know a dossier. `level`:
    whether it speaks for the province's systems or for the national portal, whose dossiers are compared."""

    id: str
    title: str
    layouts: tuple[str, ...]
    priority: int
    delivery: str = "window"
    level: str = "province"
    hold_above: float = 0.5  # share of quarantined rows above which a file is held
    may_be_empty: bool = (
        False  # whether a header without rows is believed: its unit has reported that there was nothing
    )
    pool_slots: int = 2
    batch_files: int = 250
    batch_megabytes: int = 32
    portal: Portal | None = None


def read_sources(settings: Settings) -> dict[str, Source]:
    """All sources by id; an overlay's source replaces the shipped one of the same id, new ones follow."""
    raws: dict[str, dict[str, Any]] = {}
    for directory in directories(settings):
        path = directory / "sources.toml"
        if path.exists():
            for raw in read_toml(path).get("source", []):
                if "id" not in raw:
                    raise ReferenceFault(f"{path}: a source without id")
                if "portal" in raw:
                    raw["portal"] = read_portal(raw["portal"], raw["id"], directory)
                raws[raw["id"]] = raws.get(raw["id"], {}) | raw
    found = {}
    files = [path for folder in directories(settings) for path in sorted((folder / "layouts").glob("*.toml"))]
    known = {path.stem for path in files}
    for priority, (source_id, raw) in enumerate(raws.items()):
        unknown = set(raw) - {f for f in Source.__dataclass_fields__ if f != "priority"}
        words_known = raw.get("delivery", "window") in DELIVERIES and raw.get("level", "province") in LEVELS
        if unknown or not raw.get("layouts") or not words_known:
            raise ReferenceFault(
                f"sources.toml, {source_id!r}: needs title and layouts, delivery one of {DELIVERIES}, level one of "
                f"{LEVELS}; unknown settings: {sorted(unknown)}"
            )
        for setting, value in raw.items():
            kind = _TYPES.get(str(Source.__annotations__[setting]), object)
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise ReferenceFault(f"sources.toml, {source_id!r}: {setting} = {value!r} is of another type")
        if not known.issuperset(raw["layouts"]):  # a file may say another id than its name
            known = {str(read_toml(path).get("id", path.stem)) for path in files}
        if strange := [layout_id for layout_id in raw["layouts"] if layout_id not in known]:
            raise ReferenceFault(
                f"sources.toml, {source_id!r}: no file layouts/*.toml has the id {strange[0]!r}; "
                f"known are {', '.join(sorted(known))}"
            )
        found[source_id] = Source(
            **{**raw, "layouts": tuple(raw["layouts"]), "title": raw.get("title", source_id), "priority": priority}
        )
    return found
