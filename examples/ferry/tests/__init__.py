"""Tests of the ferry."""
