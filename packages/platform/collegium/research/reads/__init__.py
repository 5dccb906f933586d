"""The read, a reader's signed product of a task: open, save, submit, sign, correct."""
