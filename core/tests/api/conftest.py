"""Settings of the tests in this folder."""

from configured import configure

configure(
    "django.contrib.contenttypes",
    "library",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
