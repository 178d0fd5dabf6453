#!/usr/bin/env python3
"""Times YuNet with OpenCV's FaceDetectorYN on the frame of benches/gazeface.rs.

    pip install numpy opencv-python
    cargo bench --bench gazeface; python3 benches/compare_detectors.py
"""

import os
import pathlib
import statistics
import time

import cv2

HERE = pathlib.Path(__file__).parent
SHARED = pathlib.Path(os.environ.get("GAZE_SHARED", HERE / "../../shared"))
ROUNDS = 100


def main():
    frame = cv2.imread(str(SHARED / "media/frames/yakhyo_in_video_f20.png"))
    # The model with free input size; OpenCV takes the square root of the score, so 0.6 becomes 0.775.
    model = str(SHARED / "models/face/yunet_n_dynamic.onnx")
    print("| detector | ms a 720p frame | frames a second | faces |")
    print("|---|---|---|---|")
    for threads in [1, 2]:
        cv2.setNumThreads(threads)
        detector = cv2.FaceDetectorYN.create(model, "", (640, 360), 0.6**0.5, 0.45)
        times = []
        for _ in range(ROUNDS + 5):
            begin = time.perf_counter()
            image = cv2.resize(frame, (640, 360))
            _, faces = detector.detect(image)
            times.append(time.perf_counter() - begin)
        seconds = statistics.median(times[5:])
        count = 0 if faces is None else len(faces)
        print(f"| opencv_640_threads_{threads} | {seconds * 1e3:.2f} | {1 / seconds:.0f} | {count} |")


if __name__ == "__main__":
    main()
