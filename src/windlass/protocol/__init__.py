"""Types that cross a process: frozen, versioned."""
