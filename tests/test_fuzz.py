"""Five thousand mutants in the suite, the same ones every time; `make fuzz` tries others, and more."""

from __future__ import annotations

import resource

from fuzz import VERDICTS, run
from intake_cases import NIGHT
from mutants import mutant
from warehouses import Warehouse

SEED, MUTANTS = 20261124, 5000


def test_mutants_end_in_a_listed_verdict_and_lose_nothing() -> None:
    ran = run(SEED, MUTANTS)
    assert not ran.wrong, f"seed {SEED}\n" + "\n".join(ran.wrong)
    assert ran.count == MUTANTS and min(ran.verdicts[verdict] for verdict in VERDICTS - {"held"}) > MUTANTS // 20
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1536 * 1024  # kilobytes, of the largest child


def test_mutants_pass_through_the_whole_pipeline(warehouse: Warehouse) -> None:
    made = [mutant(SEED + 1, number) for number in range(60)]
    files = {f"{one.source}/{one.number}.{one.source.rpartition('_')[2]}": one.content for one in made}
    outcome = warehouse.load(NIGHT, files)
    rows = warehouse.query("select * from mart.data_quality where rule_id is null")
    assert len(rows) == sum(outcome.files.values()) and {row["verdict"] for row in rows} <= VERDICTS
    assert len(rows) >= len({one.content for one in made})
    for row in rows:
        parts = [row[f"rows_{part}"] for part in ("accepted", "quarantined", "dropped", "duplicate")]
        assert row["rows_read"] == sum(parts), row["file_name"]
