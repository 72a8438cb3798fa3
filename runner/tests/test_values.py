"""The codec of the runner."""

from __future__ import annotations

import datetime
import json
import math
import random
import subprocess
import sys
import unittest
from collections import OrderedDict, UserDict, defaultdict, namedtuple
from pathlib import Path
from typing import Any

from _charmer.dialect import Failure
from _charmer.messages import ATTACHED, TAGGED
from _charmer.values import Data, decode, encode, encode_plain, parse

RUNNER = Path(__file__).parents[1]


def round_trip(value: Any) -> Any:
    flags, parts = encode(value, 'value')
    return decode(memoryview(b''.join(parts)), flags)


def refusal(value: Any) -> str:
    try:
        encode(value, 'result')
    except Failure as failure:
        assert failure.code == 'RESULT_INVALID'
        return failure.message
    raise AssertionError('it was encoded')


def any_value(choice: random.Random, depth: int = 0) -> Any:
    leaves = [
        None,
        True,
        choice.randint(-(2**70), 2**70),
        choice.uniform(-1e9, 1e9),
        math.inf,
        -0.0,
        'x"\\\n\x00ü😀',
        '\ud800',
        choice.getrandbits(64).to_bytes(8, 'big'),
        b'',
    ]
    if depth > 4 or choice.random() < 0.4:
        return choice.choice(leaves)
    if choice.random() < 0.5:
        return [any_value(choice, depth + 1) for _ in range(choice.randint(0, 4))]
    keys = ['a', '$', '$$', '$bytes', '$int', 'ключ', '', '__proto__', '1']
    return {key: any_value(choice, depth + 1) for key in choice.sample(keys, choice.randint(0, 4))}


class Codec(unittest.TestCase):
    def test_encode_and_decode_are_inverse(self) -> None:
        for seed in range(2000):
            value = any_value(random.Random(seed))
            self.assertEqual(repr(round_trip(value)), repr(value), seed)

    def test_plain_values_are_what_json_writes(self) -> None:
        for value in (1, -1, 1.5, 1e300, 'x', 'ü"', None, True, [], {}, [1, [2.5, {'a': None}]], (1, 2), {'$a': 1}):
            expected = json.dumps(value, ensure_ascii=False, separators=(',', ':'))
            self.assertEqual(encode_plain(value), expected)
            self.assertEqual(encode(value, 'v'), (0, [expected.encode()]))

    def test_subclasses_of_containers_cross_by_content(self) -> None:
        Pair = namedtuple('Pair', 'a b')
        self.assertEqual(
            round_trip([OrderedDict(a=1), defaultdict(int, b=2), Pair(1, 2)]), [{'a': 1}, {'b': 2}, [1, 2]]
        )

    def test_keys_become_the_text_that_json_gives(self) -> None:
        keys = {True: 1, None: 2, 3: 4, 1.5: 6, (1,): 7, b'x': 8}
        expected = {'true': 1, 'null': 2, '3': 4, '1.5': 6, '(1,)': 7, "b'x'": 8}
        self.assertEqual(round_trip(keys), expected)
        self.assertEqual(round_trip({'padding': 'x' * 600, 'in': [keys]})['in'], [expected])

    def test_keys_that_collide_are_refused_in_values_of_any_size(self) -> None:
        for one, other in ((1, '1'), (True, 'true'), (None, 'null'), (1.5, '1.5'), (-7, '-7')):
            for padding in ('', 'x' * 600):
                message = refusal({'padding': padding, 'in': [{one: 'a', other: 'b'}]})
                self.assertEqual(message, f"Two keys of the dict at 'result.in[0]' become the text '{other}'")

    def test_names_of_numbers_inside_of_text_are_no_keys(self) -> None:
        value = {'padding': 'x' * 600, 'text': '{"1":2,"true":3}', 'n': {'a1': 1, 'untrue': 2}}
        self.assertEqual(round_trip(value), value)

    def test_depth_is_limited_to_200(self) -> None:
        def nest(levels: int, wrap: Any) -> Any:
            value: Any = 'x' * 500
            for _ in range(levels):
                value = wrap(value)
            return value

        for wrap in (lambda inner: [inner], lambda inner: {'a': inner}):
            self.assertIsNotNone(encode_plain(nest(200, wrap)))
            for levels in (201, 900, 100_000):
                self.assertIn('nests deeper than 200 levels', refusal(nest(levels, wrap)))

    def test_brackets_inside_of_text_do_not_count_as_depth(self) -> None:
        value = ['[' * 500, {'a': '{' * 500}, '] ' * 300]
        self.assertEqual(round_trip(value), value)
        wide: list[Any] = [[{}] for _ in range(1000)]
        self.assertIsNotNone(encode_plain(wide))

    def test_cycles_are_refused(self) -> None:
        cycle: dict[str, Any] = {}
        cycle['in'] = [cycle]
        self.assertEqual(refusal(cycle), "Value at 'result.in[0]' contains itself, expected a tree")
        shared = [1]
        self.assertEqual(round_trip([shared, shared]), [[1], [1]])

    def test_strangers_are_refused_by_name(self) -> None:
        for value, name in (
            (datetime.datetime(2020, 1, 1), 'datetime.datetime'),
            ({1}, 'set'),
            (1j, 'complex'),
            (refusal, 'function'),
            (UserDict(), 'collections.UserDict'),
            (iter([]), 'list_iterator'),
        ):
            expected = f"'result[0].a' is of type '{name}', expected a JSON value, bytes or an array"
            self.assertEqual(refusal([{'a': value}]), expected)

    def test_data_keeps_its_mark(self) -> None:
        value = Data({'type': 'audio', 'samples': b'\x00', 'more': [Data({'type': 'x'})]})
        self.assertEqual(round_trip([value]), [value])
        flags, _ = encode(value, 'v')
        self.assertEqual(flags, TAGGED | ATTACHED)

    def test_damaged_payloads_are_value_errors(self) -> None:
        flags, parts = encode([b'abc', {'a': b''}], 'v')
        whole = b''.join(parts)
        for size in range(len(whole)):
            with self.assertRaises((ValueError, TypeError)):
                decode(memoryview(whole[:size]), flags)
        for text in ('', '[1', '1 2', '{"$bytes":0}', '{"$what":1}', '{"$data":1}', '{"$int":1}', 'NaN'):
            with self.assertRaises(ValueError):
                decode(memoryview(text.encode()), TAGGED)

    def test_parse_takes_one_whole_value(self) -> None:
        self.assertEqual(parse('{"a":[1,2.5,"x"]}'), {'a': [1, 2.5, 'x']})
        for text in ('', ' 1', '1,', 'tru', '[1,]'):
            with self.assertRaises(ValueError):
                parse(text)


class Arrays(unittest.TestCase):
    def test_arrays_cross_as_bytes_with_dtype_and_shape(self) -> None:
        class ndarray:  # noqa: N801
            """As much of NumPy's array as the codec looks at."""

            class dtype:  # noqa: N801
                str = '<f4'
                hasobject = False
                fields = None

            shape = (1, 2)

            def tobytes(self) -> bytes:
                return bytes(8)

        fields = {'type': 'numpy', 'dtype': '<f4', 'shape': [1, 2], 'data': bytes(8)}
        self.assertEqual(round_trip([ndarray()]), [Data(fields)])


class Start(unittest.TestCase):
    def test_the_runner_starts_without_heavy_modules(self) -> None:
        script = f'import sys; sys.path.insert(0, {str(RUNNER)!r}); import _charmer.main; print(*sys.modules)'
        output = subprocess.run([sys.executable, '-I', '-S', '-c', script], capture_output=True, text=True, check=True)
        modules = set(output.stdout.split())
        heavy = {
            'json',
            're',
            'typing',
            'enum',
            'asyncio',
            'traceback',
            'threading',
            'signal',
            'os',
            'struct',
            'select',
        }
        # What the interpreter itself starts with is not the runner's doing.
        bare = subprocess.run(
            [sys.executable, '-I', '-S', '-c', 'import sys; print(*sys.modules)'],
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(modules & heavy - set(bare.stdout.split()), set())


if __name__ == '__main__':
    unittest.main()
