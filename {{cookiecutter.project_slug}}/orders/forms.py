from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from .models import Order
from .photos import FORMATS, check_photo


class OrderForm(forms.ModelForm[Order]):
    # A plain FileField: Django's ImageField would decode the file before our bounds are checked.
    photo = forms.FileField(
        required=False,
        help_text="Optional. JPEG, PNG or WebP.",
        widget=forms.FileInput(attrs={"accept": ",".join(FORMATS.values())}),
    )

    class Meta:
        model = Order
        fields = ["title", "quantity", "photo"]
        widgets = {"title": forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Coffee beans"})}

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        try:
            title.encode()  # JSON can carry half a surrogate pair, which no database stores
        except UnicodeEncodeError:
            raise ValidationError("This title has characters that are not text.") from None
        return title

    def clean_photo(self) -> Any:
        photo = self.cleaned_data["photo"]
        return check_photo(photo) if isinstance(photo, UploadedFile) else photo
