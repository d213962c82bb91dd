#!/usr/bin/env python3
"""make_sklearn.py: cases written by skl2onnx: operators of ai.onnx.ml, and one
pipeline of ai.onnx alone."""
import os

import numpy as np
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from cases import case


def main():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((40, 4)).astype(np.float32)
    label = (x[:, 0] + x[:, 1] > 0).astype(np.int64)
    feeds = {'X': x[:3]}
    options = {'zipmap': False}
    for name, made in (('logistic', make_pipeline(StandardScaler(), LogisticRegression())),
                       ('tree', DecisionTreeClassifier(max_depth=3, random_state=1))):
        made.fit(x, label)
        case(f'sklearn_{name}', to_onnx(made, x[:1], options={id(made): options}, target_opset=18), feeds)
    mlp = MLPRegressor(hidden_layer_sizes=(5,), max_iter=50, random_state=1).fit(x, x[:, 0])
    case('sklearn_mlp', to_onnx(mlp, x[:1], target_opset=18), feeds)


main()
