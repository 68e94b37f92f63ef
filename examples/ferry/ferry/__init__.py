"""The timetable of a small ferry."""
