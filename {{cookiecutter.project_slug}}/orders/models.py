from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

MAX_QUANTITY = 1000
MAX_TITLE = 120


class Order(models.Model):
    class Status(models.TextChoices):
        RECEIVED = "received"
        CONFIRMED = "confirmed"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="orders")
    title = models.CharField(max_length=MAX_TITLE)
    quantity = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MAX_QUANTITY)]
    )
    photo = models.ImageField(upload_to="orders", blank=True)
    thumbnail = models.ImageField(upload_to="orders", blank=True, editable=False)
    status = models.CharField(max_length=16, choices=Status, default=Status.RECEIVED, editable=False)
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__range=(1, MAX_QUANTITY)), name="order_quantity_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.pk])
