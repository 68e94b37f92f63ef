"""One job's life: workspace, environment, steps, commands, masking, executors."""
