"""What authors import beside frames and nodes (chapter 6), and that importing it is light."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from support import PYTHON, forget_plugins

# isort: split
import remotemedia
from remotemedia import control, core, nodes
from remotemedia.core import exceptions, multiprocessing, node_serialization
from remotemedia.core.multiprocessing import (
    _NODE_REGISTRY,
    AudioPressureMixin,
    MultiprocessNode,
    NodeConfig,
    NodeStatus,
    RuntimeData,
    get_node_class,
    get_node_requirements,
    list_registered_nodes,
    python_requires,
    register_node,
)
from remotemedia.core.multiprocessing import pipeline as builder
from remotemedia.core.multiprocessing.inline_metadata import _strings_of_array, parse_dependencies
from remotemedia.core.node import Node, RemoteExecutorConfig, StateManager
from remotemedia.core.pipeline import Pipeline
from remotemedia.rpc import RpcMethod, RpcMode, rpc


class Quiet(MultiprocessNode):
    async def initialize(self) -> None:
        await super().initialize()

    async def process(self, data: Any) -> Any:
        return data

    async def cleanup(self) -> None:
        await super().cleanup()


class Imports(unittest.TestCase):
    def run_python(self, source: str) -> str:
        command = [sys.executable, '-c', f'import sys; sys.path.insert(0, {str(PYTHON)!r})\n{source}']
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def test_importing_every_module_imports_neither_numpy_nor_anything_foreign(self) -> None:
        modules = [
            '.'.join(path.relative_to(PYTHON).with_suffix('').parts)
            for path in (PYTHON / 'remotemedia').rglob('*.py')
            if path.name not in ('__main__.py', '__init__.py')
        ]
        source = f'import importlib\nfor name in {modules!r}: importlib.import_module(name)\n'
        source += 'print(sorted(set(sys.modules) & {"numpy", "yaml", "cloudpickle", "grpc"}))'
        self.assertEqual(self.run_python(source), '[]')

    def test_every_exported_name_can_be_had(self) -> None:
        for module in (remotemedia, core, multiprocessing, nodes, control):
            for name in module.__all__:
                with self.subTest(module=module.__name__, name=name):
                    getattr(module, name)
            with self.assertRaises(AttributeError):
                getattr(module, 'no_such_name')  # noqa: B009

    def test_the_aliases_are_the_same_classes(self) -> None:
        for name in ('remotemedia.data', 'remotemedia.core.data', 'remotemedia.runtime_data'):
            self.assertIs(importlib.import_module(name).RuntimeData, RuntimeData)

    def test_foreign_parts_of_the_package_may_live_elsewhere_on_the_path(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for package, text in (('remotemedia', 'VALUE = 1'), ('remotemedia/nodes', 'VALUE = 2')):
                Path(folder, package).mkdir(parents=True)
                Path(folder, package, '__init__.py').write_text('', encoding='utf-8')
                Path(folder, package, 'foreign.py').write_text(text, encoding='utf-8')
            source = f'sys.path.append({folder!r})\nimport remotemedia.foreign, remotemedia.nodes.foreign\n'
            source += 'print(remotemedia.foreign.VALUE, remotemedia.nodes.foreign.VALUE)'
            self.assertEqual(self.run_python(source), '1 2')

    def test_the_runtime_is_none_inside_a_runner_and_pipelines_say_so(self) -> None:
        source = 'import asyncio, remotemedia\nfrom remotemedia import _native\n_native.enter_runner()\n'
        source += 'print(remotemedia.runtime, remotemedia.is_rust_runtime_available())\n'
        source += 'try: asyncio.run(remotemedia.execute_pipeline({}))\nexcept ImportError as error: print(error)'
        first, second = self.run_python(source).splitlines()
        self.assertEqual(first, 'None False')
        self.assertIn('not available inside a runner', second)


class Registry(unittest.TestCase):
    def setUp(self) -> None:
        forget_plugins()
        self.addCleanup(forget_plugins)

    def test_register_node_and_python_requires_go_in_any_order_R75(self) -> None:
        one = register_node('One')(python_requires(['a'])(type('One', (), {})))
        two = python_requires(['b'])(register_node(node_type='Two')(type('Two', (), {})))
        self.assertEqual((get_node_class('One'), get_node_class('Two')), (one, two))
        self.assertEqual((one._node_type, two.__python_requires__), ('One', ['b']))
        self.assertEqual(list_registered_nodes(), ['One', 'Two'])
        _NODE_REGISTRY['module.One'] = one
        self.assertIs(get_node_class('module.One'), one)
        with self.assertRaisesRegex(KeyError, "Node type 'Gone' not registered"):
            get_node_class('Gone')

    def test_get_node_requirements_joins_the_decorator_and_the_inline_block_R54(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'inline_block.py')
            path.write_text('# /// script\n# dependencies = ["a", "c"]\n# ///\nclass Node: pass\n', encoding='utf-8')
            spec = importlib.util.spec_from_file_location('inline_block', path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules['inline_block'] = module
            self.addCleanup(sys.modules.pop, 'inline_block')
            spec.loader.exec_module(module)
            register_node('Inline')(python_requires(['b', 'a'])(module.Node))
            self.assertEqual(get_node_requirements('Inline'), ['b', 'a', 'c'])
        self.assertEqual(get_node_requirements('Unknown'), [])

    def test_inline_metadata_is_read_or_counts_as_none(self) -> None:
        block = '# /// script\n# requires-python = ">=3.9"\n# dependencies = [\n#   "a>=1", # why\n'
        block += "#   'b[x]',\n# ]\n# ///\n"
        self.assertEqual(parse_dependencies(block), ['a>=1', 'b[x]'])
        for broken in (
            '',
            '# /// script\n# dependencies = ["a"]\n',
            '# /// script\n# dependencies = ["a"\n# ///\n',
            'x = 1',
        ):
            self.assertEqual(parse_dependencies(broken), [])

    def test_the_reader_for_older_pythons_agrees(self) -> None:
        text = (
            'requires-python = ">=3.9"\ndependencies = [\n  "a>=1", # "not me"\n  \'b\',\n  "quo\\"te",\n]\nx = ["c"]\n'
        )
        self.assertEqual(_strings_of_array(text), ['a>=1', 'b', 'quo"te'])
        self.assertEqual(_strings_of_array('dependencies = ["a"'), [])


class Nodes(unittest.TestCase):
    def test_a_node_has_the_attributes_of_the_original(self) -> None:
        async def made() -> Quiet:
            return Quiet({'node_id': 'n', 'params': {'a': 1}, 'session_id': 's'})

        node = asyncio.run(made())
        self.assertEqual((node.node_id, node.node_type, node.name, node.config), ('n', 'Quiet', 'n', {'a': 1}))
        self.assertEqual((node.session_id, node.status, node.logger.name), ('s', NodeStatus.IDLE, 'node.Quiet.n'))
        self.assertEqual((node.input_channels, node.output_channels, node._control_publisher), ({}, {}, None))
        self.assertFalse(node.is_initialized)
        self.assertEqual(Quiet({}).node_id, 'unknown')
        self.assertEqual(Quiet({}, node_id='k').session_id, 'default_k')
        self.assertEqual(node.get_stats()['average_processing_time'], 0.0)
        self.assertTrue(node._is_critical_error(MemoryError()) and not node._is_critical_error(ValueError()))

    def test_a_node_works_by_hand_with_its_private_members_replaced(self) -> None:
        async def drive() -> tuple[list[Any], Any]:
            node = Quiet(NodeConfig('n', 'T'))
            sent: list[Any] = []

            async def keep(data: Any) -> None:
                sent.append(data.as_text())

            async def end() -> None:
                sent.append('end')

            node._send_output, node._send_end_of_input = keep, end  # type: ignore[method-assign]
            await node._process_single_message(RuntimeData.text('x'))
            waiting = asyncio.ensure_future(node.run())
            self.assertTrue(await node.wait_ready(5))
            await node.stop()
            await waiting
            return sent, node.status

        sent, status = asyncio.run(drive())
        self.assertEqual((sent, status), (['x', 'end'], NodeStatus.STOPPED))

    def test_process_sync_takes_plain_values(self) -> None:
        self.assertEqual(Quiet({}).process_sync('x').as_text(), 'x')
        self.assertEqual(Quiet({}).process_sync({'a': 1}).payload, {'a': 1})

    def test_publishing_before_there_is_a_host_does_nothing_R73(self) -> None:
        node = Quiet({})
        node.publish_progress('s', object())  # type: ignore[arg-type]
        node.publish_to_node_port('n', 'p', object())

    def test_a_subclass_without_one_of_the_three_cannot_be_made(self) -> None:
        class Lacking(MultiprocessNode):
            async def process(self, data: Any) -> Any: ...

        with self.assertRaisesRegex(TypeError, 'initialize'):
            Lacking({})  # type: ignore[abstract]

    def test_the_in_process_node_keeps_state_by_session(self) -> None:
        class Plain(Node):
            def process(self, data: Any) -> Any:
                return data

        node = Plain(gain=2)
        self.assertEqual(node.get_config(), {'name': 'Plain', 'class': 'Plain', 'config': {'gain': 2}})
        self.assertEqual(repr(node), "Plain(name='Plain')")
        self.assertIsNone(node.get_session_state())
        node.set_session_id('s')
        state = node.get_session_state()
        assert state is not None
        state.set('k', 1)
        self.assertEqual(node.get_session_state('s').get('k'), 1)  # type: ignore[union-attr]
        node.initialize()
        node.initialize()
        self.assertTrue(node.is_initialized)
        node.cleanup()
        self.assertFalse(node.is_initialized)
        self.assertEqual(node.extract_session_id((1, {'session_id': 's'})), 's')
        self.assertEqual(node.split_data_metadata((1, {'timestamp': 2})), (1, {'timestamp': 2}))
        self.assertEqual(node.split_data_metadata((1, {'other': 2})), ((1, {'other': 2}), None))
        self.assertEqual(node.merge_data_metadata((1, 2), {'a': 1}), (1, 2, {'a': 1}))
        self.assertEqual(node.merge_data_metadata(1, None), 1)
        self.assertEqual(node.to_manifest(), {'id': 'Plain', 'node_type': 'Plain', 'params': {'gain': 2}})

    def test_states_expire_and_give_way(self) -> None:
        states = StateManager(default_ttl=0, max_sessions=2)
        for name in ('a', 'b', 'c'):
            states.get_or_create_session(name)
        self.assertEqual(list(states.get_all_sessions()), ['b', 'c'])
        self.assertTrue(states.delete_session('b') and not states.delete_session('b'))
        states.get_all_sessions()['c'].last_accessed -= 1
        self.assertEqual(states.cleanup_expired_sessions(), 1)

    def test_remote_executors_are_checked_and_not_run(self) -> None:
        config = RemoteExecutorConfig('host', 1)
        for wrong in ({'port': 0}, {'protocol': 'smtp'}, {'timeout': 0}):
            with self.assertRaises(exceptions.ConfigurationError):
                RemoteExecutorConfig(**{'host': 'h', 'port': 1, **wrong})  # type: ignore[arg-type]
        with self.assertRaises(NotImplementedError):
            config(object())

    def test_serialising_needs_a_node(self) -> None:
        with self.assertRaises(TypeError):
            node_serialization.serialize_node_for_ipc(object())
        error = node_serialization.SerializationError('n', 'why', 'do this')
        self.assertEqual((error.node_name, error.reason, error.suggestion), ('n', 'why', 'do this'))
        self.assertIsInstance(error, exceptions.SerializationError)


class Rpc(unittest.TestCase):
    def test_rpc_marks_a_function_and_leaves_it_as_it_is_R70_R71(self) -> None:
        def plain() -> None: ...

        self.assertIs(rpc(plain), plain)
        self.assertEqual(plain.__rpc_method__, RpcMethod('plain', RpcMode.FIRE_AND_FORGET, plain))  # type: ignore[attr-defined]
        marked = rpc(reply=True, timeout=2.5)(lambda: None).__rpc_method__
        self.assertEqual((marked.mode, marked.default_timeout), (RpcMode.REPLY, 2.5))
        with self.assertRaisesRegex(ValueError, 'mutually exclusive'):
            rpc(reply=True, stream=True)
        with self.assertRaisesRegex(ValueError, 'reserved'):
            plain.__name__ = '__reply__'
            rpc(plain)
        with self.assertRaises(AttributeError):
            marked.mode = RpcMode.STREAM


class Pressure(unittest.TestCase):
    def test_every_fragment_drains_at_once_as_in_the_original(self) -> None:
        class Speaker(AudioPressureMixin):
            pass

        class Counted(Speaker):
            def _audio_frame_duration_s(self, frame: Any) -> float:
                return float(frame)

        async def drive() -> list[Any]:
            plain, counted = Speaker(), Counted()
            plain.init_audio_pressure()
            counted.init_audio_pressure(low_pressure_margin_ms=500, coalesce_window_ms=10**9)
            plain.record_audio_frame(RuntimeData.audio([0.0] * 80000, 8000))
            found: list[Any] = [plain.pressure_decide('a'), plain.pressure_decide('')]
            counted.record_audio_frame(3600)
            found += [counted.pressure_decide('b'), counted.pressure_decide('c'), counted.has_buffered_text()]
            found.append(counted.audio_runway_s() > 3000)
            found += [counted.pressure_decide('d', force_drain=True), counted.has_buffered_text()]
            return found

        self.assertEqual(asyncio.run(drive()), ['a', None, None, None, True, True, 'bcd', False])


class Builders(unittest.TestCase):
    def setUp(self) -> None:
        forget_plugins()
        self.addCleanup(forget_plugins)

    def test_the_builder_writes_params_and_refuses_what_does_not_fit_RW30(self) -> None:
        made = builder.Pipeline('p').add_node('a', 'A', {'x': 1}, ['dep']).add_node('b', 'B').connect('a', 'b')
        manifest = made.to_manifest()
        self.assertEqual(
            manifest['nodes'][0], {'id': 'a', 'node_type': 'A', 'params': {'x': 1}, 'python_deps': ['dep']}
        )
        self.assertEqual(manifest['connections'], [{'from': 'a', 'to': 'b'}])
        for wrong in (lambda: made.add_node('a', 'A'), lambda: made.connect('a', 'c'), lambda: made.connect('a', 'b')):
            with self.assertRaises(ValueError):
                wrong()

    def test_a_chain_runs_in_this_process(self) -> None:
        class Twice(Node):
            def process(self, data: Any) -> Any:
                yield data
                yield data

        class Adds(Node):
            async def process(self, data: Any) -> Any:
                return data + 1

        chain = Pipeline([Twice(name='t'), Adds(name='a')], 'chain')
        self.assertEqual(asyncio.run(chain.run([1, 2])), [2, 2, 3, 3])
        self.assertEqual(json.loads(chain.serialize())['connections'], [{'from': 't', 'to': 'a'}])
        with self.assertRaises(exceptions.PipelineError):
            chain.add_node(Adds(name='a'))

    def test_streaming_node_registers_unless_the_name_is_taken(self) -> None:
        taken = register_node('Taken')(type('Taken', (), {}))
        nodes.streaming_node('Taken', multi_output=True, colour='red')(type('Other', (), {}))
        free = nodes.streaming_node()(type('Free', (), {}))
        self.assertEqual((get_node_class('Taken'), get_node_class('Free')), (taken, free))
        entry = nodes.get_node_registration('Taken')
        self.assertEqual((entry.multi_output, entry.metadata), (True, {'colour': 'red'}))
        self.assertEqual([row['node_type'] for row in json.loads(nodes.export_to_json())], ['Taken', 'Free'])
        nodes.clear_registry()
        self.assertEqual(nodes.get_registered_nodes(), {})

    def test_nodes_are_registered_from_files_classes_and_lists(self) -> None:
        source = 'from remotemedia.core.multiprocessing import MultiprocessNode\n'
        source += 'class Mine(MultiprocessNode):\n  async def initialize(self): ...\n'
        source += '  async def process(self, data): ...\n  async def cleanup(self): ...\n'
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, 'mine.py').write_text(source, encoding='utf-8')
            Path(folder, 'empty.py').write_text('', encoding='utf-8')
            Path(folder, 'list.json').write_text('{"python_nodes": ["mine.py"]}', encoding='utf-8')
            self.assertEqual(nodes.register_python_node(f'{folder}/mine.py', node_type='Own').node_type, 'Own')
            self.assertIs(nodes.get_node_class('Own'), nodes.get_loaded_nodes()['Own'].python_class)
            self.assertEqual(nodes.register_python_nodes_from_config(f'{folder}/list.json')[0].node_type, 'Mine')
            with self.assertRaises(ValueError):
                nodes.register_python_node(f'{folder}/empty.py')
        self.assertEqual(nodes.register_node_class(Quiet, node_type='Q').node_type, 'Q')
        with self.assertRaises(TypeError):
            nodes.register_node_class(dict)
        nodes.clear_loaded_nodes()
        self.assertEqual(list_registered_nodes(), [])


class Control(unittest.TestCase):
    def test_values_of_the_bus_know_their_kind(self) -> None:
        self.assertEqual((control.Data.from_text('x').text_value, control.Data.from_json([1]).json_value), ('x', [1]))
        self.assertIsNone(control.Data.from_bytes(b'').text)
        with self.assertRaises(TypeError):
            getattr(control.Data.from_text('x'), 'json_value')  # noqa: B009
        with self.assertRaises(TypeError):
            control.Data.from_audio_numpy([0.0], 8000)
        self.assertTrue(issubclass(control.RpcTimeoutError, control.RpcError))
        self.assertTrue(issubclass(control.ControlAddressError, ValueError))


if __name__ == '__main__':
    unittest.main()
