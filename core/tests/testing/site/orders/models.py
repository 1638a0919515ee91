"""What the handlers keep."""

from django.db import models


class Order(models.Model):
    """An order."""

    title = models.CharField(max_length=100)
