"""Whose database connections the server uses."""

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, connections, transaction
from django.test import TestCase, TransactionTestCase
from orders.models import Order

from django_rivet.testing import Client


class InATransaction(TestCase):
    """Handlers see what the test has not committed, and the other way round; then all is rolled back."""

    databases = {"default", "memory"}

    def setUp(self):
        self.client = self.enterContext(Client())

    def test_each_way(self):
        Order.objects.create(title="of the test")
        assert self.client.get("/orders").json() == ["of the test"]
        assert self.client.get("/count").json() == 1
        assert self.client.post("/orders", json={"title": "of a handler"}).status_code == 200
        assert self.client.get("/many").text == "3"
        assert Order.objects.count() == 3

    def test_nothing_is_left(self):
        assert Order.objects.count() == 0
        self.test_each_way()

    def test_a_database_in_memory(self):
        Order.objects.using("memory").create(title="in memory")
        assert self.client.get("/memory").json() == 1

    def test_the_connection_stays_the_tests(self):
        before = connection.connection
        for _ in range(3):
            self.client.get("/orders")
        self.client.close()
        assert connection.connection is before
        assert connection.in_atomic_block
        assert not connection.allow_thread_sharing
        assert "close" not in vars(connection)

    def test_one_thread_at_a_time_uses_it(self):
        assert {self.client.get("/thread").text for _ in range(30)} == {"rivet-pool-0"}

    def test_a_transaction_of_the_test(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.client.get("/many")
            raise IntegrityError
        assert self.client.get("/orders").json() == []

    def test_two_clients(self):
        with Client() as other:
            self.client.get("/many")
            assert other.get("/orders").json() == ["from a view"]
            assert self.client.get("/orders").json() == ["from a view"]


class Committed(TransactionTestCase):
    """The server has connections of its own, as in production."""

    databases = {"default", "memory"}

    def test_each_way(self):
        with Client() as client:
            Order.objects.create(title="of the test")
            assert client.get("/orders").json() == ["of the test"]
            assert client.get("/count").json() == 1
            assert client.post("/orders", json={"title": "of a handler"}).status_code == 200
            assert Order.objects.count() == 2
            with transaction.atomic():
                User.objects.create_user("ann")
                assert not connections["default"].allow_thread_sharing

    def test_a_database_in_memory_is_shared_all_the_same(self):
        with Client() as client:
            Order.objects.using("memory").create(title="in memory")
            assert client.get("/memory").json() == 1
