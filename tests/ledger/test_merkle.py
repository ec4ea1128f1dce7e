"""The tree over a block's leaves: RFC 6962's own, with a path for every leaf and for no other."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paymentsite.ledger import merkle

# The entries and roots that the implementations of Certificate Transparency test each other with.
ENTRIES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [sha256(b"\x00" + bytes.fromhex(entry)).digest() for entry in ENTRIES]


def split_at_the_largest_power_of_two(leaves: list[bytes]) -> bytes:
    """The root as the RFC defines it."""
    if len(leaves) == 1:
        return leaves[0]
    size = 1
    while size * 2 < len(leaves):
        size *= 2
    halves = map(split_at_the_largest_power_of_two, (leaves[:size], leaves[size:]))
    return sha256(b"\x01" + b"".join(halves)).digest()


@pytest.mark.parametrize("count", range(1, 9))
def test_root_is_that_of_certificate_transparency(count):
    assert merkle.root(LEAVES[:count]).hex() == ROOTS[count - 1]


leaves_of = st.integers(1, 70).map(lambda count: [sha256(bytes([number])).digest() for number in range(count)])


@given(leaves_of)
def test_root_is_the_one_that_the_rfc_defines(leaves):
    assert merkle.root(leaves) == split_at_the_largest_power_of_two(leaves)


@given(leaves_of, st.data())
def test_path_leads_from_its_leaf_to_the_root_and_from_no_other(leaves, data):
    position = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) - 1))

    steps = merkle.path(leaves, position)

    assert merkle.climb(leaves[position], steps) == merkle.root(leaves)
    assert (merkle.climb(leaves[other], steps) == merkle.root(leaves)) is (other == position)


@given(leaves_of, st.data())
def test_path_with_a_step_changed_leads_elsewhere(leaves, data):
    position = data.draw(st.integers(0, len(leaves) - 1))
    steps = merkle.path(leaves, position)
    if not steps:
        return
    changed = data.draw(st.integers(0, len(steps) - 1))
    side, neighbour = steps[changed]
    turned = [*steps]
    turned[changed] = data.draw(
        st.sampled_from([({"left": "right", "right": "left"}[side], neighbour), (side, neighbour[::-1])])
    )

    assert merkle.climb(leaves[position], turned) != merkle.root(leaves)


@given(leaves_of.filter(lambda leaves: len(leaves) > 1), st.data())
def test_leaves_in_another_order_have_another_root(leaves, data):
    one, other = data.draw(st.lists(st.integers(0, len(leaves) - 1), min_size=2, max_size=2, unique=True))
    swapped = [*leaves]
    swapped[one], swapped[other] = swapped[other], swapped[one]

    assert merkle.root(swapped) != merkle.root(leaves)
