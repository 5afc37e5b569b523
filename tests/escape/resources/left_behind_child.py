# expect: prints done  (a child that holds the streams open does not hold the answer back)
import subprocess
subprocess.Popen(["sleep", "1000"])
print("done")
