# expect: survives
# afterwards: after removal
import builtins, gc, sys
for name in list(vars(builtins)):
    if name not in ("vars", "list"):
        delattr(builtins, name)
