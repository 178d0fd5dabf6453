#!/usr/bin/env python3
"""Converts a MobileGaze model of 448x448 to 224x224 for the benchmark.

    python3 benches/mobilegaze_224.py mobilegaze_mobileone_s0.onnx mobilegaze_224.onnx

The network is convolutional up to a global mean, so the same weights run at another size: this gives the
cost of a real network at 224x224, with meaningless angles. Needs the Python package `onnx`.
"""

import sys

import onnx

model = onnx.load(sys.argv[1])
for dim in model.graph.input[0].type.tensor_type.shape.dim[2:]:
    dim.ClearField("dim_param")
    dim.dim_value = 224
del model.graph.value_info[:]
onnx.checker.check_model(model)
onnx.save(model, sys.argv[2])
