import unittest

import service


class Greeting(unittest.TestCase):
    def test_names_its_environment(self) -> None:
        configuration = {"greeting": "Hello", "environment": "test"}
        self.assertEqual("Hello from test", service.greet(configuration))

    def test_needs_a_word(self) -> None:
        with self.assertRaises(SystemExit):
            service.greet({"environment": "test"})


if __name__ == "__main__":
    unittest.main()
