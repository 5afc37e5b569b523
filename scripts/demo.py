"""What scripts/demo runs inside a session: two ISO code lists, counted, listed and drawn."""
import json

import matplotlib.pyplot as plt
import pandas as pd

countries = json.load(open("/mnt/data/iso_3166-1.json"))["3166-1"]
languages = json.load(open("/mnt/data/iso_639-3.json"))["639-3"]

for name, objects in (("iso_3166-1.json", countries), ("iso_639-3.json", languages)):
    frame = pd.DataFrame(objects)
    print(f"{name}: {len(frame)} objects")
    properties = pd.DataFrame({"present": frame.notna().sum(), "distinct": frame.nunique()})
    print(properties.to_string(), end="\n\n")

kinds = {"L": "living", "E": "extinct", "A": "ancient", "H": "historical", "C": "constructed",
         "S": "special"}
counts = pd.DataFrame(languages)["type"].map(kinds).value_counts()
counts.plot.barh(title="Languages in ISO 639-3", logx=True)
plt.tight_layout()
plt.savefig("/mnt/data/languages.png")
plt.close("all")
print("chart saved as languages.png")
