"""Where a run's signals are kept: one file per adapter behind `interface.Journal`."""
