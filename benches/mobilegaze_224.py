#!/usr/bin/env python3
"""Makes a 224x224 gaze model for the benchmark out of a 448x448 MobileGaze file.

    python3 benches/mobilegaze_224.py mobilegaze_mobileone_s0.onnx mobilegaze_224.onnx

The network is convolutional up to a global mean, so the same weights run at another size: a real
network's cost at 224x224. Its angles mean nothing. Needs the Python package `onnx`.
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
