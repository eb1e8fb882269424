"""The space of tasks: networks that learn different tasks, in one prediction space (chapter 3)."""
