# timeout: 90
import io
import matplotlib.pyplot as plt
import numpy as np
figure, axes = plt.subplots(2, 2, figsize=(6, 4))
x = np.linspace(0, 10, 200)
axes[0, 0].plot(x, np.sin(x), label=r"$\sin x$")
axes[0, 0].legend()
axes[0, 1].hist(np.random.default_rng(1).normal(size=1000), bins=30)
axes[1, 0].scatter(x, np.cos(x), c=x)
axes[1, 1].imshow(np.outer(x, x))
for kind, magic in [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("jpg", b"\xff\xd8")]:
    figure.savefig(f"/mnt/data/figure.{kind}")
    assert open(f"/mnt/data/figure.{kind}", "rb").read(5).startswith(magic), kind
buffer = io.BytesIO()
figure.savefig(buffer, format="png", dpi=50)
assert buffer.getvalue()
plt.close(figure)
