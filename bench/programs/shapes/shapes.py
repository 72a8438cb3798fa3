"""One method for every shape of a call."""

__interface_hash__ = 0x5A4E5


def add(a, b):
    return a + b


def echo(value):
    return value


def echo_bytes(data):
    return data


def count(n):
    yield from range(n)


def total(items):
    return sum(items)


def doubled(items):
    for item in items:
        yield item * 2
