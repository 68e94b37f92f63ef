"""A small process beside every job, which owns the job's processes and outlives Windlass.

`process` is that process, `server` starts it, `client` is how Windlass talks to both. They import
little: all of it is there before the first step.
"""
