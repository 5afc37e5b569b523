# expect: error RuntimeError
import threading, time
for _ in range(2000):
    threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
