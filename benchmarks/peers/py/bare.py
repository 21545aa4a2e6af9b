"""The least that Python takes for a card: no GraphQL, no framework, no rights, no limits.

Cards that are asked for at the same time are one statement. Who looks is noted for good before they
see it, as the hub does, and so that as many notes are one statement as well.
"""

import asyncio
import json
import os
from datetime import UTC, datetime

import asyncpg
import httptools
import uvloop

CARDS = """SELECT c.serial, c.status, c.talent_id, t.name, t.category
FROM cards c JOIN talents t ON t.id = c.talent_id WHERE c.serial = ANY($1::text[])"""
NOTE = ("talent_id", "who", "what", "purpose", "at")
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "


class Together:
    """Does what is asked for while its connections are busy in one go, once one is free."""

    def __init__(self, connections, work):
        self.free = list(connections)
        self.work = work
        self.waiting = []
        self.tasks = set()

    def put(self, one):
        self.waiting.append(one)
        if self.free:
            task = asyncio.ensure_future(self.all(self.free.pop()))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def all(self, connection):
        while self.waiting:
            some, self.waiting = self.waiting, []
            await self.work(connection, some)
        self.free.append(connection)


class Answering(asyncio.Protocol):
    """One connection, whose requests come whole and one after another."""

    def __init__(self, looks):
        self.looks = looks

    def connection_made(self, transport):
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_message_begin(self):
        self.body = b""

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        variables = json.loads(self.body).get("variables")
        if variables:
            self.looks.put((variables["serial"], self))
        else:
            self.answer({"__typename": "Query"})

    def answer(self, data):
        body = json.dumps({"data": data}, separators=(",", ":"), ensure_ascii=False).encode()
        self.transport.write(f"{HEAD}{len(body)}\r\n\r\n".encode() + body)


async def main():
    connections = [await asyncpg.connect(os.environ["PEERS_DSN"]) for _ in range(4)]

    async def note(connection, some):
        at = datetime.now(UTC)
        records = [(row["talent_id"], "officer", "card", "benchmark", at) for row, _ in some]
        await connection.copy_records_to_table("looks", columns=NOTE, records=records)
        for row, one in some:
            holder = {"name": row["name"], "category": row["category"]}
            card = {"serial": row["serial"], "status": row["status"], "talent": holder}
            one.answer({"card": card})

    async def look(connection, some):
        rows = await connection.fetch(CARDS, [serial for serial, _ in some])
        found = {row["serial"]: row for row in rows}
        for serial, one in some:
            if row := found.get(serial):
                notes.put((row, one))
            else:
                one.answer({"card": None})

    notes = Together(connections[2:], note)
    looks = Together(connections[:2], look)
    port = int(os.environ["PORT"])
    server = await asyncio.get_running_loop().create_server(
        lambda: Answering(looks), "127.0.0.1", port
    )
    await server.serve_forever()


uvloop.run(main())
