"""The Python side of Charmer: reads frames, runs a format's dialect, answers."""
