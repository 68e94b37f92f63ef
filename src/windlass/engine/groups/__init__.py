"""Where runs and jobs wait for their concurrency groups: one file per adapter of the port."""
