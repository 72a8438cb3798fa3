"""The lines that every consumer of RemoteMedia knows, as they are."""

import asyncio

import remotemedia.runtime as rt


async def main():
    sess = await rt.create_streaming_session(open("manifest.json").read())
    await sess.send_input({"type": "text", "data": "hi"})
    print(await sess.recv_data())
    await sess.close()


asyncio.run(main())
