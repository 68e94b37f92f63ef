"""The doors of a server: HTTP for people, for runners, for webhooks, and what is told live."""
