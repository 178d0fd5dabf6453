#!/usr/bin/env python3
"""Writes detections.json: what face detectors see in known frames, decoded without project code.

    make_detections.py SHARED      (SHARED holds models/face and media/frames)

Needs numpy, onnxruntime and OpenCV's cv2. Each decoder follows its publisher's own code: YuNet
libfacedetection.train, RetinaFace Pytorch_Retinaface and OpenSeeFace, BlazeFace MediaPipe.
"""
import json
import pathlib
import sys

import cv2
import numpy as np
import onnxruntime as ort

FRAMES = ["skimage_astronaut_f0", "uniface_man1_f0", "uniface_meeting_f0", "fr_two_people_f0",
          "hysts_video00_f200", "skimage_coffee_f0", "intel_car_noface_f100"]
NMS = 0.4


def keep_best(boxes, scores, points):
    """Greedy suppression, best first."""
    left, result = list(np.argsort(-scores)), []
    while left:
        best, left = left[0], left[1:]
        result.append({"box": [round(float(v), 3) for v in boxes[best]],
                       "score": round(float(scores[best]), 5),
                       "points": None if points is None else
                       [[round(float(v), 3) for v in p] for p in points[best]]})
        low = np.maximum(boxes[left, :2], boxes[best, :2])
        high = np.minimum(boxes[left, 2:], boxes[best, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        area = lambda b: np.prod(b[..., 2:] - b[..., :2], axis=-1)
        overlap = shared / (area(boxes[left]) + area(boxes[best]) - shared)
        left = [index for index, o in zip(left, overlap) if o <= NMS]
    return result


def letterbox(image, width, height, scale, centre=False):
    h, w = image.shape[:2]
    small = (int(w * scale), int(h * scale))
    x, y = ((width - small[0]) // 2, (height - small[1]) // 2) if centre else (0, 0)
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[y:y + small[1], x:x + small[0]] = cv2.resize(image, small)
    return canvas.astype(np.float32), x, y


def nchw(image):
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None])


def cells(columns, rows, stride):
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    return np.stack([x, y], -1).reshape(-1, 2).astype(np.float32) * stride


def yunet(session, image, threshold):
    h, w = image.shape[:2]
    fixed = session.get_inputs()[0].shape[3]
    if isinstance(fixed, int):
        width = height = fixed
        scale = min(fixed / w, fixed / h)
    else:
        scale = min(1.0, 640 / max(h, w))
        width, height = (-(-int(side * scale) // 32) * 32 for side in (w, h))
    canvas, _, _ = letterbox(image, width, height, scale)
    out = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"input": nchw(canvas)})))
    boxes, scores, points = [], [], []
    for stride in (8, 16, 32):
        cls, obj, box, kps = (out[f"{name}_{stride}"][0] for name in ("cls", "obj", "bbox", "kps"))
        corner = cells(width // stride, height // stride, stride)
        centre, extent = box[:, :2] * stride + corner, np.exp(box[:, 2:]) * stride
        boxes.append(np.hstack([centre - extent / 2, centre + extent / 2]))
        scores.append((cls * obj)[:, 0])
        points.append(kps.reshape(-1, 5, 2) * stride + corner[:, None])
    boxes, scores, points = map(np.concatenate, (boxes, scores, points))
    good = scores > threshold
    return keep_best(boxes[good] / scale, scores[good], points[good] / scale)


def retinaface(session, image, threshold):
    h, w = image.shape[:2]
    scale = min(640 / w, 640 / h)
    canvas, _, _ = letterbox(image, 640, 640, scale)
    loc, conf, landms = (o[0] for o in session.run(None, {"input0": nchw(canvas - np.float32([104, 117, 123]))}))
    priors = []
    for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
        centre = cells(640 // stride, 640 // stride, stride) + stride / 2
        both = [np.hstack([centre, np.full_like(centre, side)]) for side in sides]
        priors.append(np.stack(both, 1).reshape(-1, 4))
    priors = np.concatenate(priors)
    centre, extent = priors[:, :2] + loc[:, :2] * 0.1 * priors[:, 2:], priors[:, 2:] * np.exp(loc[:, 2:] * 0.2)
    boxes = np.hstack([centre - extent / 2, centre + extent / 2])
    points = priors[:, None, :2] + landms.reshape(-1, 5, 2) * 0.1 * priors[:, None, 2:]
    good = conf[:, 1] > threshold
    return keep_best(boxes[good] / scale, conf[good, 1], points[good] / scale)


def blazeface(session, image, threshold):
    h, w = image.shape[:2]
    scale = min(256 / w, 256 / h)
    canvas, left, top = letterbox(image[..., ::-1], 256, 256, scale, centre=True)
    near, far, near_boxes, far_boxes = (o[0] for o in session.run(None, {"input:0": (canvas[None] - 127.5) / 127.5}))
    anchors = np.concatenate([np.repeat(cells(n, n, 256 // n) + 128 / n, count, 0) for n, count in ((16, 2), (8, 6))])
    logits, raw = np.concatenate([near, far])[:, 0], np.concatenate([near_boxes, far_boxes])
    scores = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
    centre = raw[:, :2] + anchors
    boxes = np.hstack([centre - raw[:, 2:4] / 2, centre + raw[:, 2:4] / 2]) - [left, top, left, top]
    good = scores > threshold
    return keep_best(boxes[good] / scale, scores[good], None)


def main():
    shared = pathlib.Path(sys.argv[1])
    result = []
    for model, detector, threshold in (("yunet_n_320_320", yunet, 0.6),
                                       ("face_detection_yunet_2026may", yunet, 0.6),
                                       ("retinaface_640x640_opt", retinaface, 0.6),
                                       ("blazeface_back_256", blazeface, 0.6)):
        ort.set_default_logger_severity(3)
        session = ort.InferenceSession(str(shared / f"models/face/{model}.onnx"), providers=["CPUExecutionProvider"])
        for frame in FRAMES:
            image = cv2.imread(str(shared / f"media/frames/{frame}.png"))
            result.append({"model": model, "frame": frame, "threshold": threshold, "nms": NMS,
                           "faces": detector(session, image, threshold)})
    lines = ",\n".join(json.dumps(entry) for entry in result)
    pathlib.Path(__file__).with_name("detections.json").write_text(f"[\n{lines}\n]\n")


main()
