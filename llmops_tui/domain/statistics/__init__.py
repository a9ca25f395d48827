"""Statistics of paired evaluations: pure functions with their sources."""
