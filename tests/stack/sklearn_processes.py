# timeout: 150
# joblib's own processes, loky: semaphores, shared memory, a resource tracker.
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x, y = load_iris(return_X_y=True)
model = make_pipeline(StandardScaler(), LogisticRegression())
assert cross_val_score(model, x, y, n_jobs=2).mean() > 0.9
search = GridSearchCV(model, {"logisticregression__C": [0.1, 1, 10]}, n_jobs=2).fit(x, y)
assert search.best_score_ > 0.9
