"""Books and who wrote them."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=50)


class Book(models.Model):
    title = models.CharField(max_length=50)
    pages = models.IntegerField()
    secret = models.CharField(max_length=50, default="not for readers")
    author = models.ForeignKey(Author, models.CASCADE)
