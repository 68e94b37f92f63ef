"""The ways to run a job's processes. `interface` is the contract; one file per adapter."""
