"""Which PINs a thief would try first. Pure: knows digits, and what is told of the person."""

from collections.abc import Iterator
from datetime import date
from typing import Final

DIGITS: Final = 6
_UP: Final = "0123456789" * 2
_PERIODS: Final = (1, 2, 3)

# What people choose most beside runs, repetitions and dates: keypad figures, years in a row, words in digits, and
# numbers that sound like something (520, "I love you"; 1314, "for ever"; 168, "all the way to riches").
_LISTED: Final = """
    112233 123321 123654 789456 456123 789123 147258 258369 147852 147896 159753 357159 753951 951753 159357 258456
    741852 852963 963852 741963 369258 963741 852741 142536 147369 321654 654123 456654 789987 987321 123789 789321
    111222 222333 333444 111333 112211 122333 122112 223344 334455 332211 443322 121314 131415 151617 101112 102030
    010203 203040 100200 100100 200200 100000 100001 000001 000007 007007 110120 110119 119120 112358 314159 271828
    141421 161803 135790 135246 246810 246135 136900 131452 131420 520131 520123 521131 584520 591314 201314 211314
    584131 530530 168888 888168 886688 668866 666888 888666 999888 888999 688688 518888 123450 012340 123455 112345
    123466 123457 654322 987655 420420 202122 197531 864209 147741 159951
"""
COMMON: Final = frozenset(_LISTED.split())


def is_weak(digits: str, *, birthday: date | None, phone: str) -> bool:
    """Whether six ``digits`` are repeated, a run, common, the person's date of birth, or how their phone ends."""
    return (
        any(digits[:period] * (DIGITS // period) == digits for period in _PERIODS)
        or digits in _UP
        or digits[::-1] in _UP
        or digits in COMMON
        or phone.endswith(digits)
        or (birthday is not None and digits in set(_written(birthday)))
    )


def _written(day: date) -> Iterator[str]:
    """A date in the ways that people write one with six digits."""
    for form in ("%y%m%d", "%d%m%y", "%m%d%y", "%y%d%m", "%Y%m", "%m%Y"):
        yield day.strftime(form)
    yield f"{day.year}{day.month}{day.day}"[:DIGITS]
    yield f"{day.month}{day.day}{day.year}"[:DIGITS]
