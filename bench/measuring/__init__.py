"""What several benches need: repositories to run in, and the time that a command takes."""
