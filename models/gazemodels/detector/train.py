"""Stage `train-detector`: the detector from pictures composed on the way.

As in `train`, a step's pictures depend on the seed and its number alone, and a run is taken up again by
the same command.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from tqdm import tqdm

from ..train import follow, steady_rate
from .composites import HARD_SIDE, Backgrounds, Heads, Picture, compose
from .net import Detector
from .score import evaluate, found_in
from .targets import loss_of

CHECKPOINT = "last.pt"
METRICS = "metrics.json"

#: Weights of the terms of the loss.
TERMS = {"cls": 1.0, "obj": 1.0, "box": 2.0, "points": 4.0}

#: Sides of the pictures of a step, drawn one a step.
SIDES = (256, 320, 384)

#: Pictures of people who are held out, for measuring.
MEASURED = 200

#: Backgrounds that are searched for faces at each validation; as many of those with one are kept.
SEARCHED, KEPT = 300, 500

#: Above this score a face in a background is a mistake to learn from.
MISTAKEN = 0.2

SAVE_SECONDS = 300.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--heads", type=Path, required=True, help="folder of shards of heads")
    parser.add_argument("--backgrounds", type=Path, required=True, help="pictures without people")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; taken up again")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument(
        "--cool-from", type=int, help="when the rate begins to fall (three quarters)"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--validate-every", type=int, default=1000)
    parser.add_argument("--stop-after", type=int, help="end the call after so many steps")


def batch_of(
    pictures: list[Picture],
) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    """Tensors of pictures of one size."""
    images = torch.from_numpy(np.stack([p.image for p in pictures])).permute(0, 3, 1, 2).float()
    boxes = [torch.from_numpy(p.boxes).float() for p in pictures]
    points = [torch.from_numpy(p.points).float() for p in pictures]
    return images.contiguous(memory_format=torch.channels_last), boxes, points


def mistakes(net: Detector, backgrounds: Backgrounds, step: int) -> list[list[int]]:
    """Seeds of backgrounds in which a network sees a face; the same for the same step."""
    seeds = [[17, step, k] for k in range(SEARCHED)]
    return [
        seed
        for seed in seeds
        if len(
            found_in(net, backgrounds.draw(np.random.default_rng(seed), HARD_SIDE), MISTAKEN).scores
        )
    ]


def load_detector(checkpoint: Path) -> Detector:
    """The averaged network of a run."""
    if not checkpoint.exists():
        raise FileNotFoundError(
            f"no checkpoint {checkpoint}; make one with 'gazemodels train-detector'"
        )
    net = Detector()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return net.eval()


def run(args: argparse.Namespace) -> None:
    """Trains until the schedule ends, saving and validating now and then."""
    if args.threads:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    heads, kept = Heads(args.heads), Heads(args.heads, held_out=True)
    backgrounds = Backgrounds(args.backgrounds)
    torch.manual_seed(args.seed)
    net = Detector().to(memory_format=torch.channels_last)
    average = Detector()
    average.load_state_dict(net.state_dict())
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=args.decay)
    step, elapsed, history = 0, 0.0, []
    hard: list[list[int]] = []
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / CHECKPOINT
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, elapsed, history = state["step"], state["elapsed"], state["history"]
        hard = state["hard"]
    cool_from = args.cool_from if args.cool_from is not None else args.steps * 3 // 4

    def save() -> None:
        state = {
            "net": net.state_dict(), "average": average.state_dict(),
            "optimizer": optimizer.state_dict(), "step": step, "elapsed": elapsed,
            "history": history, "hard": hard,
        }  # fmt: skip
        torch.save(state, checkpoint.with_suffix(".tmp"))
        os.replace(checkpoint.with_suffix(".tmp"), checkpoint)

    def validate() -> None:
        average.eval()
        pictures = [
            compose(np.random.default_rng([9, k]), kept, backgrounds, 320) for k in range(MEASURED)
        ]
        found = [found_in(average, picture.image) for picture in pictures]
        more = mistakes(average, backgrounds, step)
        hard[:] = (hard + more)[-KEPT:]
        row = {"step": step, **evaluate(found, pictures), "mistaken": len(more) / SEARCHED}
        history.append(row)
        text = {"steps": step, "minutes": elapsed / 60.0, "history": history}
        (args.out / METRICS).write_text(json.dumps(text, indent=1) + "\n")
        bar.write(", ".join(f"{k} {v:.3f}" if k != "step" else f"step {v}" for k, v in row.items()))

    first, last_kept, smoothed = step, time.monotonic(), None
    bar = tqdm(total=args.steps, initial=step, unit="step", mininterval=5.0)
    while step < args.steps and (args.stop_after is None or step - first < args.stop_after):
        start = time.monotonic()
        for group in optimizer.param_groups:
            group["lr"] = steady_rate(step, cool_from, args.steps, args.rate)
        rng = np.random.default_rng([args.seed, step])
        side = int(rng.choice(SIDES))
        pictures = [compose(rng, heads, backgrounds, side, hard) for _ in range(args.batch)]
        images, boxes, points = batch_of(pictures)
        net.train()
        terms = loss_of(net.cells(images), boxes, points)
        loss = sum(TERMS[name] * term for name, term in terms.items())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        follow(average, net, step)
        step += 1
        elapsed += time.monotonic() - start
        bar.update()
        if step % 20 == 0:
            value = float(loss.detach())
            if not np.isfinite(value):
                raise RuntimeError(f"the loss is {value} at step {step}; lower --rate")
            smoothed = value if smoothed is None else 0.9 * smoothed + 0.1 * value
            bar.set_postfix(
                loss=f"{smoothed:.3f}", **{k: f"{float(v):.3f}" for k, v in terms.items()}
            )
        due = step % args.validate_every == 0
        if due:
            validate()
        if due or time.monotonic() - last_kept >= SAVE_SECONDS:
            save()
            last_kept = time.monotonic()
    save()
    bar.close()
