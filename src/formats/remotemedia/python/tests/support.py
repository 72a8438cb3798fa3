"""What the tests share: the recorded cases, a stand-in for the host, and the notation of the recordings."""

from __future__ import annotations

import array
import hashlib
import importlib.util
import json
import logging
import os
import struct
import sys
from pathlib import Path
from typing import Any, Optional

PYTHON = Path(__file__).resolve().parents[1]
ROOT = PYTHON.parents[3]
# The conformance command runs these tests over other directories of the same layout.
FIXTURES = Path(os.environ.get('CHARMER_CASES') or ROOT / 'fixtures' / 'conformance' / 'remotemedia')
PLUGINS = FIXTURES / 'plugins'
for entry in (str(ROOT / 'runner'), str(PYTHON)):
    if entry not in sys.path:
        sys.path.insert(0, entry)

HAS_NUMPY = importlib.util.find_spec('numpy') is not None
SESSION = 'sess1'
TENSORS = {1: 'f32', 2: 'f64', 3: 'i32', 4: 'i64', 5: 'u8', 6: 'u16'}
VIDEOS = {1: 'rgb', 2: 'rgba', 3: 'yuv420', 4: 'yuv422', 5: 'yuv444', 6: 'bgr'}
CODECS = {1: 'vp8', 2: 'h264', 3: 'av1'}
# Authors' nodes log what they raise; the tests look at what is reported instead.
logging.disable(logging.CRITICAL)


class FakeHost:
    """Keeps the events of a dialect, and the control messages that the original would have sent for them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.control: list[str] = []

    def event(self, type: str, **fields: Any) -> None:
        self.events.append({'type': type, **fields})
        if type == 'deps':
            self.control.append(f'DEPS:{json.dumps(fields["deps"])}')
        elif type in ('progress', 'publish'):
            self.control.append(f'{type.upper()}:{json.dumps(fields)}')

    def of_type(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event['type'] == type]


class FakeCall:
    id = 1
    raw = False
    streaming = True
    cancelled = False
    options: dict[str, Any] = {}


def load(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding='utf-8'))


def entry_module(plugin: str) -> str:
    return str(_toml(plugin, 'entry_module'))


def needs_numpy(plugin: Optional[str]) -> bool:
    """Whether a plugin lists NumPy, or imports it without listing it."""
    if plugin is None:
        return False
    sources = (PLUGINS / plugin).glob('*.py')
    return 'numpy' in _toml(plugin, 'requires') or any('import numpy' in path.read_text('utf-8') for path in sources)


def _toml(plugin: str, key: str) -> Any:
    # The tests run where there is no TOML reader; these two keys are JSON as well.
    for line in (PLUGINS / plugin / 'plugin.toml').read_text(encoding='utf-8').splitlines():
        name, _, value = line.partition('=')
        if name.strip() == key:
            return json.loads(value)
    raise KeyError(key)


def opening(plugin: str, node_type: Optional[str], *, root: Optional[str] = None, **node: Any) -> dict[str, Any]:
    directory = PLUGINS / plugin
    value: dict[str, Any] = {
        'entry_module': entry_module(plugin),
        'module_root': str(directory / root if root else directory),
        'node_types': [node_type] if node_type else [],
        'directory': str(directory),
    }
    if node_type:
        value['node'] = {'node_type': node_type, 'node_id': 'n', 'session_id': SESSION, 'params': {}, **node}
    return value


def forget_plugins() -> None:
    """Each case begins as a process does: no plugin imported, nothing registered."""
    from remotemedia.core.multiprocessing.registry import _NODE_REGISTRY

    _NODE_REGISTRY.clear()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, '__file__', None) or '').startswith(str(PLUGINS)) or name == 'pkg':
            del sys.modules[name]
    sys.path[:] = [path for path in sys.path if not path.startswith(str(PLUGINS))]
    importlib.invalidate_caches()


def text_of(entry: dict[str, Any]) -> str:
    if 'repeat' in entry:
        piece, count = entry['repeat']
        return str(piece * count)
    if entry['kind'] == 'aux':
        return json.dumps({'__aux_port__': entry['port'], 'payload': entry['payload']})
    return str(entry['text'])


def to_wire(entry: dict[str, Any]) -> Optional[dict[str, Any]]:
    """An input of the recordings as our host sends it; None: it cannot be sent."""
    kind = entry['kind']
    if kind in ('text', 'aux'):
        value: dict[str, Any] = {'type': 'text', 'data': text_of(entry)}
        if entry.get('channel'):
            value['channel'] = entry['channel']
    elif kind == 'audio':
        samples = entry['samples'] if 'samples' in entry else [index % 100 / 100 for index in range(entry['ramp'])]
        value = {'type': 'audio', 'samples': array.array('f', samples).tobytes(), **_some(entry, 'annotations')}
        value.update(sample_rate=entry['sample_rate'], channels=entry['channels'])
    elif kind == 'tensor':
        value = {'type': 'tensor', 'data': bytes.fromhex(entry['data_hex']), 'shape': entry['shape']}
        value.update(dtype=TENSORS.get(entry['dtype'], str(entry['dtype'])), **_some(entry, 'extras'))
    elif kind == 'video':
        value = {'type': 'video', 'data': bytes.fromhex(entry['data_hex']), **_some(entry, 'width', 'height')}
        value.update(format=VIDEOS.get(entry['format'], 'encoded'), frame_number=entry['frame_number'])
        value.update(is_keyframe=entry['keyframe'], **({'codec': CODECS[entry['codec']]} if entry['codec'] else {}))
    elif kind == 'file':
        value = {'type': 'file', **{key: value for key, value in entry.items() if key != 'kind'}}
    elif kind == 'json':
        value = {'type': 'json', 'value': entry['json']}
    elif kind == 'control':
        value = {'type': 'control', **entry['json']}
    elif kind == 'raw' and entry['type'] == 6:
        value = {'type': 'numpy', 'data': bytes.fromhex(entry['payload_hex'])[26:], 'shape': [2], 'dtype': '<f4'}
    else:
        return None
    if 'session' in entry:
        value['session'] = entry['session']
    return value


def _some(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: entry[name] for name in names if name in entry}


def to_notation(value: dict[str, Any]) -> dict[str, Any]:
    """An output of ours in the recordings' notation, without its session."""
    kind = value['type']
    out: dict[str, Any] = {'kind': kind, **_some(value, 'annotations')}
    if kind == 'text':
        out.update(text_notation(value['data']))
        channel = value.get('channel')
        if channel is not None:
            size = len(channel.encode('utf-8'))
            out['channel'] = channel if size <= 64 else {'bytes': size}
        out.update(_some(value, 'language'))
    elif kind == 'audio':
        out.update(_some(value, 'sample_rate', 'channels'), f32=bytes_notation(value['samples']))
    elif kind == 'tensor':
        dtype = next(number for number, name in TENSORS.items() if name == value['dtype'])
        out.update(shape=value['shape'], dtype=dtype, data=bytes_notation(value['data']), **_some(value, 'extras'))
    elif kind == 'video':
        codec = next((number for number, name in CODECS.items() if name == value.get('codec')), 0)
        number = next(number for number, name in VIDEOS.items() if name == value['format'])
        out.update(width=value['width'], height=value['height'], format=number, codec=codec)
        out.update(frame_number=value['frame_number'], keyframe=int(value['is_keyframe']))
        out.update(data=bytes_notation(value['data']))
    elif kind == 'file':
        names = ('path', 'filename', 'mime_type', 'size', 'offset', 'length', 'stream_id')
        out.update({name: value.get(name) for name in names})
    elif kind == 'json':
        out.update(value=value['value'])
    elif kind == 'binary':
        out.update(hex=value['data'].hex())
    elif kind == 'numpy':
        values = struct.unpack(f'<{len(value["data"]) // 8}q', value['data'])
        out.update(dtype=value['dtype'], shape=value['shape'], values=list(values))
    elif kind == 'control':
        message = {'message_type': {value['message_type']: value['fields']}, 'segment_id': value.get('segment_id')}
        out.update(json={**message, 'metadata': value['metadata']})
    return out


def text_notation(text: str) -> dict[str, Any]:
    if len(text) <= 2000:
        return {'text': text}
    return {'characters': len(text), 'sha256': hashlib.sha256(text.encode('utf-8')).hexdigest()}


def bytes_notation(data: bytes) -> dict[str, Any]:
    if len(data) <= 96:
        return {'hex': data.hex()}
    return {'bytes': len(data), 'sha256': hashlib.sha256(data).hexdigest()}
