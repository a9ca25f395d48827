"""llmops-tui: prompt iteration and regression review in the terminal."""

__version__ = "0.1.0"
