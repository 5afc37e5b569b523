# expect: prints (1, 1)  (with 0 the kernel would still start a program that takes core files)
import resource
print(resource.getrlimit(resource.RLIMIT_CORE))
