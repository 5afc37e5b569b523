import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh, spsolve
a = np.random.default_rng(2).standard_normal((200, 200))
p, l, u = linalg.lu(a)
assert np.allclose(p @ l @ u, a)
assert np.allclose(linalg.expm(np.zeros((3, 3))), np.eye(3))
m = sparse.diags([-1, 2, -1], [-1, 0, 1], shape=(500, 500), format="csc")
assert np.allclose(m @ spsolve(m, np.ones(500)), 1)
assert eigsh(m, k=3, return_eigenvectors=False).max() < 4
