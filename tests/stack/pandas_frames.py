import io
import sqlite3
import numpy as np
import pandas as pd
random = np.random.default_rng(3)
frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=1000, tz="Europe/Berlin"),
                      "kind": random.choice(list("abc"), 1000), "value": random.normal(size=1000)})
frame.to_csv("/mnt/data/frame.csv", index=False)
again = pd.read_csv("/mnt/data/frame.csv")
assert np.allclose(again["value"], frame["value"])
assert frame.groupby("kind")["value"].mean().shape == (3,)
assert len(frame.set_index("day").resample("M")["value"].sum()) >= 32
assert pd.read_json(io.StringIO(frame.head(3).to_json(orient="records"))).shape == (3, 3)
with sqlite3.connect("/mnt/data/frame.db") as database:
    frame[["kind", "value"]].to_sql("frame", database, index=False)
    assert pd.read_sql("select count(*) n from frame", database)["n"][0] == 1000
frame.to_pickle("/mnt/data/frame.pkl")
assert pd.read_pickle("/mnt/data/frame.pkl").equals(frame)
assert frame.pivot_table(index="kind", values="value", aggfunc=["min", "max"]).shape == (3, 2)
