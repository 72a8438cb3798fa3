"""What a Python program may do with `remotemedia.runtime`: each scenario prints what it saw as one line of JSON.

    python scenarios.py NAME [ARGUMENT…]
"""

from __future__ import annotations

import array
import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

import remotemedia.runtime as rt
from remotemedia import execute_pipeline_with_input
from remotemedia.control import (
    ControlAddressError,
    Data,
    RpcError,
    RpcTimeoutError,
    SessionNotFoundError,
    UnknownNodeError,
    attach_inproc,
)

HERE = Path(__file__).resolve().parent
PLUGINS = HERE.parents[1] / 'fixtures' / 'conformance' / 'remotemedia' / 'plugins'


def manifest(plugin, node_type, **params):
    place = HERE / plugin if plugin == 'mirror' else PLUGINS / plugin
    node = {'id': 'talker', 'node_type': node_type, 'params': params}
    return json.dumps(
        {'version': 'v1', 'metadata': {'name': plugin}, 'plugins': [str(place)], 'nodes': [node], 'connections': []}
    )


def start(plugin, node_type, **params):
    return rt.create_streaming_session(manifest(plugin, node_type, **params))


async def failure_of(awaitable):
    try:
        await awaitable
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return {'type': kinds[0], 'kinds': kinds, 'text': str(error), 'code': getattr(error, 'code', None)}
    return None


async def values():
    """Every row of the marshal table there and back."""
    sess = await start('mirror', 'Mirror')
    given = {
        'str': 'hi',
        'text': {'type': 'text', 'data': 'shown', 'channel': 'ui', 'language': 'fr'},
        'bytes': b'\x00\xff',
        'ints': [0, 255],
        'dict': {'a': 1, '$b': [True, None]},
        'json': {'type': 'json', 'value': [2**70, float('inf'), -0.0, 0.5], 'metadata': {'pts': 1}},
        'number': 7,
        'none': None,
        'nested': {'type': 'json', 'value': {'$bytes': 'mine', 'in': {'$int': '5'}}},
        'audio': {'type': 'audio', 'samples': [0.5, -1.0], 'sample_rate': 16000, 'channels': 2, 'annotations': {'n': 1}},
        'array': {'type': 'audio', 'samples': array.array('f', [0.25]), 'sample_rate': 8000},
        'file': {'type': 'file', 'path': '/a/b', 'size': 3},
        'video': {'type': 'video', 'data': b'123', 'width': 1, 'height': 1, 'format': 'rgb', 'codec': 'vp8'},
        'tensor': {'type': 'tensor', 'data': b'\x01\x02', 'shape': [2], 'dtype': 'u8'},
    }
    seen = {}
    for name, value in given.items():
        await sess.send_input(value)
        kind, got = await sess.recv_output()
        seen[name] = [kind, type(got).__name__, repr(got)]
        if name == 'text':
            seen[name] += [got.channel, got.language]
    await sess.close()
    return seen


async def with_numpy():
    import numpy

    sess = await start('mirror', 'Mirror')
    await sess.send_input(numpy.arange(6, dtype='>i4').reshape(2, 3))
    arrived = await sess.recv_data()
    await sess.send_input(rt.numpy_to_audio(numpy.array([0.5, -0.5]), 24000))
    audio = await sess.recv_audio()
    await sess.send_input({'type': 'json', 'value': {'f': numpy.float32(0.5), 'i': numpy.int64(3)}})
    scalars = await sess.recv_data()
    from remotemedia.core.multiprocessing.data import RuntimeData

    await sess.send_input(RuntimeData.audio(numpy.array([1, 2], dtype='float32'), 8000))
    frame = await sess.recv_audio()
    refused = await failure_of(sess.send_input(numpy.array([object()])))
    await sess.close()
    samples = rt.audio_to_numpy(audio)
    return {
        'array': [numpy.asarray(arrived).tolist(), arrived['shape'], arrived['dtype']],
        'audio': [samples.tolist(), str(samples.dtype), audio['sample_rate'], audio['channels']],
        'scalars': scalars['value'],
        'frame': rt.audio_to_numpy(frame).tolist(),
        'refused': refused['type'],
    }


async def errors():
    sess = await start('error-nth', 'ErrorOnNth', n=2)
    for text in 'abc':
        await sess.send_input(text)
    first = await sess.recv_data()
    try:
        await sess.recv_audio()
        failed = None
    except rt.TurnError as error:
        failed = {
            'text': str(error).split('\n')[0],
            'code': error.code,
            'node': error.node,
            'input': error.input_number,
            'exception': error.exception_type,
            'traceback': error.traceback.strip().split('\n')[-1],
            'names_file': 'error_nodes.py' in error.traceback,
            'is_runtime_error': isinstance(error, RuntimeError),
        }
    after = await sess.recv_data()
    await sess.close()
    return {'first': first, 'failed': failed, 'after': after}


async def refusals():
    """Manifests that do not start a session, and inputs that cannot be sent."""
    good = json.loads(manifest('mirror', 'Mirror'))
    seen = {
        'no-json': await failure_of(rt.create_streaming_session('not json')),
        'broken-json': await failure_of(rt.create_streaming_session('{"version": ')),
        'no-nodes': await failure_of(rt.create_streaming_session({'version': 'v1', 'metadata': {}, 'connections': []})),
        'unknown-node': await failure_of(
            rt.create_streaming_session({**good, 'nodes': [{'id': 'a', 'node_type': 'Miror', 'params': {}}]})
        ),
        'no-plugin': await failure_of(rt.create_streaming_session({**good, 'plugins': ['./nowhere']})),
        'import': await failure_of(start('broken-raise', 'BrokenRaise')),
        'option': await failure_of(rt.create_streaming_session(good, node_timeout_ms='soon')),
    }
    sess = await rt.create_streaming_session(good)
    seen['bad-audio'] = await failure_of(sess.send_input({'type': 'audio', 'samples': [0.0], 'sample_rate': 0}))
    seen['object'] = await failure_of(sess.send_input({'type': 'json', 'value': object()}))
    await sess.send_input('still works')
    seen['after'] = await sess.recv_data()
    await sess.signal_input_complete()
    await sess.signal_input_complete()
    seen['send-after-complete'] = await failure_of(sess.send_input('late'))
    seen['ended'] = [await sess.recv_data(), await sess.recv_audio(), await sess.recv_video(), await sess.recv_output()]
    await sess.close()
    await sess.close()
    seen['send-after-close'] = await failure_of(sess.send_input('later'))
    seen['recv-after-close'] = await sess.recv_data()
    try:
        sess.control()
    except SessionNotFoundError as error:
        seen['control-after-close'] = str(error).split("'")[0]
    return seen


async def order():
    """Kinds keep their order; a receiver of one kind leaves the others; nobody who gives up loses anything."""
    sess = await start('mirror', 'Fountain', count=300, mixed=True)
    seen = {'nothing': [sess.try_recv_data(), sess.try_recv_output()]}
    gave_up = 0
    for _ in range(20):
        try:
            await asyncio.wait_for(sess.recv_data(), 0.001)
        except asyncio.TimeoutError:
            gave_up += 1
    await sess.send_input('go')
    await sess.signal_input_complete()
    # Thirty audio frames stand behind 270 texts that nobody takes.
    audio = [round(1000 * (await sess.recv_audio())['samples'][0]) for _ in range(30)]
    texts = []
    while (text := await sess.recv_data()) is not None:
        texts.append(int(text))
    seen['audio'] = audio == list(range(9, 300, 10))
    seen['texts'] = texts == [number for number in range(300) if number % 10 != 9]
    await sess.close()
    sess = await start('mirror', 'Fountain', count=20, mixed=True)
    await sess.send_input('go')
    await sess.signal_input_complete()
    outputs = [output async for output in sess]
    seen['mixed'] = [(output.node, output.turn, output.kind) for output in outputs[8:11]]
    await sess.close()
    return {**seen, 'gave_up': gave_up}


async def giving_up():
    """Receivers that give up at any moment, among outputs that come all the time."""
    sess = await start('mirror', 'Fountain', count=2000)
    await sess.send_input('go')
    await sess.signal_input_complete()
    got, cancelled = [], 0
    while not got or got[-1] is not None:
        task = asyncio.ensure_future(sess.recv_data())
        for _ in range(len(got) % 4):
            await asyncio.sleep(0)
        task.cancel()
        try:
            got.append(await task)
        except asyncio.CancelledError:
            cancelled += 1
            got.append(await sess.recv_data())
    await sess.close()
    return {'complete': got == [*map(str, range(2000)), None], 'cancelled': cancelled > 0}


async def many():
    """Many sessions at once, in two event loops, on one host."""
    sessions = await asyncio.gather(*[start('mirror', 'Mirror') for _ in range(6)])

    async def talk(index, sess):
        for number in range(20):
            await sess.send_input(f'{index}:{number}')
        return [await sess.recv_data() for _ in range(20)]

    elsewhere = []
    pids = set()

    def other_loop():
        async def run():
            async with await start('mirror', 'Mirror') as sess:
                pids.add(sess._host.pid)
                elsewhere.extend(await talk('t', sess))

        asyncio.run(run())

    thread = threading.Thread(target=other_loop)
    thread.start()
    heard = await asyncio.gather(*[talk(index, sess) for index, sess in enumerate(sessions)])
    await asyncio.get_running_loop().run_in_executor(None, thread.join)
    pids |= {sess._host.pid for sess in sessions}
    ids = {sess.session_id for sess in sessions}
    await asyncio.gather(*[sess.close() for sess in sessions])
    return {
        'apart': all(lines == [f'{index}:{number}' for number in range(20)] for index, lines in enumerate(heard)),
        'elsewhere': elsewhere == [f't:{number}' for number in range(20)],
        'ids': len(ids),
        'hosts': len(pids),
    }


async def rpc():
    sess = await start('rpc', 'RpcNode')
    async with sess.control() as ctrl:
        node = ctrl.talker
        seen = {
            'reply': await node.echo(1, 'two', three=3),
            'raised': await failure_of(node.boom()),
            'unknown': await failure_of(node.hidden.options(mode='reply')()),
            'late': await failure_of(node.sleepy.options(timeout=0.05)(30)),
            'no-node': await failure_of(ctrl.nobody.echo()),
            'stream': [value async for value in node.count(3)],
            'await-stream': await failure_of(node.count(3)),
        }
        kinds = [RpcError, RpcError, RpcTimeoutError, UnknownNodeError]
        named = ['raised', 'unknown', 'late', 'no-node']
        seen['kinds'] = [kind.__name__ in seen[name]['kinds'] for kind, name in zip(kinds, named)]
        await node.note('remembered')
        seen['notes'] = await node.get_notes()
        got = []
        try:
            async for value in node.count_then_fail(2):
                got.append(value)
        except RpcError as error:
            seen['broken-stream'] = [got, str(error)]
        async for value in node.count(10**6, 0.001):
            if value == 2:
                break
        call = node.echo()
        await call
        seen['once'] = await failure_of(call)
        seen['responsive'] = await node.plain()
    await sess.close()
    return seen


async def bus():
    chain = json.loads(manifest('mirror', 'Mirror'))
    chain['nodes'] = [{'id': name, 'node_type': 'Mirror', 'params': {}} for name in ('first', 'second')]
    chain['connections'] = [{'from': 'first', 'to': 'second'}]
    sess = await rt.create_streaming_session(chain)
    async with attach_inproc(sess, attach_id='tester') as ctrl:
        tap = await ctrl.subscribe('first.out')
        try:
            await asyncio.wait_for(tap.recv(), 0.01)
        except asyncio.TimeoutError:
            pass
        await sess.send_input({'type': 'json', 'value': {'a': [1]}})
        seen = {'tapped': (await tap.recv()).json_value, 'out': await sess.recv_data(), 'attach': ctrl.attach_id}
        async with ctrl.intercept('first.out', deadline_ms=10_000) as held:
            for decide in ('replace', 'drop', 'pass_through'):
                await sess.send_input(decide)
                request = await held.recv()
                decision = request.replace(Data.from_text('other')) if decide == 'replace' else getattr(request, decide)()
                seen[decide] = [request.data.text_value, await decision]
            seen['intercepted'] = [await sess.recv_data(), await sess.recv_data()]
        await ctrl.publish('second.in', Data.from_bytes(b'\x01'))
        seen['published'] = list(await sess.recv_data())
        await ctrl.set_node_state('second', rt.NodeState.DISABLED)
        await sess.send_input('dropped')
        while (await tap.recv()).text_value != 'dropped':
            pass
        await ctrl.clear_node_state('second')
        await sess.send_input('kept')
        seen['kept'] = await sess.recv_data()
        seen['wrong-way'] = await failure_of(ctrl.subscribe('first.in'))
        seen['address'] = ControlAddressError.__name__ in (await failure_of(ctrl.publish('first.out', 'x')))['kinds']
        system = await ctrl.subscribe('__system__.out')
        await system.close()
    seen['tap-closed'] = await failure_of(drained(tap))
    await sess.close()
    return seen


async def drained(tap):
    while True:
        await tap.recv()


async def barge_in():
    sess = await start('barge-in', 'SlowSpeaker', tokens=10_000, delay=0.001)
    await sess.send_input('w')
    first = await sess.recv_data()
    await sess.control().talker.barge_in()
    while not (text := await sess.recv_data()).startswith('<'):
        pass
    await sess.send_input('x')
    nxt = await sess.recv_data()
    await sess.control().cancel_turn('talker')
    await sess.send_input('y')
    while not (after := await sess.recv_data()).startswith('y'):
        pass
    await sess.close()
    return {'first': first, 'barged': text, 'next': nxt, 'after-cancel': after}


async def unary():
    given = manifest('error-nth', 'ErrorOnNth', n=3)
    everything = await rt.execute_pipeline_with_input(given, ['a', 'b'])
    strict = await rt.execute_pipeline_with_input(given, ['a', 'b'], strict=True)
    metrics = await rt.execute_pipeline_with_input(given, ['a', 'b'], enable_metrics=True)
    empty = await rt.execute_pipeline(given)
    wrapped = await execute_pipeline_with_input(json.loads(given), ['z'])
    try:
        await rt.execute_pipeline_with_input(given, ['a', 'b', 'c', 'd'])
        failed = None
    except rt.TurnError as error:
        failed = [error.input_number, error.outputs]
    turns = json.loads(metrics['metrics'])['nodes']['talker']['turns']
    return {
        'all': everything,
        'strict': strict,
        'metrics': [metrics['outputs'], turns],
        'empty': empty,
        'wrapped': wrapped,
        'failed': failed,
    }


async def large():
    """Payloads far beyond a pipe's buffer in both directions at once, and a consumer that reads nothing for long."""
    sess = await start('mirror', 'Mirror')
    blob = os.urandom(24 * 2**20)
    sending = [asyncio.ensure_future(sess.send_input(blob)) for _ in range(4)]
    back = [await sess.recv_data() == blob for _ in range(4)]
    await asyncio.gather(*sending)
    samples = array.array('f', [0.5]) * 2**20
    await sess.send_input({'type': 'audio', 'samples': samples, 'sample_rate': 48000})
    audio = (await sess.recv_audio())['samples'] == samples
    await sess.close()
    fountain = await start('mirror', 'Fountain', count=10**9, size=2**20)
    await fountain.send_input('go')
    first = len(await fountain.recv_data())
    # Everything that may travel has arrived when another session has been used: the fountain waits, the rest lives.
    async with await start('mirror', 'Mirror') as other:
        await other.send_input('meanwhile')
        meanwhile = await other.recv_data()
    waiting = len(fountain._outputs._entries)
    await fountain.close()
    return {'back': back, 'audio': audio, 'first': first, 'meanwhile': meanwhile, 'bounded': waiting <= 64}


async def host_dies():
    """The host is killed: who waits is told at once, and the next session gets a new host."""
    sess = await start('mirror', 'Mirror')
    waiting = asyncio.ensure_future(sess.recv_data())
    await asyncio.sleep(0)
    first = sess._host.pid
    os.kill(first, signal.SIGKILL)
    told = await failure_of(waiting)
    after = await sess.recv_data()
    sending = await failure_of(sess.send_input('x'))
    await sess.close()
    again = await start('mirror', 'Mirror')
    await again.send_input('back')
    text = await again.recv_data()
    await again.close()
    return {
        'told': told['text'].split('\n')[0],
        'after': after,
        'sending': sending['code'],
        'text': text,
        'another': again._host.pid != first,
    }


async def forked():
    """A forked copy of this process has no host, and does not keep the original's alive."""
    sess = await start('mirror', 'Mirror')
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        try:
            sess._host.begin('stats', {})
        except rt.HostError as error:
            os.write(write_end, str(error).encode())
        os._exit(0)
    os.close(write_end)
    said = os.read(read_end, 1000).decode()
    os.waitpid(child, 0)
    await sess.send_input('unharmed')
    text = await sess.recv_data()
    await sess.close()
    return {'said': said, 'text': text}


async def holds(port):
    """Opens a session whose node holds a connection, and ends without closing anything."""
    sess = await start('mirror', 'Holder', port=int(port))
    await sess.send_input('x')
    return await sess.recv_data()


async def holds_for_ever(port):
    await holds(port)
    print('"held"', flush=True)
    await asyncio.Event().wait()


async def about():
    return {
        'available': rt.is_available(),
        'runtime': rt.get_runtime_version(),
        'module': rt.__version__,
        'native': await failure_of(asyncio.sleep(0)) or unsupported(),
    }


def unsupported():
    try:
        rt.load_plugin('x.so')
    except AttributeError as error:
        return str(error)
    return None


async def unavailable():
    return {'available': rt.is_available(), 'error': await failure_of(start('mirror', 'Mirror'))}


if __name__ == '__main__':
    print(json.dumps(asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))))
