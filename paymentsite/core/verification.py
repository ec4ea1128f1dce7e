"""What must always be true: every app says it in its module ``verify``, and one run looks at all of it.

    @check("ledger.units_sum_to_zero", "In each unit the balances of all accounts add up to zero.")
    def units_sum_to_zero(run: Run) -> Iterator[Fault]:
        ...
        yield "unit CNY", "the balances add up to 5"

A check yields what is broken: of what, and how it shows. See docs/verify.md.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog
from django.db import transaction
from django.utils.module_loading import autodiscover_modules

from paymentsite.core import clock, reading
from paymentsite.core.findings import Finding
from paymentsite.core.models.verification import LastGoodRun

T = TypeVar("T")
Fault = tuple[str, str]

KEPT_MAX: Final = 1_000  # of one check; a book that is broken all over need not be listed whole

log = structlog.get_logger(__name__)


@dataclass
class Run:
    """One look at everything. ``since`` holds, app by app, where the last good run ended; None looks at all.

    ``outside`` is what was kept where nobody who can change the database reaches it. ``seen`` counts what was
    looked at, so that a run over nothing does not pass for a good one.
    """

    since: Mapping[str, Any] | None = None
    outside: Mapping[str, Any] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    _made: dict[Callable[["Run"], Any], Any] = field(default_factory=dict)

    def once(self, make: Callable[["Run"], T]) -> T:
        """What ``make`` makes of this run, made once: for checks that share an expensive look."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made


Work = Callable[[Run], Iterable[Fault]]
WorkT = TypeVar("WorkT", bound=Work)


@dataclass(frozen=True, slots=True)
class Check:
    """``promise`` is what must be true, in a sentence. ``needs`` names what from outside it compares with."""

    name: str
    promise: str
    work: Work
    needs: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found: how much, the first of it, and how long it took."""

    check: Check
    count: int
    findings: list[Finding]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """A run's results. ``since`` is when the last good run was, for one that looked at changes only."""

    results: list[Result]
    seen: dict[str, int]
    since: datetime | None
    seconds: float

    @property
    def good(self) -> bool:
        return not any(result.count for result in self.results)

    @property
    def findings(self) -> list[Finding]:
        return [finding for result in self.results for finding in result.findings]


class UnknownCheck(LookupError):
    """No check is called so."""


class Registry:
    """The checks of all apps, and how each app remembers where a good run ended."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.marks: dict[str, Callable[[], Any]] = {}

    def check(self, name: str, promise: str, *, needs: str = "", whole: bool = False) -> Callable[[WorkT], WorkT]:
        """Register a function that yields what breaks ``promise``.

        One with ``needs`` runs when that was given from outside; one that is ``whole`` looks at everything and is
        left out of fast runs.
        """

        def register(work: WorkT) -> WorkT:
            if name in self.checks:
                raise TypeError(f"there is a check {name!r} already")
            self.checks[name] = Check(name, promise, work, needs, whole)
            return work

        return register

    def mark(self, app: str) -> Callable[[Callable[[], T]], Callable[[], T]]:
        """Register what ``app`` wants to find in ``Run.since`` after this run, if it is good; plain JSON."""

        def register(make: Callable[[], T]) -> Callable[[], T]:
            self.marks[app] = make
            return make

        return register

    def chosen(self, names: Iterable[str]) -> list[Check]:
        """The checks of those names, or of those apps; all when none is named. Raises ``UnknownCheck``."""
        wanted = []
        for name in names:
            found = [check for check in self.checks.values() if check.name == name or check.name.startswith(f"{name}.")]
            if not found:
                raise UnknownCheck(name)
            wanted += found
        return list(dict.fromkeys(wanted)) or list(self.checks.values())

    def run(self, *, only: Sequence[str] = (), fast: bool = False, outside: Mapping[str, Any] | None = None) -> Report:
        """Look, on one view of the database, whether all promises hold; remember it when they do.

        ``fast`` looks at what changed since the last good run; without one, or when it was forgotten, at everything.
        Only runs of all checks are remembered.
        """
        began = time.monotonic()
        last = LastGoodRun.objects.first() if fast else None
        with reading.one_view():
            run = Run(since=last.marks if last else None, outside=outside or {})
            checks = [
                check
                for check in self.chosen(only)
                if not (check.needs and check.needs not in run.outside) and not (check.whole and last)
            ]
            results = [_result(check, run) for check in checks]
            seen = {what: count for what, count in run.seen.items() if count}
            report = Report(results, seen, last.at if last else None, time.monotonic() - began)
            marks = {app: make() for app, make in self.marks.items()} if report.good and not only else None
        if marks is not None:
            _remember(marks, last)
        return report


registry: Final = Registry()
check = registry.check
mark = registry.mark


def discover() -> Registry:
    """The registry with the checks of every app in it."""
    autodiscover_modules("verify")
    return registry


def _result(check: Check, run: Run) -> Result:
    began, count = time.monotonic(), 0
    findings: list[Finding] = []
    try:
        # A statement that fails, or that a check has swallowed, must not take the view of the checks after it along.
        with transaction.atomic():
            for subject, detail in check.work(run):
                count += 1
                if count <= KEPT_MAX:
                    findings.append(Finding(check.name, subject, detail))
    except Exception as error:  # what cannot even be read is broken too, and must hide nothing else
        log.warning("check failed", check=check.name, exc_info=True)
        count += 1
        findings.append(Finding(check.name, "the check itself", f"could not finish: {type(error).__name__}: {error}"))
    return Result(check, count, findings, time.monotonic() - began)


def _remember(marks: dict[str, Any], last: LastGoodRun | None) -> None:
    now = clock.now()
    LastGoodRun.objects.update_or_create(
        pk=LastGoodRun.THE_ROW,
        defaults={"at": now, "whole_at": last.whole_at if last else now, "marks": marks},
    )
