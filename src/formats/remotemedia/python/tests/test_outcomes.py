"""Every recorded case of `outcomes.json`, driven through the dialect in this process.

Cases that are about a process (its exit, its signals, its output) are in `test_command_line.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import sys
import unittest
from typing import Any, Optional

from support import (
    HAS_NUMPY,
    SESSION,
    FakeCall,
    FakeHost,
    forget_plugins,
    load,
    needs_numpy,
    opening,
    text_notation,
    to_notation,
    to_wire,
)

# isort: split
import dialect
from _charmer.dialect import Failure

# Cases that only a process can show; `test_command_line.py` runs these.
PROCESS_CASES = {
    'process-kinds/ExitsProcess',
    'process-kinds/SleepsForever',
    'printer',
    'hang/HangsInCleanup',
    'hang/IgnoresSigterm',
    'hang/BlocksInProcess',
    'hang/HangsInInitialize',
    'barge-in/sigterm-mid-turn',
    'trace/no-session-flag',
    'collision/built-in-without-plugin',
    'broken-print-exit',
}
# Numbers of a stream and its neighbours arrive as the clock has it: compared call by call.
INTERLEAVED = {
    'rpc/stream-cancel',
    'rpc/stream-and-data-interleave',
    'rpc/two-streams',
    'rpc/reply-blocks-data',
}
# `array` stands in for NumPy where there is none, and this plugin imports nothing itself.
WORKS_WITHOUT_NUMPY = {'big-echo'}
SECONDS = 20


class Driven:
    """One node behind the dialect, with what its calls gave back in order of arrival."""

    def __init__(self) -> None:
        self.host = FakeHost()
        self.dialect = dialect.create()
        self.log: list[dict[str, Any]] = []
        self.calls: list[Any] = []
        self.stderr = io.StringIO()

    async def open(self, case: dict[str, Any]) -> None:
        plugin = opening(
            case['plugin'],
            case['node_type'],
            root=case.get('module_root'),
            node_id=case.get('node_id', 'n'),
            params=_params(case['params']),
        )
        operations = await self.dialect.open(plugin, self.host)
        assert {'name': 'process', 'kind': 'server-stream', 'wireMode': 'typed'} in operations
        self.host.control.append('READY')

    def send(self, entry: dict[str, Any]) -> None:
        value = to_wire(entry)
        self.calls.append(asyncio.ensure_future(self._call({'type': 'unheard-of'} if value is None else value)))

    async def _call(self, value: dict[str, Any]) -> None:
        call = FakeCall()
        try:
            if value['type'] == 'control':
                await self.dialect.call('control', [value], call)
                return
            outputs = self.dialect.call('process', [value], call)
            async for output in outputs:
                self.log.append({**to_notation(output), 'session': output.get('session', SESSION)})
        except Exception as error:
            failure = error if isinstance(error, Failure) else self.dialect.describe(error)
            if failure is None:
                raise
            self.log.append(
                {
                    'kind': 'error',
                    'code': failure.code,
                    'type': failure.plugin_code,
                    'message': failure.message,
                    'traceback': failure.traceback,
                }
            )
        self.log.append({'kind': 'end'})

    async def collect(self) -> list[dict[str, Any]]:
        for call in self.calls:
            await asyncio.wait_for(call, SECONDS)
        self.calls.clear()
        log, self.log = self.log, []
        return log

    async def close(self) -> None:
        await asyncio.wait_for(self.dialect.close(), SECONDS)


def _params(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _params(item) for key, item in value.items()}
    shortened = re.fullmatch(r"<(\d+) x '(.)'>", value) if isinstance(value, str) else None
    return shortened.group(2) * int(shortened.group(1)) if shortened else value


class Outcomes(unittest.TestCase):
    """Filled below: one method per case."""

    def setUp(self) -> None:
        forget_plugins()
        self.addCleanup(forget_plugins)
        self.maxDiff = 4000

    def run_case(self, case: dict[str, Any]) -> None:
        if case['id'] in PROCESS_CASES:
            self.skipTest('about a process: test_command_line.py')
        if needs_numpy(case['plugin']) and not HAS_NUMPY and case['id'].split('/')[0] not in WORKS_WITHOUT_NUMPY:
            self.skipTest('the plugin needs numpy, which is not installed here')
        driven = Driven()
        before = set(sys.modules)
        with contextlib.redirect_stderr(driven.stderr):
            asyncio.run(self._drive(case, driven))
        if not needs_numpy(case['plugin']):
            self.assertNotIn('numpy', set(sys.modules) - before)

    async def _drive(self, case: dict[str, Any], driven: Driven) -> None:
        ours = case.get('ours', {})
        is_ready = ours.get('ready', 'error' not in ours and case['ready'] is not False)
        if case['id'] == 'process-kinds/FailsInitialize' or not is_ready:
            with self.assertRaises(Failure) as raised:
                await driven.open(case)
            self._check_error(_as_error(raised.exception), ours.get('error', {}))
            self.assertEqual(driven.host.control, [])
        else:
            await driven.open(case)
            for turn in case['turns']:
                await self._step(case, turn, driven)
        await driven.close()
        if is_ready and case['ready']:
            self.assertEqual(driven.host.control, case['control'])
        self._check_end(case, driven)

    async def _step(self, case: dict[str, Any], turn: dict[str, Any], driven: Driven) -> None:
        if 'sleep' in turn:
            await asyncio.sleep(turn['sleep'])
            return
        if 'in' in turn:
            driven.send(turn['in'])
        if turn.get('out') == 'collected with the next row':
            return
        found = await driven.collect()
        if case.get('needs') == 'installer':
            # What such a node answers depends on its environment, which the host provides.
            self.assertEqual([entry['kind'] for entry in found], ['text', 'end'])
            return
        self._check_turn(case, turn, found)

    def _check_turn(self, case: dict[str, Any], turn: dict[str, Any], found: list[dict[str, Any]]) -> None:
        ours = turn.get('ours', {})
        case_ours = case.get('ours', {})
        entry = turn.get('in', {})
        if entry.get('kind') == 'control':
            is_known = isinstance(entry['json']['message_type'], dict)
            self.assertEqual([part.get('code') for part in found], [] if is_known else ['ARGUMENT_INVALID', None])
            return
        if entry and to_wire(entry) is None:
            # What our host cannot send is refused at once, by the frame codec or, as here, by the reader of inputs.
            self.assertEqual([entry.get('code') for entry in found], ['ARGUMENT_INVALID', None])
            return
        self._check_sessions(turn, ours, found)
        plain = [{key: value for key, value in entry.items() if key != 'session'} for entry in found]
        if case['id'] in INTERLEAVED:
            self._check_groups(turn['out'], plain)
            return
        if 'reply_json_has' in ours or 'reply_json_matches' in ours:
            self._check_reply_json(turn, ours, plain)
            return
        if case_ours.get('reply_json_has') is not None:
            value = json.loads(plain[0]['text'])
            self.assertEqual({key: value[key] for key in case_ours['reply_json_has']}, case_ours['reply_json_has'])
            return
        if 'reply' in ours:
            self._check_reply(plain, ours['reply'])
            return
        if 'ours' not in turn:
            # Where the original only logged what was raised, we tell it (R42).
            logged = ' '.join(case.get('errors', []))
            plain = [part for part in plain if part['kind'] != 'error' or part['message'] not in logged]
        if case['id'].startswith('barge-in/'):
            # The call that barges in ends before the turn it ends.
            plain.sort(key=lambda entry: entry['kind'] == 'end')
        self._check_outputs(self._expected(turn, ours, case_ours), plain)

    def _expected(self, turn: dict[str, Any], ours: dict[str, Any], case_ours: dict[str, Any]) -> list[dict[str, Any]]:
        out = ours.get('out', case_ours.get('out', turn['out']))
        expected = [{key: value for key, value in entry.items() if key != 'session'} for entry in out]
        if 'out_then' in ours:
            expected.insert(len(expected) - 1, ours['out_then'])
        if 'data' in ours:
            # The dialect hands out everything; what belongs to taps only is taken out by the host.
            expected = [entry for entry in turn['out'] if entry['kind'] == 'text'] + [{'kind': 'end'}]
        return expected

    def _check_outputs(self, expected: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
        if expected and expected[-1]['kind'] == 'error':
            # No end is owed by a node that is gone; here the call itself still ends.
            found = found[:-1]
        self.assertEqual([entry['kind'] for entry in found], [entry['kind'] for entry in expected], found)
        for want, have in zip(expected, found):
            if want['kind'] == 'error':
                self._check_error(have, want)
                continue
            for key, value in want.items():
                if key == 'session':
                    continue
                if key == 'channel' and value == 'tts':
                    self.assertNotIn('channel', have)
                elif key == 'text' and sys.version_info < (3, 10):
                    # Older Pythons name a function without its class when its arguments do not fit.
                    self.assertEqual(have['text'], value.replace(' RpcNode.', ' '))
                elif key == 'utf8':
                    self.assertEqual(have['value'], json.loads(value))
                else:
                    self.assertEqual(have.get(key), value, key)
            if want['kind'] == 'text' and 'channel' not in want:
                self.assertNotIn('channel', have)

    def _check_error(self, found: dict[str, Any], want: dict[str, Any]) -> None:
        for key in ('type', 'message', 'phase'):
            if key in want:
                self.assertEqual(found.get(key), want[key], found)
        for piece in want.get('message_has', []):
            self.assertIn(piece, found['message'])
        if 'says' in want:
            self.assertIn(want['says'].split('the ', 1)[1], found['message'])
        wanted = want.get('traceback_has', [])
        for piece in [wanted] if isinstance(wanted, str) else wanted:
            self.assertIn(piece, found['traceback'])

    def _check_sessions(self, turn: dict[str, Any], ours: dict[str, Any], found: list[dict[str, Any]]) -> None:
        """Outputs have the session of their input; one that names none has the last (R77)."""
        session = ours.get('out_session') or turn.get('in', {}).get('session') or SESSION
        for entry in found:
            if 'session' in entry:
                self.assertEqual(entry['session'], session)

    def _check_reply_json(self, turn: dict[str, Any], ours: dict[str, Any], found: list[dict[str, Any]]) -> None:
        self.assertEqual(found[0]['kind'], 'text', found)
        value = json.loads(found[0]['text'])
        expected = dict(ours['reply_json_has'])
        if turn['out']:
            expected = {**json.loads(turn['out'][0]['text']), **expected}
            self.assertEqual(value, expected)
        else:
            self.assertEqual({key: value[key] for key in expected}, expected)
        rest = [{'kind': 'end'}]
        if 'out_then' in ours:
            rest.insert(0, ours['out_then'])
        self._check_outputs(rest, found[1:])

    def _check_reply(self, found: list[dict[str, Any]], want: dict[str, Any]) -> None:
        self.assertEqual([entry['kind'] for entry in found], ['text', 'end'])
        self.assertEqual(found[0]['channel'], 'rpc')
        payload = json.loads(found[0]['text'])['payload']
        for piece in want.get('data_has', []):
            self.assertIn(piece, payload['data'])
        exact = {key: value for key, value in want.items() if key != 'data_has'}
        self.assertEqual({key: payload[key] for key in exact}, exact)

    def _check_groups(self, out: list[dict[str, Any]], found: list[dict[str, Any]]) -> None:
        expected, have = _by_call(out), _by_call(found)
        self.assertEqual(set(have), set(expected))
        for key, entries in expected.items():
            if any('more_values' in entry for entry in out) and key == 'a:1':
                self.assertEqual(have[key][0], entries[0])
                self.assertEqual(have[key][-1], entries[-1])
                self.assertLess(len(have[key]), 1000)
            else:
                self.assertEqual(have[key], entries)

    def _check_end(self, case: dict[str, Any], driven: Driven) -> None:
        printed = driven.stderr.getvalue()
        stats = _printed(printed, 'STATS ')
        if 'stats' in case:
            self.assertEqual(stats, {**case['stats'], **case.get('ours', {}).get('stats', {})})
        if 'trace' in case:
            self.assertEqual(_printed(printed, 'TRACE '), case['trace'])
        ended = driven.host.of_type('ended')
        if ended:
            self.assertEqual([event['code'] for event in ended], [case.get('exit', 0)])
        reported = case.get('ours', {}).get('close_reports')
        errors = driven.host.of_type('error')
        if reported:
            self.assertEqual([(e['plugin_code'], e['message']) for e in errors], [tuple(reported.values())])
        elif case['id'] == 'rpc/fire-and-forget':
            self.assertEqual([(e['phase'], e['method']) for e in errors], [('rpc', 'note_badly')] * 2)
        else:
            self.assertEqual(errors, [])


def _as_error(failure: Failure) -> dict[str, Any]:
    return {
        'message': failure.message,
        'type': failure.plugin_code,
        'traceback': failure.traceback or '',
        'phase': failure.fields.get('phase'),
    }


def _printed(text: str, mark: str) -> Optional[Any]:
    lines = [line[len(mark) :] for line in text.splitlines() if line.startswith(mark)]
    return json.loads(lines[-1]) if lines else None


def _by_call(entries: list[dict[str, Any]]) -> dict[Any, list[Any]]:
    """Replies by the id of their call, data under None, and the number of ends."""
    groups: dict[Any, list[Any]] = {}
    for entry in entries:
        if entry.get('kind') == 'end':
            groups.setdefault('ends', []).append('end')
        elif entry.get('channel') == 'rpc':
            payload = json.loads(entry['text'])['payload']
            groups.setdefault(payload['corr_id'], []).append(payload)
        elif 'kind' in entry:
            groups.setdefault(None, []).append(text_notation(entry['text']))
    return groups


def _add(case: dict[str, Any]) -> None:
    def test(self: Outcomes) -> None:
        self.run_case(case)

    rows = '_'.join(case['rows'])
    test.__doc__ = f'{case["id"]} ({", ".join(case["rows"])})'
    setattr(Outcomes, f'test_{re.sub("[^A-Za-z0-9]+", "_", case["id"])}_{rows}', test)


for _case in load('outcomes.json')['cases']:
    _add(_case)

if __name__ == '__main__':
    unittest.main()
