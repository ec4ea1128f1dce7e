"""The figures as one object of numbers, and as a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from bench.measures import Samples
from bench.plan import BATCHES, CLIENTS, Plan


@dataclass(frozen=True, slots=True)
class Goal:
    key: str
    what: str
    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        return f"≥ {self.least}" if self.least is not None else f"≤ {self.most}"

    def met(self, value: float) -> bool:
        return value >= self.least if self.least is not None else value <= (self.most or 0)


GOALS: Final = (
    Goal("single_1", "`ledger.post`, one transfer a transaction, 1 client / TPC-B", least=0.9),
    Goal("single_4", "the same, 4 clients", least=0.9),
    Goal("single_8", "the same, 8 clients", least=0.7),
    Goal("hot_over_uniform", "all into one merchant account / spread over all accounts", least=1.0),
    Goal("many", "`ledger.post_many`, 10,000 a call, 1 client / TPC-B at 1 client", least=12),
    Goal("statement_growth", "statement page, many postings / few, the worst kind", most=1.5),
    Goal("sqlite_over_orm", "SQLite: `ledger.post` / the ORM reference", least=3),
)

_STATEMENTS: Final = ("strict_first", "strict_deep", "deferred_first", "deferred_deep")
_BALANCES: Final = ("strict", "deferred")


def ratio(samples: Samples, ours: str, theirs: str) -> float:
    """The median over the rounds of one figure over another of the same round."""
    return median(a / b for a, b in zip(samples[ours], samples[theirs], strict=True))


def figures(samples: Samples) -> dict[str, Any]:
    """Ratios by the names that others read, each a number; what they were made of under ``raw``."""
    found: dict[str, Any] = {}
    for name, what in (("single", "uniform"), ("hot", "hot"), ("orm", "orm"), ("hordak", "hordak")):
        found |= {f"{name}_{k}": ratio(samples, f"{what}_{k}", f"tpcb_{k}") for k in CLIENTS}
    over = {f"hot_over_uniform_{k}": ratio(samples, f"hot_{k}", f"uniform_{k}") for k in CLIENTS}
    found |= over | {"hot_over_uniform": median(over.values())}
    found |= {f"many_{size}": ratio(samples, f"many_{size}", "tpcb_many") for size in BATCHES}
    found["many"] = found[f"many_{BATCHES[-1]}"]
    found |= _growths(samples, "statement", _STATEMENTS) | _growths(samples, "balance", _BALANCES)
    found["sqlite_over_orm"] = ratio(samples, "sqlite_uniform", "sqlite_orm")
    found["raw"] = {name: median(values) for name, values in samples.items()}
    return found


def _growths(samples: Samples, what: str, kinds: tuple[str, ...]) -> dict[str, float]:
    grown = {
        f"{what}_growth_{kind}": ratio(samples, f"{what}_{kind}_large_us", f"{what}_{kind}_small_us") for kind in kinds
    }
    return grown | {f"{what}_growth": max(grown.values())}


@dataclass(frozen=True, slots=True)
class Run:
    """How the figures came about."""

    plan: Plan
    command: str
    pgbench: tuple[str, ...]
    machine: str
    commit: str
    settings: dict[str, str]


def page(run: Run, found: dict[str, Any]) -> str:
    """docs/performance.md."""
    return (
        "\n\n".join([_HEAD, _goals(found), _ratios(found), _reads(run, found), _raw(found), _how(run), _NOTES]) + "\n"
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _goals(found: dict[str, Any]) -> str:
    rows = [
        (goal.what, str(goal), f"**{found[goal.key]:.2f}**", "yes" if goal.met(found[goal.key]) else "no")
        for goal in GOALS
    ]
    return "## Goals\n\n" + _table(("what", "goal", "measured", "met"), rows)


def _ratios(found: dict[str, Any]) -> str:
    names = (
        ("single", "`ledger.post`, spread over all accounts"),
        ("hot", "`ledger.post`, all into one merchant account"),
        ("orm", "the ORM reference"),
        ("hordak", "django-hordak, which checks no balance"),
    )
    rows = [(what, *(f"{found[f'{name}_{k}']:.2f}" for k in CLIENTS)) for name, what in names]
    head = ("transfers a second / TPC-B", *(f"{k} client{'s' if k > 1 else ''}" for k in CLIENTS))
    many = [(f"{size:,}", f"{found[f'many_{size}']:.1f}") for size in BATCHES]
    return f"## Ratios\n\n{_table(head, rows)}\n\n" + _table(("`post_many`, drafts a call", "/ TPC-B, 1 client"), many)


def _reads(run: Run, found: dict[str, Any]) -> str:
    raw, few, many = found["raw"], f"{run.plan.small:,} postings", f"{run.plan.large:,} postings"
    rows = [
        (
            f"{what}, {kind.replace('_', ' account, ') if '_' in kind else kind + ' account'}",
            f"{found[f'{key}_growth_{kind}']:.2f}",
            f"{raw[f'{key}_{kind}_small_us']:,.0f}",
            f"{raw[f'{key}_{kind}_large_us']:,.0f}",
        )
        for key, what, kinds in (("statement", "statement page", _STATEMENTS), ("balance", "balance", _BALANCES))
        for kind in kinds
    ]
    return "## Reads\n\n" + _table(("read", "growth", f"{few}, µs", f"{many}, µs"), rows)


def _raw(found: dict[str, Any]) -> str:
    raw = found["raw"]
    names = (
        ("tpcb", "pgbench, TPC-B-like"),
        ("uniform", "`ledger.post`, spread"),
        ("hot", "`ledger.post`, into one"),
        ("orm", "the ORM reference"),
        ("hordak", "django-hordak"),
    )
    rows = [(what, *(f"{raw[f'{name}_{k}']:,.0f}" for k in CLIENTS)) for name, what in names]
    cpu = [
        (f"{what}: µs of processor in Python", *(f"{raw[f'{name}_{k}_cpu_us']:,.0f}" for k in CLIENTS))
        for name, what in names[1:]
    ]
    head = ("a second", *(f"{k} client{'s' if k > 1 else ''}" for k in CLIENTS))
    many = [(f"{size:,}", f"{raw[f'many_{size}']:,.0f}", f"{raw[f'many_{size}_drafting']:.0%}") for size in BATCHES]
    embedded = [
        ("`ledger.post`", f"{raw['sqlite_uniform']:,.0f}"),
        ("the ORM reference", f"{raw['sqlite_orm']:,.0f}"),
        (f"`post_many`, {BATCHES[-1]:,} a call", f"{raw[f'sqlite_many_{BATCHES[-1]}']:,.0f}"),
    ]
    return "\n\n".join(
        [
            "## Figures, medians",
            _table(head, rows + cpu),
            _table(("`post_many`, drafts a call", "transfers a second", "of the time, making drafts"), many),
            _table(("SQLite, one process", "transfers a second"), embedded),
            f"The block closer alone seals {raw['seal']:,.0f} journals a second.",
        ]
    )


def _how(run: Run) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in run.settings.items())
    yardstick = "\n".join(run.pgbench)
    return f"""## How

```
{run.command}
```

A {run.plan.name} run: {run.plan.rounds} rounds, each rate over {run.plan.lap_seconds:g} seconds; {run.plan.accounts:,}
accounts. The yardstick:

```
{yardstick}
```

- Machine: {run.machine}.
- PostgreSQL: {settings}.
- Commit: {run.commit}."""


_HEAD: Final = """# Performance

How fast the ledger is beside pgbench's TPC-B-like transaction, and beside what others do for one transfer, in the same
run on the same server. Written by `./script/bench --output docs/performance.md`. Ratios come first, since they carry
over from one machine to another better than rates do."""

_NOTES: Final = """## What the figures mean

- Each ratio is the median over the rounds of one rate over another of the same round. In a round every contender runs
  once at each client count, forwards and backwards by turns, so that a slow minute of the machine hits all alike.
- A transfer is one call of `ledger.post` in a transaction of its own: journal, posting, both balances with the check
  against overdraft, running balances and numbers, digest, and the row that waits to be sealed. Clients are Python
  processes, each with one connection, on the cores that the server uses too; pgbench is written in C.
- TPC-B updates three rows, reads one and inserts one in seven round trips. It is a yardstick, not a rival.
- The block closer runs in a process of its own every two seconds, as in production, while `ledger.post` or the ORM
  reference is measured. What it leaves over, the next such lap takes up, so that sealing is paid for.
- `post_many` is measured from one process, making the drafts included, and is sealed between the rounds.
- The ORM reference leaves the same rows as `ledger.post`, through the ORM: it locks both balances, checks them, creates
  journal, posting and the row that waits to be sealed, and saves both balances. django-hordak moves value by its own
  `transfer_to`, with the triggers that it installs, and looks at no balance.
- A statement page has 50 lines; a deep one begins in the middle. Of each account that is read, the last postings are
  not sealed yet. Tables are analysed before reading, as autovacuum would do.
- SQLite runs with the site's own pragmas (WAL, synchronous FULL), one writer."""
