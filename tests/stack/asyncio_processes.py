import asyncio
import signal
import sys

async def main():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(input()[::-1])",
                                                 stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate(b"abc\n")
    assert output == b"cba\n" and child.returncode == 0
    shell = await asyncio.create_subprocess_shell("sleep 30")
    shell.terminate()
    assert await shell.wait() == -signal.SIGTERM
    assert await asyncio.to_thread(sum, range(10)) == 45
    try:
        await asyncio.wait_for(asyncio.sleep(30), 0.1)
        raise AssertionError("no timeout")
    except asyncio.TimeoutError:
        pass

await main()
