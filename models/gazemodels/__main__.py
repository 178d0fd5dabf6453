"""`python -m gazemodels STAGE ...`: each stage is a module with `add_arguments(parser)` and `run(args)`."""

from __future__ import annotations

import argparse
import importlib
import sys

STAGES = {
    "synth": "render labelled faces, a contact sheet of them, or a clip",
    "photographs": "labelled photographs as shards",
    "train": "train a network on rendered faces",
    "export": "write a checkpoint as ONNX with its preprocessing contract",
    "quantize": "FP16 and INT8 files by calibration, and mixed precision by sensitivity",
    "qat": "INT8 by quantisation-aware training",
    "evaluate": "accuracy, size and latency of the files, and agreement on real footage",
    "card": "write the model card",
    "heads-detector": "heads with alpha, rendered and photographed, to train a detector from",
    "train-detector": "train the face detector on heads composed into pictures without people",
    "evaluate-detector": "detectors through the product, on real frames and clips",
    "export-detector": "write a detector's checkpoint as ONNX",
}


def main(words: list[str] | None = None) -> None:
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(
        prog="gazemodels", description=sys.modules["gazemodels"].__doc__
    )
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    for name, purpose in STAGES.items():
        stage = stages.add_parser(name, help=purpose, description=purpose)
        # Rendering needs no PyTorch and training no OpenGL: only the stage that runs is imported.
        # Of `train-detector` the module is `detector.train`.
        if name in words[:1]:
            module = importlib.import_module(".".join(["gazemodels", *reversed(name.split("-"))]))
            module.add_arguments(stage)
            stage.set_defaults(run=module.run)
    args = parser.parse_args(words)
    try:
        args.run(args)
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        sys.exit(f"gazemodels {args.stage}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"gazemodels {args.stage}: stopped; the same command takes it up again")


if __name__ == "__main__":
    main()
