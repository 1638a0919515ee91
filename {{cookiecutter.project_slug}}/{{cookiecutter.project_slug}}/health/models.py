from django.db import models


class Heartbeat(models.Model):
    """When something last showed that it lives."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name
