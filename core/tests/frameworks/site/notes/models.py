"""What both frameworks show."""

from django.contrib.auth.models import User
from django.db import models


class Note(models.Model):
    title = models.CharField(max_length=20)
    text = models.TextField(blank=True)
    owner = models.ForeignKey(User, models.CASCADE)

    class Meta:
        app_label = "notes"
        ordering = ("pk",)
