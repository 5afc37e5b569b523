# expect: prints held
import os
os.chdir("/")
for _ in range(50):
    os.chdir("..")
print("held" if os.getcwd() == "/" and not os.path.exists("/root") else os.listdir("."))
