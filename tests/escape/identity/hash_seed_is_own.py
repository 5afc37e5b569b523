# expect: prints 3 of 3 are another
# start: exec  (forks share the seed, until their zygote is replaced)
import ast

own = [hash("a"), hash(b"abc"), hash("another text")]
print(sum(mine != other for mine, other in zip(own, ast.literal_eval(BESIDE))), "of 3 are another")
