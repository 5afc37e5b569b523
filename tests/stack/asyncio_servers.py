import asyncio

async def upper(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()

async def ask(reader, writer):
    writer.write(b"hello\n")
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer

async def main():
    for host in ("127.0.0.1", "::1", "localhost"):
        async with await asyncio.start_server(upper, host, 0) as server:
            port = server.sockets[0].getsockname()[1]
            assert await ask(*await asyncio.open_connection(host, port)) == b"HELLO\n", host
    async with await asyncio.start_unix_server(upper, "/tmp/upper"):
        answers = await asyncio.gather(*[ask(*await asyncio.open_unix_connection("/tmp/upper")) for _ in range(50)])
        assert answers == [b"HELLO\n"] * 50

await main()
