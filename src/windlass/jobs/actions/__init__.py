"""Actions as a job meets them: where they are read from, and how those in JavaScript are run."""
