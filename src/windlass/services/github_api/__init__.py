"""A part of GitHub's REST API for what this machine knows: the repository, the event, the run.

It answers reading questions from Git, the event's payload and the events of the run, in GitHub's
shapes. Everything else is refused in GitHub's shape of an error, with what to do about it.
"""
