"""Which rows are terms is declared, and no table of them is left out."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from cards.models import CodeKey
from members.models import Limit, Member, User
from paymentsite.core import terms
from paymentsite.core.standing import tables
from paymentsite.core.versions import Version
from paymentsite.ledger.models import Account, Journal
from wallets.models import FeeRule, Notification


def test_what_is_replaced_rather_than_edited_is_decided():
    versions = {model for model in apps.get_models() if issubclass(model, Version)}

    assert versions == {Limit, FeeRule}
    assert versions <= {each.model for each in terms.registered()}


def test_what_is_about_nobody_is_decided_or_else_looked_after():
    """A table of these apps whose rows lead to no member and to nothing in the books is what operators decided."""
    roots = {Member, Account, Journal}
    ours = {model for model in tables() if model._meta.app_label in {"members", "wallets", "cards"}}
    about = set(roots)
    while more := {model for model in ours - about if about & led_to(model)}:
        about |= more
    # Whose rights are compared with the trail elsewhere, what gateways said, and keys that the vault holds.
    others = {User, Notification, CodeKey}

    assert ours - about - others == {each.model for each in terms.registered()} - about


def led_to(model: type[Model]) -> set[Any]:
    return {field.related_model for field in model._meta.concrete_fields if field.remote_field}


def test_column_that_there_is_not_cannot_be_excepted():
    with pytest.raises(TypeError):
        terms.decided(except_columns=["weight"])(Limit)
