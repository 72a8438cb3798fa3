"""The dialect beyond the recorded cases: cancelling, calls, replaced private members, sessions."""

from __future__ import annotations

import asyncio
import math
import sys
import textwrap
import types
import unittest
from typing import Any, Optional

from support import SESSION, FakeCall, FakeHost, forget_plugins, opening

# isort: split
import dialect
from _charmer.dialect import Failure
from remotemedia.core.multiprocessing import MultiprocessNode, NodeConfig
from remotemedia.core.multiprocessing.construction import construct_node


class DialectTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        forget_plugins()
        self.addCleanup(forget_plugins)
        self.host = FakeHost()

    async def opened(self, plugin: str, node_type: str, **node: Any) -> Any:
        made = dialect.create()
        await made.open(opening(plugin, node_type, **node), self.host)
        self.addAsyncCleanup(made.close)
        return made

    async def opened_node(self, source: str, **params: Any) -> Any:
        """A node class written here, as a plugin."""
        module = types.ModuleType('written_here')
        sys.modules[module.__name__] = module
        self.addCleanup(sys.modules.pop, module.__name__, None)
        exec(compile(PREAMBLE + textwrap.dedent(source), 'written_here.py', 'exec'), module.__dict__)
        made = dialect.create()
        node = {'node_type': 'Written', 'node_id': 'n', 'session_id': SESSION, 'params': params}
        await made.open({'entry_module': 'written_here', 'node_types': ['Written'], 'node': node}, self.host)
        self.addAsyncCleanup(made.close)
        return made

    async def texts(self, made: Any, text: str, call: Any = None) -> list[Any]:
        outputs = made.call('process', [{'type': 'text', 'data': text}], call or FakeCall())
        return [output.get('data') async for output in outputs]

    async def failure(self, made: Any, operation: str, *arguments: Any) -> Failure:
        try:
            result = made.call(operation, list(arguments), FakeCall())
            async for _ in result:
                pass
        except Exception as error:
            failure = error if isinstance(error, Failure) else made.describe(error)
            assert failure is not None, error
            return failure
        raise AssertionError('nothing failed')


PREAMBLE = """
import asyncio
from remotemedia.core.multiprocessing import MultiprocessNode, RuntimeData, register_node
from remotemedia.rpc import rpc

class Base(MultiprocessNode):
    async def initialize(self): pass
    async def process(self, data): return data
    async def cleanup(self): pass
"""

COUNTS_FOREVER = """
@register_node('Written')
class Written(Base):
    closed = 0
    async def process(self, data):
        if data.as_text() != 'count':
            yield RuntimeData.text(f'{data.as_text()} {self.closed}')
            return
        try:
            for i in range(10**9):
                yield RuntimeData.text(str(i))
                await asyncio.sleep(0)
        finally:
            self.closed += 1
"""


class Opening(DialectTest):
    async def test_open_without_a_node_returns_the_node_types(self) -> None:
        asked = opening('multi', None)
        asked['node_types'] = ['Splitter', 'Upper']
        operations = await dialect.create().open(asked, self.host)
        self.assertEqual(
            [(entry['name'], entry['kind']) for entry in operations], [('Splitter', 'node'), ('Upper', 'node')]
        )

    async def test_open_names_what_is_registered_when_a_type_is_not(self) -> None:
        asked = opening('multi', None)
        asked['node_types'] = ['Nobody']
        with self.assertRaises(Failure) as raised:
            await dialect.create().open(asked, self.host)
        self.assertEqual(raised.exception.code, 'INTERFACE_MISMATCH')
        for piece in ("'Nobody'", "'Splitter'", 'multi_nodes'):
            self.assertIn(piece, raised.exception.message)

    async def test_open_says_that_a_module_exited_R78_RW20(self) -> None:
        with self.assertRaises(Failure) as raised:
            await dialect.create().open(opening('broken-exit', 'BrokenExit'), self.host)
        self.assertEqual(raised.exception.code, 'EXITED_BEFORE_READY')

    async def test_open_puts_the_module_root_first_and_this_folder_behind_it_R59(self) -> None:
        asked = opening('src-root', 'SrcRootNode', root='src')
        made = dialect.create()
        await made.open(asked, self.host)
        self.addAsyncCleanup(made.close)
        self.assertEqual(sys.path[0], asked['module_root'])

    async def test_open_constructs_in_the_literal_order_when_asked_R60(self) -> None:
        asked = {**opening('constructors', 'CtorIdAndConfig', params={'p': 7}), 'strict_ctor': True}
        made = dialect.create()
        await made.open(asked, self.host)
        self.addAsyncCleanup(made.close)
        (text,) = await self.texts(made, 'hi')
        self.assertIn('"config": {}', text)

    async def test_a_KeyError_of_a_constructor_is_told_as_what_it_is_RW21(self) -> None:
        with self.assertRaises(Failure) as raised:
            await self.opened_node(
                """
                @register_node('Written')
                class Written(Base):
                    def __init__(self, config):
                        {}['gone']
                """
            )
        self.assertEqual((raised.exception.code, raised.exception.plugin_code), ('PLUGIN_RAISED', 'KeyError'))
        self.assertIn('written_here.py', raised.exception.traceback or '')


class Turns(DialectTest):
    async def test_cancel_turn_stops_a_running_generator_and_frees_the_next_turn_R72(self) -> None:
        for routed in (False, True):
            with self.subTest(routed=routed):
                made = await self.opened_node(COUNTS_FOREVER)
                if routed:
                    send = made._driver.node._send_output
                    made._driver.node._send_output = send
                turn = asyncio.ensure_future(self.texts(made, 'count'))
                await asyncio.sleep(0)
                while made._driver._turn is None:
                    await asyncio.sleep(0)
                self.assertTrue(await made.call('cancel_turn', [], FakeCall()))
                self.assertEqual(await self.texts(made, 'next'), ['next 1'])
                await turn
                self.assertFalse(await made.call('cancel_turn', [], FakeCall()))

    async def test_cancel_turn_frees_the_next_turn_while_its_consumer_takes_nothing_R72(self) -> None:
        made = await self.opened_node(COUNTS_FOREVER)
        outputs = made.call('process', [{'type': 'text', 'data': 'count'}], FakeCall())
        self.assertEqual((await outputs.__anext__())['data'], '0')
        self.assertTrue(await made.call('cancel_turn', [], FakeCall()))
        self.assertEqual(await self.texts(made, 'next'), ['next 1'])
        self.assertEqual([output async for output in outputs], [])

    async def test_a_caller_that_leaves_closes_the_generator_and_frees_the_next_turn(self) -> None:
        made = await self.opened_node(COUNTS_FOREVER)
        outputs = made.call('process', [{'type': 'text', 'data': 'count'}], FakeCall())
        await outputs.__anext__()
        await outputs.aclose()
        self.assertEqual(await self.texts(made, 'next'), ['next 1'])

    async def test_a_cancelled_coroutine_frees_the_next_turn_R44(self) -> None:
        made = await self.opened('process-kinds', 'SleepsForever')
        for _ in range(2):
            call = FakeCall()
            turn = asyncio.ensure_future(self.texts(made, 'hi', call))
            while made._driver._turn is None:
                await asyncio.sleep(0)
            call.cancelled = True
            turn.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await turn
        stats = made.call('stats', [], FakeCall())
        self.assertEqual((stats['messages_processed'], stats['messages_failed']), (0, 0))

    async def test_turns_run_one_at_a_time_in_order_of_arrival_R39(self) -> None:
        made = await self.opened_node(
            """
            @register_node('Written')
            class Written(Base):
                running = 0
                async def process(self, data):
                    self.running += 1
                    yield RuntimeData.text(f'{data.as_text()} {self.running}')
                    await asyncio.sleep(0.001)
                    self.running -= 1
            """
        )
        found = await asyncio.gather(*(self.texts(made, str(number)) for number in range(20)))
        self.assertEqual([text for (text,) in found], [f'{number} 1' for number in range(20)])

    async def test_an_aux_envelope_keeps_its_place_before_a_later_input_R68(self) -> None:
        made = await self.opened('aux-ports', 'AuxRecorder')
        aux = made.call('aux', ['context', {'text': 'ctx'}], FakeCall())
        self.assertEqual(await asyncio.gather(_all(aux), self.texts(made, 'hi')), [[], ['[ctx] hi']])

    async def test_an_error_has_type_text_traceback_and_causes_R42(self) -> None:
        made = await self.opened_node(
            """
            @register_node('Written')
            class Written(Base):
                async def process(self, data):
                    try:
                        {}['x']
                    except KeyError as error:
                        raise ValueError('outer') from error
            """
        )
        failure = await self.failure(made, 'process', {'type': 'text', 'data': ''})
        self.assertEqual((failure.plugin_code, failure.message), ('ValueError', 'outer'))
        for piece in ("KeyError: 'x'", 'direct cause', 'written_here.py'):
            self.assertIn(piece, failure.traceback or '')
        self.assertNotIn('driver.py', failure.traceback or '')

    async def test_an_output_that_is_no_json_names_the_path(self) -> None:
        made = await self.opened_node(
            """
            @register_node('Written')
            class Written(Base):
                async def process(self, data):
                    return {'a': [1, {'b': object()}]}
            """
        )
        failure = await self.failure(made, 'process', {'type': 'text', 'data': ''})
        self.assertEqual(failure.message, 'Object of type object is not JSON serializable')
        self.assertEqual(failure.details, {'path': '$.a[1].b'})

    async def test_undecodable_inputs_are_refused_at_once_RW27(self) -> None:
        made = await self.opened('echo', 'EchoPythonNode')
        bad: list[Any] = [
            None,
            7,
            {},
            {'type': 'text'},
            {'type': 'text', 'data': 5},
            {'type': 'audio', 'samples': b'123', 'sample_rate': 1, 'channels': 1},
            {'type': 'audio', 'samples': 'text', 'sample_rate': 1},
            {'type': 'tensor', 'data': b'12345', 'shape': [1]},
            {'type': 'numpy', 'data': b'1234', 'shape': [3], 'dtype': '<f4'},
            {'type': 'video', 'data': b'', 'width': -1, 'height': 1},
            {'type': 'control', 'message_type': 'FlushBuffer'},
        ]
        for value in bad:
            with self.subTest(value=value):
                failure = await self.failure(made, 'process', value)
                self.assertEqual(failure.code, 'ARGUMENT_INVALID')
        self.assertEqual(await self.texts(made, 'still here'), ['echo: still here'])

    async def test_frames_sent_outside_of_a_turn_come_with_the_next_one(self) -> None:
        made = await self.opened_node(
            """
            @register_node('Written')
            class Written(Base):
                async def initialize(self):
                    await self._send_output(RuntimeData.text('early'))
                async def process(self, data):
                    await self._send_output(RuntimeData.text('by hand'))
                    return data
            """
        )
        self.assertEqual(await self.texts(made, 'hi'), ['early', 'by hand', 'hi'])

    async def test_the_session_of_an_input_goes_with_its_outputs_R77(self) -> None:
        made = await self.opened('echo', 'EchoPythonNode')
        (output,) = await _all(made.call('process', [{'type': 'text', 'data': 'x', 'session': 'other'}], FakeCall()))
        self.assertEqual(output['session'], 'other')


class Replaced(DialectTest):
    """6.2: whoever replaces a private member sees every frame."""

    async def test_send_output_replaced_on_the_instance_captures_outputs_and_replies(self) -> None:
        made = await self.opened('rpc', 'RpcNode')
        node = made._driver.node
        sent: list[Any] = []

        async def capture(data: Any) -> None:
            sent.append(data.as_text())

        node._send_output = capture
        self.assertEqual(await self.texts(made, 'hi'), [])
        await _all(made.call('aux', ['get_context', {'corr_id': 'a', 'args': []}], FakeCall()))
        self.assertEqual(sent[0], 'process: hi')
        self.assertIn('"kind": "value", "data": null', sent[1])

    async def test_process_single_message_overridden_in_a_class_is_called_and_its_error_told(self) -> None:
        made = await self.opened_node(
            """
            @register_node('Written')
            class Written(Base):
                async def process(self, data):
                    yield RuntimeData.text('one')
                    raise ValueError('two')
                async def _process_single_message(self, data):
                    await super()._process_single_message(RuntimeData.text('seen'))
            """
        )
        outputs = made.call('process', [{'type': 'text', 'data': 'x'}], FakeCall())
        self.assertEqual((await outputs.__anext__())['data'], 'one')
        with self.assertRaises(Exception) as raised:
            await outputs.__anext__()
        failure = made.describe(raised.exception)
        self.assertEqual((failure.plugin_code, failure.message), ('ValueError', 'two'))
        self.assertEqual(made.call('stats', [], FakeCall())['messages_failed'], 1)


class Calls(DialectTest):
    async def values(self, made: Any, *arguments: Any) -> list[Any]:
        return [item['data'] for item in await _all(made.call('rpc', list(arguments), FakeCall()))]

    async def test_rpc_answers_with_values_in_every_mode_R70(self) -> None:
        made = await self.opened('rpc', 'RpcNode')
        self.assertEqual(
            await self.values(made, 'echo', [1], {'k': 2}, None, 'a:1'), [{'args': [1], 'kwargs': {'k': 2}}]
        )
        self.assertEqual(await self.values(made, 'set_context', ['x'], {}, 'reply', 'a:2'), [None])
        self.assertEqual(await self.values(made, 'count', [3], {}, 'stream', 'a:3'), [0, 1, 2])
        self.assertEqual(await self.values(made, 'note', ['n'], {}, None, None), [])
        self.assertEqual(await self.values(made, 'get_notes', [], {}, None, None), [['n']])
        self.assertEqual(await self.values(made, 'plain', [], {}, None, None), [1])
        self.assertEqual(made.call('rpc_meta', [], FakeCall())['count'], 'stream')

    async def test_rpc_errors_are_failures_R70(self) -> None:
        made = await self.opened('rpc', 'RpcNode')
        for name, code, message in (
            ('boom', 'ValueError', 'bad'),
            ('unserialisable', 'TypeError', 'Object of type object'),
        ):
            failure = await self.failure(made, 'rpc', name, [], {}, None, None)
            self.assertEqual((failure.code, failure.plugin_code), ('PLUGIN_RAISED', code))
            self.assertIn(message, failure.message)
        failure = await self.failure(made, 'rpc', 'hidden', [], {}, None, None)
        self.assertEqual((failure.code, failure.message), ('OPERATION_UNKNOWN', "no @rpc method 'hidden' on RpcNode"))
        failure = await self.failure(made, 'rpc', 'count_then_fail', [1], {}, None, None)
        self.assertEqual(failure.message, 'stream broke')

    async def test_rpc_fire_and_forget_reports_its_failure_as_an_event_R42(self) -> None:
        made = await self.opened('rpc', 'RpcNode')
        self.assertEqual(await self.values(made, 'note_badly', [], {}, None, None), [])
        self.assertEqual(await self.values(made, 'boom', [], {}, 'ff', None), [])
        told = [(event['method'], event['plugin_code']) for event in self.host.of_type('error')]
        self.assertEqual(told, [('note_badly', 'RuntimeError'), ('boom', 'ValueError')])

    async def test_rpc_runs_while_a_turn_runs_R72(self) -> None:
        made = await self.opened('barge-in', 'SlowSpeaker', params={'tokens': 10**6, 'delay': 0.001})
        outputs = made.call('process', [{'type': 'text', 'data': 't'}], FakeCall())
        await outputs.__anext__()
        await self.values(made, 'barge_in', [], {}, None, None)
        self.assertEqual([output['data'] async for output in outputs][-1], '<interrupted by rpc>')

    async def test_a_stream_is_cancelled_by_its_caller_or_by_an_envelope_R70(self) -> None:
        made = await self.opened('rpc', 'RpcNode')
        arguments = ['count', [10**9], {}, None, 'a:1']
        left = made.call('rpc', arguments, FakeCall())
        await left.__anext__()
        await left.aclose()
        self.assertEqual(made._driver.node._inflight_streams, {})
        values = made.call('rpc', arguments, FakeCall())
        await values.__anext__()
        await _all(made.call('aux', ['count.__cancel__', {'corr_id': 'a:1'}], FakeCall()))
        self.assertLess(len(await _all(values)), 1000)

    async def test_nan_and_infinity_survive_as_numbers_RW22(self) -> None:
        made = await self.opened('rpc', 'RpcNode')
        (value,) = await self.values(made, 'echo', [math.nan, math.inf], {}, None, None)
        self.assertTrue(math.isnan(value['args'][0]) and math.isinf(value['args'][1]))

    async def test_rpc_methods_of_a_plain_mixin_are_found_RW25(self) -> None:
        made = await self.opened_node(
            """
            class Mixin:
                @rpc(reply=True)
                async def mixed(self): return 'in'

            @register_node('Written')
            class Written(Mixin, Base): pass
            """
        )
        self.assertEqual(await self.values(made, 'mixed', [], {}, None, None), ['in'])

    async def test_control_messages_reach_the_hook_and_its_failure_is_reported_R64(self) -> None:
        made = await self.opened_node(
            """
            @register_node('Written')
            class Written(Base):
                async def process_control_message(self, data):
                    raise ValueError(data.metadata.message_type.value)
            """
        )
        await made.call('control', [{'message_type': 'BatchHint', 'fields': {'suggested_batch_size': 2}}], FakeCall())
        (event,) = self.host.of_type('error')
        self.assertEqual((event['phase'], event['message']), ('control', 'BatchHint'))


class Construction(unittest.TestCase):
    """R60 beyond the fixture's styles."""

    config = NodeConfig('n', 'T', {'gain': 3, 'mode': 'x'}, 'sess1')

    def made(self, cls: Any, strict: bool = False) -> Any:
        return construct_node(cls, self.config, strict)

    def test_keywords_that_go_on_to_the_base_do_not_meet_a_second_config(self) -> None:
        class Passes(_Node):
            def __init__(self, node_id: Optional[str] = None, **kwargs: Any) -> None:
                super().__init__({'node_id': node_id}, **kwargs)

        node = self.made(Passes)
        self.assertEqual((node.node_id, node.config, node.session_id), ('n', self.config.params, 'sess1'))

    def test_anything_goes_to_the_base_through_args_and_kwargs(self) -> None:
        class Passes(_Node):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)

        self.assertEqual(self.made(Passes).config, self.config.params)

    def test_params_are_bound_by_name_and_positional_only_by_place(self) -> None:
        class Named(_Node):
            def __init__(self, config: Any, gain: int = 1, *, mode: str = '') -> None:
                super().__init__(config)
                self.seen = gain, mode

        self.assertEqual(self.made(Named).seen, (3, 'x'))
        scope: dict[str, Any] = {'_Node': _Node}
        exec(
            'class Places(_Node):\n def __init__(self, config, gain, /): super().__init__(config); self.gain = gain',
            scope,
        )
        self.assertEqual(self.made(scope['Places']).gain, 3)

    def test_a_lone_parameter_is_the_id_unless_its_name_or_annotation_says_config(self) -> None:
        class Identity(_Node):
            def __init__(self, name: str) -> None:
                super().__init__({'node_id': name})

        class Annotated(_Node):
            def __init__(self, about: NodeConfig) -> None:
                super().__init__(about)

        class Called(_Node):
            def __init__(self, cfg: Any) -> None:
                super().__init__(cfg)

        for cls in (Identity, Annotated, Called):
            self.assertEqual((self.made(cls).node_id, self.made(cls).config), ('n', self.config.params))

    def test_a_call_that_does_not_fit_falls_back_to_the_attempts_of_the_original(self) -> None:
        class Odd(_Node):
            def __init__(self, *ids: str) -> None:
                super().__init__({'node_id': ids[0]})

        self.assertEqual(self.made(Odd, strict=True).node_id, 'n')

        class Hidden(_Node):
            __signature__ = 'not a signature'

            def __init__(self, config: Any) -> None:
                super().__init__(config if isinstance(config, NodeConfig) else {'node_id': config})

        self.assertEqual(self.made(Hidden).node_id, 'n')

    def test_a_class_without_process_is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, 'no process'):
            self.made(type('Empty', (), {}))

    def test_the_configuration_reads_like_the_dict_form(self) -> None:
        self.assertEqual(self.config['params'], self.config.params)
        self.assertEqual(self.config.get('params'), self.config.params)
        self.assertIsNone(self.config.get('nothing'))
        self.assertEqual(dict(self.config)['session_id'], 'sess1')
        with self.assertRaises(KeyError):
            self.config['nothing']


class _Node(MultiprocessNode):
    async def initialize(self) -> None: ...

    async def process(self, data: Any) -> Any:
        return data

    async def cleanup(self) -> None: ...


async def _all(values: Any) -> list[Any]:
    return [value async for value in values]


if __name__ == '__main__':
    unittest.main()
