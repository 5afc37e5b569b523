import numpy as np
from scipy import fft, integrate, interpolate, ndimage, optimize, signal, spatial, special, stats
best = optimize.minimize(optimize.rosen, [1.3, 0.7, 0.8, 1.9, 1.2], method="BFGS")
assert best.success and np.allclose(best.x, 1, atol=1e-3)
assert optimize.linprog([-1, -2], A_ub=[[1, 1]], b_ub=[4]).fun == -8
assert abs(optimize.brentq(np.cos, 1, 2) - np.pi / 2) < 1e-9
assert abs(integrate.quad(np.sin, 0, np.pi)[0] - 2) < 1e-9
found = optimize.differential_evolution(lambda x: (x[0] - 3) ** 2, [(0, 10)], seed=1)
assert abs(found.x[0] - 3) < 1e-3
assert stats.norm.cdf(0) == 0.5 and stats.ttest_ind([1, 2, 3], [1, 2, 3]).pvalue == 1
assert abs(float(interpolate.interp1d([0, 1], [0, 2])(0.5)) - 1) < 1e-9
assert len(signal.find_peaks(np.sin(np.linspace(0, 20, 500)))[0]) == 3
assert spatial.cKDTree([[0, 0], [5, 5]]).query([4, 4])[1] == 1
assert ndimage.gaussian_filter(np.ones((20, 20)), 2).shape == (20, 20) and special.gamma(5) == 24
assert np.allclose(fft.irfft(fft.rfft(np.arange(64.0), workers=2), workers=2), np.arange(64.0))
