from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from .models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin[Job]):
    list_display = ["name", "created", "attempts", "done_at", "failed_at", "last_error"]
    list_filter = ["name", "done_at", "failed_at"]
    readonly_fields = [field.name for field in Job._meta.fields]
    actions = ["try_again"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a job belongs to the transaction that asks for it

    @admin.action(description="Try again what was given up", permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        queryset.exclude(failed_at=None).update(failed_at=None, attempts=0, due=timezone.now())
