"""Publishes an activity to Leadflow over NATS, again and again until Leadflow says that it has it.

    python publish.py nats://127.0.0.1:4222 newsletter < activity.json
"""

import asyncio
import sys

import nats


async def publish(url: str, source: str, activity: bytes) -> str:
    client = await nats.connect(url)
    inbox = client.new_inbox()
    receipts = await client.subscribe(inbox)
    # Not the reply subject: there the server says that it has the message, and a server may lose what it has.
    headers = {"content-type": "application/json", "leadflow-receipt": inbox}
    while True:
        await client.publish(f"leadflow.intake.v1.{source}", activity, headers=headers)
        try:
            receipt = await receipts.next_msg(timeout=2)
            break
        except nats.errors.TimeoutError:
            print("no receipt yet, sending again", file=sys.stderr)
    await client.close()
    return receipt.data.decode()


print(asyncio.run(publish(sys.argv[1], sys.argv[2], sys.stdin.buffer.read())))
