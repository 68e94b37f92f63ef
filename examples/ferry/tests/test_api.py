"""The API with a real database and a real memory behind it."""

import json
import threading
import unittest
from urllib.request import Request, urlopen

from ferry.api import make_server
from ferry.stores import Crossings


class TestApi(unittest.TestCase):
    def setUp(self) -> None:
        self.store = Crossings()
        self.server = make_server(self.store)
        threading.Thread(target=self.server.serve_forever, args=(0.01,)).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/crossings"

    def tearDown(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.store.close()

    def test_what_is_planned_is_listed(self) -> None:
        wish = json.dumps({"port": "Piraeus", "seats": 120}).encode()
        with urlopen(Request(self.url, data=wish, method="POST")) as answer:
            number = json.load(answer)["number"]
        with urlopen(self.url) as answer:
            listed = json.load(answer)
        self.assertIn({"number": number, "port": "Piraeus", "seats": 120}, listed)

    def test_the_last_one_is_remembered(self) -> None:
        number = self.store.plan("Naxos", 80)
        with urlopen(f"{self.url}/last") as answer:
            self.assertEqual(json.load(answer)["number"], number)
