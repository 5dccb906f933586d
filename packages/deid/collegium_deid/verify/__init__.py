"""Look at an output with fresh eyes. Shares no code with the engine; import-linter holds it to that."""
