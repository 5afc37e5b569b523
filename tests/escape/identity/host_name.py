# expect: prints session  (the machine's name is none of its business)
import os
print(os.uname().nodename)
