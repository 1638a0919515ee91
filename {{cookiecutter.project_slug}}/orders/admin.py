from django.contrib import admin
from django.http import HttpRequest

from .models import Order


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin[Order]):
    list_display = ["id", "title", "quantity", "user", "status", "created"]
    list_filter = ["status", "created"]
    list_select_related = ["user"]
    search_fields = ["title"]
    readonly_fields = ["user", "photo", "thumbnail", "status", "created"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # an order is placed with its job: see placing.py
