"""Settings of the tests in this folder."""

from configured import configure

configure()
