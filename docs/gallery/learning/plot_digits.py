"""
Handwritten digits in a few seconds
===================================

The 8 x 8 digits of scikit-learn, bright pixels early, black ones silent, in a 64-100-10 network. Top: the images that were
got wrong; below: which digit was taken for which.
"""

import matplotlib.pyplot as plt
import numpy as np

from ttfs_pynn import Trainer, TrainingOptions, evaluate
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.models import digits
from ttfs_pynn.networks.array_network import ArrayNetwork

parameters = digits.PARAMETERS["network"]
graph, data = digits.graph(parameters), digits.data(parameters)
options = TrainingOptions.of({**digits.PARAMETERS["training"], "epochs": 20, "seed": 1})
network = ArrayNetwork(graph, initial_parameters(graph, np.random.default_rng(1), data["train"].times))
Trainer(network, data["train"], options).run()
answer = evaluate(network, data["validation"], batch_size=300)
wrong = np.flatnonzero(answer.predictions != answer.labels)
print(f"accuracy on {len(answer.labels)} validation images: {answer.accuracy:.3f}")

# %%
figure, axes = plt.subplots(1, 8, figsize=(9, 1.7))
for panel, k in zip(axes, wrong, strict=False):
    times = data["validation"].times[k].reshape(8, 8)
    panel.imshow(np.where(np.isfinite(times), parameters["t_late"] - times, 0.0), cmap="gray")
    panel.set(xticks=[], yticks=[], title=f"{answer.labels[k]}, taken for {answer.predictions[k]}")
    panel.title.set_fontsize(8)
plt.show()

# %%
matrix = np.zeros((10, 10), dtype=int)
answered = answer.predictions >= 0
np.add.at(matrix, (answer.labels[answered], answer.predictions[answered]), 1)
figure, axes = plt.subplots(figsize=(4.6, 4))
axes.imshow(matrix, cmap="Blues", norm="symlog")
for (row, column), count in np.ndenumerate(matrix):
    if count:
        axes.text(column, row, count, ha="center", va="center", fontsize=8, color="white" if count > 10 else "black")
axes.set(xlabel="answer", ylabel="digit", xticks=range(10), yticks=range(10))
axes.spines[:].set_visible(False)
plt.show()
