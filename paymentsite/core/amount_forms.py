"""Forms of the back office that ask for amounts, typed in whole units, and for shares, typed in percent."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from paymentsite.core.errors import DomainError
from paymentsite.core.formats import percent, read, read_percent, share
from paymentsite.core.money import Money


class AmountField(forms.CharField):
    """An amount in whole units of its form's currency, such as ``12.50``; see ``AmountForm``.

    Left empty, where it may be, it is ``otherwise``, in smallest parts.
    """

    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, otherwise: int | None = None, **options: Any) -> None:
        self.otherwise = otherwise
        super().__init__(**{**options, "max_length": 30})


class PercentField(forms.CharField):
    """A share, typed and shown in percent, such as ``12.5``; what it begins with and answers is hundredths of one.

    Left empty, where it may be, it is None.
    """

    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, most: int = 10_000, **options: Any) -> None:
        self.most = most
        super().__init__(**{"help_text": _("in percent"), **options, "max_length": 30})

    def prepare_value(self, value: Any) -> Any:
        return percent(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        if not (text := super().clean(value)):
            return None
        bp = read_percent(text)
        if bp is None:
            raise forms.ValidationError(_("Write it in percent, like 12 or 12.5."))
        if bp > self.most:
            raise forms.ValidationError(_("At most %(most)s."), params={"most": share(self.most)})
        return bp


class AmountForm(forms.Form):
    """Its amounts are of the currency that it asks for, or begins with; ``unit`` may say otherwise. What it gives back
    of them, and what it begins with, are smallest parts; what people see and type are whole units."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial = dict(self.initial)
        currency = self.unit(self.initial)
        for name in self._amounts():
            minor = self.initial.pop(name, None)
            if currency and minor is not None:
                self.initial[name] = str(Money(minor, currency).decimal)

    def clean(self) -> dict[str, Any]:
        answers: dict[str, Any] = super().clean() or self.cleaned_data
        if "currency" in answers:
            answers["currency"] = answers["currency"].upper()
        currency = self.unit({**self.initial, **answers})
        for name, field in self._amounts().items():
            text = answers.get(name)
            try:
                answers[name] = read(text, currency).minor if text else field.otherwise
            except DomainError as refusal:
                self.add_error(name, str(refusal))
        return answers

    def unit(self, values: dict[str, Any]) -> str:
        """What amounts are counted in beside ``values`` of the other fields."""
        return values.get("currency") or ""

    def _amounts(self) -> dict[str, AmountField]:
        return {name: field for name, field in self.fields.items() if isinstance(field, AmountField)}
