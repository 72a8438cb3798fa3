"""The runner's command line: `python -m remotemedia.core.multiprocessing.runner --node-type T --node-id ID …`.

A host of ours drives nodes through its own runner; this program is for people, and for whoever starts runners the way
the original does. Its frames go over descriptors 3 and 4 (`pipe_transport.py`), its words to stderr; stdin and stdout
belong to the plugin. Exit codes: 0 ended, 1 could not start or could not go on, 2 wrong usage, n after `sys.exit(n)`.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import json
import logging
import os
import signal
import sys
import threading
import time
from importlib import import_module
from typing import Any, Optional

from ... import _native
from .construction import construct_node
from .node import LOG_FORMAT, MultiprocessNode, NodeConfig, NodeExit
from .pipe_transport import PipeTransport, claim_descriptors
from .registry import _NODE_REGISTRY, get_node_class

RUNNER_PROTOCOL_VERSION = 1
PARENT_CHECK_SECONDS = 2.0
# After a signal the running turn may end, then cleanup() has its time, then the process goes whatever hangs.
DRAIN_SECONDS = 2.5
CLEANUP_SECONDS = 1.5
CLOSE_SECONDS = 4.5

logger = logging.getLogger('remotemedia.runner')


def parse_arguments(argv: Optional[list[str]] = None) -> argparse.Namespace:
    """The flags of the original; usage errors exit with 2."""
    parser = argparse.ArgumentParser(
        prog='python -m remotemedia.core.multiprocessing.runner', description='Runs one node in this process.'
    )
    parser.add_argument('--node-type', required=True, help='registered name of the node')
    parser.add_argument('--node-id', required=True, help='id of this instance')
    parser.add_argument('--session-id', help='session this instance belongs to')
    parser.add_argument('--params', type=json.loads, default=None, help='params as JSON')
    parser.add_argument('--params-stdin', action='store_true', help='read the params from stdin, instead of --params')
    parser.add_argument('--module-root', action='append', default=[], help='folder to import from, the first one wins')
    parser.add_argument(
        '--register-module', action='append', default=[], help='module to import before the node is made'
    )
    parser.add_argument('--log-level', default='INFO', choices=['DEBUG', 'INFO', 'WARNING', 'ERROR'])
    parser.add_argument('--ipc-config', type=json.loads, default=None, help='accepted and not used')
    return parser.parse_args(argv)


def main(argv: Optional[list[str]] = None) -> int:
    """Runs a node until it ends; the exit code."""
    descriptors = claim_descriptors()
    faulthandler.enable()
    _install_parent_death_watcher()
    arguments = parse_arguments(argv)
    logging.basicConfig(level=arguments.log_level, format=LOG_FORMAT, stream=sys.stderr)
    _native.enter_runner()
    sys.path[0:0] = [root for root in arguments.module_root if root]
    if not all(_register(module) for module in arguments.register_module):
        return 1
    try:
        params = _read_params(arguments)
    except ValueError as error:
        logger.error('Failed to parse params from stdin: %s', error)
        return 1
    session = arguments.session_id or f'rmsrc-{os.getpid()}-{time.time_ns() // 1000}'
    config = NodeConfig(arguments.node_id, arguments.node_type, params, session, arguments.log_level)
    return NodeRunner(config, descriptors).run()


def run() -> None:
    """Entry point: `main()` as a process."""
    code = main()
    sys.stdout.flush()
    sys.exit(code)


class NodeRunner:
    """Makes one node, drives it until it stops, and cleans it up whatever happens."""

    def __init__(self, config: NodeConfig, descriptors: Optional[tuple[int, int]] = None) -> None:
        self.config = config
        self.node: Optional[MultiprocessNode] = None
        self._descriptors = descriptors
        self._is_stopping = False

    def run(self) -> int:
        if self.config.node_type not in _NODE_REGISTRY:
            logger.error("Node type '%s' not registered. Available: %s", self.config.node_type, sorted(_NODE_REGISTRY))
            return 1
        return asyncio.run(self._run())

    async def _run(self) -> int:
        try:
            self.node = node = construct_node(get_node_class(self.config.node_type), self.config)
        except Exception:
            logger.exception("Failed to create node '%s'", self.config.node_id)
            return 1
        transport = PipeTransport(self._descriptors, node.session_id, logger)
        transport.start()
        node._transport = node._control_publisher = transport
        deps = getattr(type(node._rpc_target), '__python_requires__', None)
        if deps:
            transport.control('DEPS', list(deps))
        work = asyncio.ensure_future(node._process_loop_with_init())
        self._catch_signals(work)
        logger.info("Initializing node '%s'", node.node_id)
        try:
            await work
        except asyncio.CancelledError:
            return 0
        except NodeExit as ended:
            return _code_of(ended.cause)
        except Exception:
            logger.exception("Node '%s' failed", self.config.node_id)
            return 1
        finally:
            await self._clean_up(node)
        return 0

    async def _clean_up(self, node: MultiprocessNode) -> None:
        limit = CLEANUP_SECONDS if self._is_stopping else None
        try:
            await asyncio.wait_for(node._cleanup_once(), limit)
        except asyncio.TimeoutError:
            logger.error("cleanup() of node '%s' did not end within %s s", node.node_id, limit)

    def _catch_signals(self, work: Any) -> None:
        loop = asyncio.get_running_loop()
        node = self.node
        assert node is not None

        def stop() -> None:
            node._stop_event.set()
            # While initialize() runs there is no turn to wait for.
            loop.call_later(DRAIN_SECONDS if node._init_complete.is_set() else 0, work.cancel)

        def caught(number: int, frame: Any) -> None:
            if not self._is_stopping:
                self._is_stopping = True
                limit = threading.Timer(CLOSE_SECONDS, os._exit, (0,))
                limit.daemon = True
                limit.start()
                loop.call_soon_threadsafe(stop)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, caught)


def _register(module: str) -> bool:
    try:
        import_module(module)
    except ImportError as error:
        logger.error("Failed to import custom node module '%s': %s", module, error)
        return False
    except Exception as error:
        logger.error("Error loading custom node module '%s': %s", module, error)
        return False
    return True


def _read_params(arguments: argparse.Namespace) -> Any:
    params = arguments.params
    if arguments.params_stdin:
        text = sys.stdin.read()
        params = json.loads(text) if text.strip() else None
    return {} if params is None else params


def _code_of(cause: BaseException) -> int:
    if not isinstance(cause, SystemExit):
        return 0
    return cause.code if isinstance(cause.code, int) else 0 if cause.code is None else 1


def _install_parent_death_watcher() -> None:
    """Ends this process within two seconds of its parent's death; at once when there is no parent to watch."""
    parent = os.getppid()
    if parent in (0, 1):
        os._exit(0)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_SECONDS)
        os._exit(0)

    threading.Thread(target=watch, name='parent-watcher', daemon=True).start()


if __name__ == '__main__':
    run()
