from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """The project's own user from the first migration on: a later change of model is hardly possible.

    https://docs.djangoproject.com/en/6.1/topics/auth/customizing/#using-a-custom-user-model-when-starting-a-project
    """
