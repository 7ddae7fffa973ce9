"""What can go wrong, as a tree; the class decides whether a retry makes sense and how the command ends.

TthcError
├── Misconfigured            exit 2: settings, reference files or usage are wrong; a person must act
│   ├── ReferenceFault       a reference file contradicts itself or its documented columns
│   └── ForeignKeyInUse      the HMAC key is not the one this warehouse was filled with
├── FileRefused              one export cannot be trusted; the run goes on without it
├── ExpectationsNotRun       a suite did not check what it declares; nothing may pass on its word
├── RowsNotConserved         rows in and rows out differ; a defect of ours, never published
└── OutsideSystemFailed      exit 3: database, disk or portal; retryable
    ├── WarehouseRefused     the database answers, but refuses a statement; a retry would be refused too
    └── PortalFailed         a portal did not deliver what could be trusted; the other deliveries go on
"""

from __future__ import annotations


class TthcError(Exception):
    """Base of everything this product raises on purpose."""

    exit_status = 1
    retryable = False


class Misconfigured(TthcError):
    """Settings, reference files or usage are wrong; the message says which and what to do."""

    exit_status = 2


class ReferenceFault(Misconfigured):
    """A reference file contradicts itself or its documented columns."""


class ForeignKeyInUse(Misconfigured):
    """The HMAC key is not the one this warehouse was filled with; going on would double every dossier."""


class FileRefused(TthcError):
    """One export cannot be trusted. `reason` is a code, `detail` a sentence without personal values.

    `header`: the headings found, when the file came far enough to have any; `suggestions`: what they may mean.
    """

    def __init__(
        self, reason: str, detail: str, header: tuple[str, ...] = (), suggestions: tuple[object, ...] = ()
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.header = header
        self.suggestions = suggestions


class ExpectationsNotRun(TthcError):
    """A suite did not check what it declares, so nothing may pass on its word."""


class RowsNotConserved(TthcError):
    """Rows in and rows out differ: a defect of ours, stopped before anything is written."""


class OutsideSystemFailed(TthcError):
    """The database, the disk or a portal failed; the same call may succeed later."""

    exit_status = 3
    retryable = True


class WarehouseRefused(OutsideSystemFailed):
    """The database answers, but refuses a statement: a missing table or right, a broken constraint."""

    retryable = False


class PortalFailed(OutsideSystemFailed):
    """A portal did not deliver what can be trusted. `reason` is a code PORTAL_…, `detail` a sentence for clerks.

    `passing`: the same request may succeed a moment later. `everywhere`: the portal itself fails, not one delivery.
    """

    retryable = False  # of an instance: as `passing` says

    def __init__(
        self, reason: str, detail: str, *, passing: bool = False, everywhere: bool = False, after: float | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.passing = self.retryable = passing
        self.everywhere = everywhere
        self.after = after  # seconds the portal asked to wait
