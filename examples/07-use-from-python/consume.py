"""Runs a pipeline from a Python program, with nothing but the standard library.

    PYTHONPATH="$(npx charmer python-path)" python3 consume.py
"""

import asyncio
import os

import remotemedia.runtime as rt


async def main():
    # Relative plugins of a manifest given as text start from the working directory.
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    sess = await rt.create_streaming_session(open('manifest.json').read())

    await sess.send_input({'type': 'text', 'data': 'hello'})
    print(await sess.recv_data())

    await sess.send_input({'type': 'audio', 'samples': [0.1, -0.2, 0.75], 'sample_rate': 16000, 'channels': 1})
    audio = await sess.recv_audio()
    print([round(sample, 2) for sample in audio['samples']], 'at', audio['sample_rate'], 'Hz')

    async with sess.control() as control:
        print('marks before:', await control.shout.set_marks(3))
    await sess.send_input('once more')
    print(await sess.recv_data())

    await sess.send_input(b'bytes')
    try:
        await sess.recv_data()
    except rt.TurnError as error:
        print(f'{error.node}, input {error.input_number}: {error.exception_type}')

    await sess.send_input('goodbye')
    await sess.signal_input_complete()
    async for output in sess:
        print(f'{output.node}: {output.data}')
    await sess.close()


asyncio.run(main())
