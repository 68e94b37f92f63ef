"""A small process beside every job, which owns the job's processes and outlives Windlass.

`process` is that process, `client` how Windlass talks to it. Both import little: it is there before
the first step.
"""
