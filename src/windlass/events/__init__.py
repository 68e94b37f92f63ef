"""What happens outside and starts runs: pushes, webhooks, schedules."""
