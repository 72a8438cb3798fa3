"""The runner's recorded command lines, and the cases that only a process shows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import unittest
from typing import Any, Optional

from runner_process import CLOSE_BOUND_SECONDS, RunnerProcess, arguments, fill
from support import PYTHON, load

CASES = {case['id']: case for case in load('outcomes.json')['cases']}


class Recorded(unittest.TestCase):
    """R58: exit code, whether it became ready, what is said; filled below, one method per command line."""

    def run_row(self, row: dict[str, Any]) -> None:
        runner = RunnerProcess([fill(argument) for argument in row['argv']], row.get('stdin'))
        self.addCleanup(runner.dispose)
        self.assertEqual(runner.wait_ready(), row['ready'])
        code, stdout, stderr = runner.finish(signal.SIGTERM if row['ready'] else None)
        self.assertEqual(code, row['exit'], stderr)
        if row['id'] == 'help':
            self.assertIn(b'--register-module', stdout)
        else:
            self.assertEqual(stdout, b'')
        # Newer Pythons list choices without quotes.
        says = row.get('says', '').split(' (choose from')[0]
        self.assertIn(says, stderr)


class Processes(unittest.TestCase):
    def start(self, case_id: str, session: Optional[str] = 'sess1') -> RunnerProcess:
        case = CASES[case_id]
        runner = RunnerProcess(arguments(case['plugin'], case['node_type'], case['params'], session))
        self.addCleanup(runner.dispose)
        return runner

    def ready(self, case_id: str, session: Optional[str] = 'sess1') -> RunnerProcess:
        runner = self.start(case_id, session)
        self.assertTrue(runner.wait_ready())
        return runner

    def test_echo_answers_and_ends_with_0_after_SIGTERM_R40_R79(self) -> None:
        runner = self.ready('echo')
        runner.send('hi')
        self.assertEqual(runner.turn(), ['echo: hi'])
        self.assertEqual(runner.finish()[0], CASES['echo']['exit'])
        self.assertEqual(runner.control, ['READY'])

    def test_echo_sigint_ends_with_0_R79(self) -> None:
        self.assertEqual(self.ready('echo/sigint').finish(signal.SIGINT)[0], CASES['echo/sigint']['exit'])

    def test_echo_ends_when_its_input_does(self) -> None:
        runner = self.ready('echo')
        runner.send('last')
        runner.input.close()
        self.assertEqual(runner.turn(), ['echo: last'])
        self.assertEqual(runner.finish(None)[0], 0)

    def test_params_of_more_than_an_argument_may_hold_come_by_stdin_R80(self) -> None:
        argv = [*arguments('rpc', 'RpcNode'), '--params-stdin']
        runner = RunnerProcess(argv, json.dumps({'blob': 'x' * 1_000_000}))
        self.addCleanup(runner.dispose)
        self.assertTrue(runner.wait_ready())
        self.assertEqual(runner.finish()[0], 0)

    def test_process_kinds_ExitsProcess_ends_with_its_code_R78(self) -> None:
        runner = self.ready('process-kinds/ExitsProcess')
        runner.send('hi')
        self.assertEqual(runner.turn(), ['process ended'])
        self.assertEqual(runner.finish(None)[0], CASES['process-kinds/ExitsProcess']['exit'])

    def test_process_kinds_SysExits_and_CriticalError_end_the_turn_then_the_process_R42_R78(self) -> None:
        for name, kind in (
            ('SysExits', 'SystemExit'),
            ('CriticalError', 'MemoryError'),
            ('KeyboardInterrupts', 'KeyboardInterrupt'),
        ):
            case = CASES[f'process-kinds/{name}']
            with self.subTest(name):
                runner = self.ready(case['id'])
                runner.send('hi')
                self.assertEqual(runner.turn(), [])
                self.assertEqual([error['type'] for error in runner.errors], [kind])
                code, _, stderr = runner.finish(None)
                self.assertEqual(code, case['exit'], stderr)
                self.assertIn('STATS ', stderr)

    def test_process_kinds_Raises_and_CancelsItself_go_on_after_the_error_R42(self) -> None:
        for name, kind in (('Raises', 'ValueError'), ('CancelsItself', 'CancelledError')):
            with self.subTest(name):
                runner = self.ready(f'process-kinds/{name}')
                for text in ('hi', 'again'):
                    runner.send(text)
                    self.assertEqual(runner.turn(), [])
                self.assertEqual([error['type'] for error in runner.errors], [kind] * 2)
                self.assertIn('process_nodes.py', runner.errors[0]['traceback'])
                self.assertEqual(runner.finish()[0], 0)

    def test_process_kinds_FailsInitialize_ends_with_1_after_cleanup_R61(self) -> None:
        runner = self.start('process-kinds/FailsInitialize')
        self.assertFalse(runner.wait_ready())
        code, _, stderr = runner.finish(None)
        self.assertEqual(code, 1)
        self.assertIn('STATS ', stderr)
        self.assertIn('RuntimeError: model missing', stderr)

    def test_process_kinds_SleepsForever_ends_within_the_bound_R79(self) -> None:
        runner = self.ready('process-kinds/SleepsForever')
        runner.send('hi')
        runner.finish()

    def test_hang_HangsInCleanup_ends_within_the_bound_R79(self) -> None:
        self.ready('hang/HangsInCleanup').finish()

    def test_hang_BlocksInProcess_ends_within_the_bound_R79(self) -> None:
        runner = self.ready('hang/BlocksInProcess')
        runner.send('hi')
        runner.finish()

    def test_hang_HangsInInitialize_ends_within_the_bound_R79(self) -> None:
        argv = arguments('hang', 'HangsInInitialize')
        runner = RunnerProcess([*argv, '--log-level', 'INFO'])
        self.addCleanup(runner.dispose)
        # The runner says on stderr that it begins to initialise: from then on it is past its own start.
        assert runner.process.stderr is not None
        while b'Initializing' not in (runner.process.stderr.readline() or b'Initializing'):
            pass
        runner.finish()

    def test_printer_keeps_stdout_and_stderr_to_itself_R74(self) -> None:
        case = CASES['printer']
        argv = arguments('printer', 'Printer')
        runner = RunnerProcess([*argv, '--log-level', 'ERROR'])
        self.addCleanup(runner.dispose)
        # Nobody may block on the other's pipe: the mebibyte is read while the turn runs.
        runner.send('hi')
        runner.input.close()
        stdout, stderr = runner.process.communicate(timeout=CLOSE_BOUND_SECONDS)
        self.assertEqual(runner.process.returncode, 0)
        lines = stdout.decode('utf-8').splitlines()
        self.assertEqual((len(stdout), lines[0], len(lines)), tuple(case['stdout'].values()))
        self.assertIn(b'e' * 65535, stderr)
        self.assertTrue(runner.wait_ready())
        self.assertEqual(runner.turn(), ['printed'])

    def test_barge_in_sigterm_mid_turn_lets_the_turn_end_R79(self) -> None:
        case = CASES['barge-in/sigterm-mid-turn']
        runner = self.ready(case['id'])
        runner.send('t')
        first = runner.frame()
        assert first is not None
        runner.process.send_signal(signal.SIGTERM)
        texts = [first.payload.decode('utf-8'), *runner.turn()]
        self.assertEqual(texts, [entry['text'] for entry in case['turns'][-1]['out'] if entry['kind'] == 'text'])
        self.assertEqual(runner.finish(None)[0], case['exit'])

    def test_barge_in_reaches_the_handler_while_a_turn_runs_R72(self) -> None:
        for payload, how in ({}, 'port'), ({'corr_id': None, 'args': [], 'kwargs': {}}, 'rpc'):
            with self.subTest(how):
                runner = RunnerProcess(arguments('barge-in', 'SlowSpeaker', {'tokens': 10_000, 'delay': 0.01}))
                self.addCleanup(runner.dispose)
                self.assertTrue(runner.wait_ready())
                runner.send('t')
                self.assertIsNotNone(runner.frame())
                runner.send(json.dumps({'__aux_port__': 'barge_in', 'payload': payload}))
                texts = [*runner.turn(), *runner.turn()]
                self.assertEqual(texts[-1], f'<interrupted by {how}>')
                self.assertEqual(runner.finish()[0], 0)

    def test_trace_no_session_flag_makes_a_session_id_R58_R77(self) -> None:
        case = CASES['trace/no-session-flag']
        runner = self.ready(case['id'], session=None)
        runner.send('hi')
        value = json.loads(runner.turn()[0])
        self.assertRegex(value['session_id'], f'^{case["turns"][0]["ours"]["reply_json_matches"]["session_id"]}$')
        self.assertEqual(value['data_session_id'], 'sess1')

    def test_trace_queued_during_init_keeps_the_order_R61(self) -> None:
        runner = RunnerProcess(arguments('trace', 'SlowInit', {'seconds': 0.2}))
        self.addCleanup(runner.dispose)
        for text in 'abc':
            runner.send(text)
        self.assertEqual([runner.turn() for _ in 'abc'], [['echo a'], ['echo b'], ['echo c']])
        self.assertEqual(runner.control, ['READY'])

    def test_trace_rpc_during_init_is_dispatched_R61_R70(self) -> None:
        runner = RunnerProcess(arguments('trace', 'SlowInit', {'seconds': 0.2}))
        self.addCleanup(runner.dispose)
        runner.send(json.dumps({'__aux_port__': '__rpc_meta__', 'payload': {'corr_id': 'a:1'}}))
        (reply,) = runner.turn()
        self.assertIn('"kind": "value", "data": {}', reply)

    def test_progress_comes_in_the_order_of_the_original_R61_R73(self) -> None:
        for name in ('ProgressNode', 'EarlyProgress'):
            case = CASES[f'progress/{name}']
            with self.subTest(name):
                runner = self.ready(case['id'])
                runner.send('hi')
                self.assertEqual(runner.turn(), ['processing after init: hi'])
                self.assertEqual(runner.control, case['control'])

    def test_inputs_that_cannot_be_decoded_are_reported_at_once_R64_RW27(self) -> None:
        runner = self.ready('echo')
        bad = [
            turn['in'] for turn in CASES['inputs']['turns'] if turn.get('ours', {}).get('note', '').startswith('cannot')
        ]
        from remotemedia.core.multiprocessing.frames import ERROR, pack

        for entry in bad:
            broken = entry['kind'] == 'bytes'
            runner.send_bytes(
                bytes.fromhex(entry['hex'])
                if broken
                else pack(entry['type'], 's', 0, bytes.fromhex(entry['payload_hex']))
            )
            frame = runner.frame()
            self.assertEqual(frame.type if frame else None, ERROR)
        self.assertEqual([error['phase'] for error in runner.errors], ['input'] * len(bad))
        runner.send('still here')
        self.assertEqual(runner.turn(), ['echo: still here'])

    def test_inputs_with_bytes_that_no_text_has_are_read_as_the_original_does_R64(self) -> None:
        runner = RunnerProcess(arguments('inputs', 'Inputs'))
        self.addCleanup(runner.dispose)
        self.assertTrue(runner.wait_ready())
        from remotemedia.core.multiprocessing.frames import pack

        for turn in CASES['inputs']['turns']:
            entry = turn['in']
            if entry['kind'] == 'raw' and entry['type'] == 3:
                runner.send_bytes(pack(3, 'sess1', 0, bytes.fromhex(entry['payload_hex'])))
                expected = {**json.loads(turn['out'][0]['text']), **turn['ours']['reply_json_has']}
                self.assertEqual(json.loads(runner.turn()[0]), expected)

    def test_collision_built_in_without_plugin_is_unknown_R76(self) -> None:
        runner = self.start('collision/built-in-without-plugin')
        self.assertFalse(runner.wait_ready())
        code, _, stderr = runner.finish(None)
        self.assertEqual(code, 1)
        self.assertIn("Node type 'EchoNode' not registered", stderr)

    def test_broken_modules_end_with_their_code_and_a_word_R58(self) -> None:
        words = {
            'broken-import': "Failed to import custom node module 'broken_import': No module named",
            'broken-syntax': "Error loading custom node module 'broken_syntax': invalid syntax",
            'broken-raise': "Error loading custom node module 'broken_raise': refuses to load",
            'broken-unregistered': "Node type 'NeverRegistered' not registered",
            'broken-missing-module': "Failed to import custom node module 'not_in_this_folder'",
            'broken-print-exit': 'last words',
            'broken-exit': '',
        }
        for name, said in words.items():
            with self.subTest(name):
                runner = self.start(name)
                self.assertFalse(runner.wait_ready())
                code, _, stderr = runner.finish(None)
                self.assertEqual(code, CASES[name]['exit'])
                self.assertIn(said, stderr)

    def test_the_runner_ends_with_its_parent_R78(self) -> None:
        argv = [sys.executable, '-m', 'remotemedia.core.multiprocessing', *arguments('echo', 'EchoPythonNode')]
        hold = f'import subprocess; p = subprocess.Popen({argv!r}); print(p.pid, flush=True); p.wait()'
        watch, held = os.pipe()
        parent = subprocess.Popen(
            [sys.executable, '-c', hold],
            env={**os.environ, 'PYTHONPATH': str(PYTHON)},
            stdout=subprocess.PIPE,
            # Our end of this pipe sees its end when everything that holds the other has gone.
            stderr=held,
        )
        os.close(held)
        with os.fdopen(watch, 'rb') as stderr:
            assert parent.stdout is not None
            parent.stdout.readline()
            stderr.readline()
            parent.kill()
            parent.communicate()
            stderr.read()


def _add(row: dict[str, Any]) -> None:
    def test(self: Recorded) -> None:
        self.run_row(row)

    setattr(Recorded, f'test_{re.sub("[^a-z0-9]+", "_", row["id"])}_R58', test)


for _row in load('outcomes.json')['cli']:
    _add(_row)

if __name__ == '__main__':
    unittest.main()
