"""Two members of staff, a user, and what one of them proposes to do to the user."""

import pytest

from members.models import User
from paymentsite.core.actors import Actor
from paymentsite.core.models import Approval
from tests.core.approvals.renaming import rename, staff


@pytest.fixture
def ann() -> Actor:
    return staff("ann")


@pytest.fixture
def bob() -> Actor:
    return staff("bob")


@pytest.fixture
def user() -> User:
    return User.objects.create_user("old@example.com")


@pytest.fixture
def proposal(ann: Actor, user: User) -> Approval:
    return rename(user=user, email="new@example.com", by=ann, reason="asked by letter")
