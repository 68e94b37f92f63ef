"""Problem matchers: patterns that find errors and warnings in what steps print.

Source: actions/runner src/Runner.Worker/IssueMatcher.cs, Handlers/OutputManager.cs
"""
