"""For the mixed load: /json without Django, as a native handler would, all else by Django."""

from project.wsgi import application as django

from peers import raw


def application(environ, start_response):
    return (raw.wsgi if environ["PATH_INFO"] == "/json" else django)(environ, start_response)
