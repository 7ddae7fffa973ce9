"""`make run`: a sample province once, the real nightly DAG over it, then what an analyst would look at first.

Half of the sample lies in a drop folder, half is served by a simulated portal that runs as long as the DAG does.
The sample is only for an empty warehouse. Where other deliveries were loaded before, the night runs over TTHC_DROP.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa

from tthc.domain.errors import OutsideSystemFailed, TthcError
from tthc.settings import CHECKOUT, Settings, settings
from tthc_airflow import private_airflow

DOSSIERS, SEED, NIGHT = 20_000, 7, date(2026, 6, 30)  # the day on which the first half of 2026 is complete
DAG_ID = "load_exports"
SERVED = ("mot_cua_csv", "dvcqg_json")  # the sources of examples/portal
INTERRUPTED = "interrupted; calling it again goes on where it stopped"

Say = Callable[[str], None]
State = tuple[int, int]  # newest delivery, current publication


def main() -> None:
    """Entry point: an error of ours becomes one sentence and its exit status."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--dossiers", type=int, default=DOSSIERS, help="size of the sample province")
    arguments = parser.parse_args()
    try:
        run(arguments.dossiers)
    except TthcError as error:
        print(f"make run: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except KeyboardInterrupt:
        print(f"make run: {INTERRUPTED}", file=sys.stderr)
        raise SystemExit(130) from None


def run(dossiers: int) -> None:
    """Everything `make run` does; the log of Airflow is TTHC_HOME/airflow/demo.log. Raises TthcError."""
    began = time.monotonic()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Vietnamese letters shows ?, it does not fail
    try:
        directory = private_airflow.settle(settings().home)
    except OSError as error:
        raise OutsideSystemFailed(f"{settings().home} cannot be written: {error.strerror}") from error
    log = directory / "demo.log"
    with private_airflow.alone(directory), private_airflow.printing_to(log) as terminal:
        say = _clock(terminal, began)
        with private_airflow.migrated(directory, log):
            say("starting the warehouse and Airflow's own database")
            before = _state(settings())
            night = _sample(settings(), before, dossiers, say)
        with _portal(settings(), say):
            failures = _run_dag(night, say)
    if failures:
        _explain(failures, log)
    after = _state(settings())
    new = after[0] - before[0]
    print(f"\n{new} deliveries are new." if new else "\nNothing new: whatever was delivered is known already.")
    if after[1] == before[1]:
        print(f"The figures are unchanged, those of publication {after[1]}.")
    else:
        print(f"Publication {after[1]} is current.")
    from tthc import pipeline
    from tthc_airflow import summary

    pipeline.write_workbooks(settings())
    summary.show(settings(), log)
    print(f"\nDone in {time.monotonic() - began:.0f} s.")


def _clock(terminal: TextIO, began: float) -> Say:
    return lambda line: print(f"[{time.monotonic() - began:4.0f} s] {line}", file=terminal, flush=True)


def _state(current: Settings) -> State:
    from tthc.warehouse.connect import transaction

    with transaction(current) as connection:
        if connection.execute(sa.text("select to_regclass('rollup.current_publication')")).scalar() is None:
            return 0, 0
        newest, publication = connection.execute(
            sa.text(
                "select coalesce(max(delivery_id), 0), "
                "coalesce((select max(publication_id) from rollup.current_publication), 0) from core.delivery"
            )
        ).one()
    return newest, publication


def _sample(current: Settings, before: State, dossiers: int, say: Say) -> date | None:
    """Make the sample province if the warehouse is empty and let TTHC_DROP name it; the sample's night.

    None: the warehouse holds other deliveries, TTHC_DROP stays what it is and the night is today.
    """
    from tthc.simulation.simulate import simulate

    sample = current.home / "sample"
    if not sample.exists():
        if before != (0, 0):
            say(f"the warehouse holds deliveries of yours, so no sample is added; taking tonight from {current.drop}")
            current.drop.mkdir(parents=True, exist_ok=True)
            return None
        unfinished = current.home / "sample.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        say(f"simulating a province: {dossiers} synthetic dossiers, {NIGHT:%d/%m/%Y}")
        simulate(
            province=current.province, dossiers=dossiers, seed=SEED, start=NIGHT, nights=1, out=unfinished, progress=say
        )
        for source_id in () if os.environ.get("TTHC_REFERENCE") else SERVED:
            (unfinished / "portal" / NIGHT.isoformat()).mkdir(parents=True, exist_ok=True)
            for folder in unfinished.glob(f"{NIGHT}/{source_id}"):
                folder.rename(unfinished / "portal" / NIGHT.isoformat() / source_id)
        unfinished.rename(sample)
    os.environ["TTHC_DROP"] = str(sample)
    return NIGHT


def _portal(current: Settings, say: Say) -> AbstractContextManager[object]:
    """The simulated portal of the sample, told to the DAG by the environment; nothing where no sample is served."""
    from tthc.simulation.portal import PASSWORD, USER, PortalSimulator

    data = current.home / "sample" / "portal"
    if os.environ.get("TTHC_REFERENCE") or os.environ.get("TTHC_DROP") != str(data.parent) or not data.is_dir():
        return nullcontext()
    portal = PortalSimulator(data, login="sign-in")
    os.environ["TTHC_REFERENCE"] = str(CHECKOUT / "examples" / "portal")
    for source_id in SERVED:
        access = {"URL": portal.url, "USER": USER, "PASSWORD": PASSWORD}
        os.environ |= {f"TTHC_PORTAL_{source_id.upper()}_{name}": value for name, value in access.items()}
    say(f"a simulated portal serves {' and '.join(SERVED)} at {portal.url}")
    return portal


def _run_dag(night: date | None, say: Say) -> list[tuple[str, BaseException]]:
    """Run the nightly DAG in this process, retries included; (task, error) of each task that failed for good."""
    say("importing Airflow")
    from airflow.dag_processing.dagbag import DagBag

    from tthc_airflow.pools import create_pools

    create_pools()
    bag = DagBag(dag_folder=private_airflow.DAGS)
    if bag.import_errors:
        raise OutsideSystemFailed(f"a DAG could not be read: {next(iter(bag.import_errors.values()))}")
    dag = bag.dags[DAG_ID]
    failures: list[tuple[str, BaseException]] = []
    for task in dag.tasks:
        task.on_execute_callback = [lambda context: say(f"{DAG_ID}: {_label(context)}")]
        task.on_retry_callback = [
            lambda context: say(f"{DAG_ID}: {_label(context)} will be tried again: {_told(context['exception'])}")
        ]
        task.on_failure_callback = [lambda context: failures.append((_label(context), context["exception"]))]
    say(f"running the DAG {DAG_ID}" + (f" for {night:%d/%m/%Y}" if night else ""))
    with _stopped_at_once(say):
        ended = dag.test(run_conf={"night": night.isoformat()} if night else None)
    say(f"{DAG_ID} ended: {ended.state}")
    if ended.state != "success" and not failures:
        failures.append((DAG_ID, OutsideSystemFailed(f"the run ended {ended.state}")))
    return failures


@contextmanager
def _stopped_at_once(say: Say) -> Iterator[None]:
    """End the process on Ctrl-C: Airflow would take it for a failure of the task and try again after a while."""

    def stop(*_: object) -> None:
        try:
            say(INTERRUPTED)
        finally:
            os._exit(130)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _label(context: Any) -> str:
    task = context["ti"]
    return f"{task.task_id}[{task.map_index}]" if task.map_index >= 0 else str(task.task_id)


def _told(error: BaseException) -> str:
    """An error of ours in its own words, any other by its class: its words might quote a row."""
    return str(error) if isinstance(error, TthcError) else type(error).__name__


def _explain(failures: list[tuple[str, BaseException]], log: Path) -> None:
    """Raise the first failure as what it was before Airflow heard of it."""
    task, error = failures[0]
    ours = next((e for e in (error, error.__cause__) if isinstance(e, TthcError)), None)
    if ours is None:
        raise OutsideSystemFailed(f"task {task} failed ({type(error).__name__}); the log is {log}") from error
    ours.args = (f"task {task} failed: {ours}; the log is {log}",)
    raise ours


if __name__ == "__main__":
    main()
