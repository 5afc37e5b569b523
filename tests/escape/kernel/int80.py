# expect: prints held  (the 32-bit entry ends the process, whatever it asks for)
import ctypes, mmap, os
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
pid = os.fork()
if pid == 0:
    os._exit(7 if call() > 0 else 0)
status = os.waitpid(pid, 0)[1]
print("held" if not (os.WIFEXITED(status) and os.WEXITSTATUS(status) == 7) else "a 32-bit call worked")
