// Never run: the executor of these scenarios has no processes.
