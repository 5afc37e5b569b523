import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

x, y = make_classification(600, random_state=1)
assert RandomForestClassifier(40, n_jobs=4, random_state=1).fit(x, y).score(x, y) > 0.95
assert HistGradientBoostingClassifier(max_iter=20).fit(x, y).score(x, y) > 0.9
points, _ = make_blobs(900, centers=3, random_state=1)
assert len(np.unique(KMeans(3, n_init=3, random_state=1).fit(points).labels_)) == 3
