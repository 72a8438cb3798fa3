"""The same sum as a method of a resident plugin."""


def add(a, b):
    return a + b
