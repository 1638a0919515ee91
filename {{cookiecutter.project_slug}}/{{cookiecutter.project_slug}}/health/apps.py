from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = __package__
    label = "health"
