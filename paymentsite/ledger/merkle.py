"""The tree of RFC 6962 over a block's leaves: its root, and the path that proves one leaf to be in it."""

from collections.abc import Sequence

from paymentsite.ledger.canon import node


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The tree from its leaves up to its root; a node without a neighbour moves up as it is."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        below = rows[-1]
        above = [node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            above.append(below[-1])
        rows.append(above)
    return rows


def root(leaves: Sequence[bytes]) -> bytes:
    return levels(leaves)[-1][0]


def path(leaves: Sequence[bytes], position: int) -> list[tuple[str, bytes]]:
    """The neighbours from leaf ``position`` up to the root, each with the side it stands on."""
    steps = []
    for row in levels(leaves)[:-1]:
        neighbour = position ^ 1
        if neighbour < len(row):
            steps.append(("left" if neighbour < position else "right", row[neighbour]))
        position //= 2
    return steps


def climb(leaf: bytes, steps: Sequence[tuple[str, bytes]]) -> bytes:
    """The root that ``leaf`` and its path lead to."""
    at = leaf
    for side, neighbour in steps:
        at = node(neighbour, at) if side == "left" else node(at, neighbour)
    return at
