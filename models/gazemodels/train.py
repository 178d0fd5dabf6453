"""Stage `train`: a network from shards.

Everything that a step draws comes from the seed and the step's number, so a run that was stopped and
taken up again gives the same weights as one that was not, and shards may be added while it runs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from . import angles, augment, metrics, nets, sampling
from .contract import CONTRACTS, InputContract
from .nets import face_and_eyes
from .reader import Reader, spread

#: The last state of a run, in its folder.
CHECKPOINT = "last.pt"

#: Measured accuracy of a run, in its folder.
METRICS = "metrics.json"

#: Part of the schedule in which the learning rate rises from 0.
WARM_UP = 0.03

#: Steps in which the rate rises where it then stays (`--cool-from`).
STEADY_WARM_UP = 400

#: The state is kept at each validation, and this many seconds after it was kept last.
SAVE_SECONDS = 300.0

#: New shards are looked for after so many steps.
REFRESH = 200

#: Weights of the terms of the loss.
TERMS = {
    "gaze": 1.0,
    "head": 0.3,
    "landmarks": 0.6,
    "openness": 0.1,
    "eyes": 0.3,
    "spread": 0.03,
    "teacher": 1.0,
}

#: Gaze weighs this much where both eyes are all but closed: only the head is left to guess from.
CLOSED_WEIGHT = 0.3
CLOSED = 0.25


#: Labels of photographs are this unsure, radians: people look beside the lens by as much.
UNSURE = math.radians(2.5)

#: How far from an eye's middle it is cut out in training, in 0..1 of the picture: as far as landmarks
#: are wrong.
CUT_JITTER = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the stage."""
    parser.add_argument("--net", choices=sorted(nets.NETS), default="student")
    parser.add_argument("--data", type=Path, required=True, help="folder of shards")
    parser.add_argument("--photographs", type=Path, help="folder of shards of photographs")
    parser.add_argument(
        "--share", type=float, default=0.15, help="part of a batch that is photographs"
    )
    parser.add_argument(
        "--measure", type=Path, help="folder of shards to measure on, never to learn"
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        help="last.pt of another run, whose gaze is learned beside the truth",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; taken up again")
    parser.add_argument("--steps", type=int, help="length of the schedule in steps")
    parser.add_argument("--minutes", type=float, help="length of the schedule in minutes")
    parser.add_argument(
        "--cool-from",
        type=int,
        metavar="STEP",
        help="keep the rate until this step, then let it fall until --steps; so a run can go on "
        "without an end in sight and be finished whenever it is wanted",
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--decay", type=float, default=0.02, help="weight decay")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads; all if not given")
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="bfloat16 computes layers in mixed precision; weights and loss stay float32",
    )
    parser.add_argument("--validate-every", type=int, default=500, metavar="STEPS")
    parser.add_argument("--validation-images", type=int, default=1500)
    parser.add_argument("--stop-after", type=int, help="end the call after so many steps")


def device_of(name: str) -> torch.device:
    """`auto` is a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def learning_rate(progress: float, highest: float) -> float:
    """Linear warm-up, then half a cosine down to a hundredth; `progress` in 0..1."""
    if progress < WARM_UP:
        return highest * max(progress / WARM_UP, 1e-3)
    part = min((progress - WARM_UP) / (1.0 - WARM_UP), 1.0)
    return highest * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * part)))


def steady_rate(step: int, cool_from: int, last: int, highest: float) -> float:
    """Warm-up, a plateau, and from `cool_from` on the fall to a hundredth at `last`."""
    if step < cool_from:
        return highest * min((step + 1) / STEADY_WARM_UP, 1.0)
    part = min((step - cool_from) / max(last - cool_from, 1), 1.0)
    return highest * (1.0 - 0.99 * math.sqrt(part))


def mean_of(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Weighted mean of what is known; `values` may be NaN where `weights` is 0."""
    values = torch.where(weights > 0.0, values, 0.0)
    return (weights * values).sum() / weights.sum().clamp(min=1e-6)


def eye_shapes(
    labels: augment.Labels, centres: torch.Tensor, side: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets (n, 2, SHAPE) of `FaceAndEyes.answers` for eyes that were cut out about `centres`
    (n, 2, 2), and weights (n, 2, 1): 0 where an eye lies outside its window."""
    points = torch.cat([labels["irises"][:, :, None], labels["lids"].flatten(2, 3)], dim=2)
    points = 0.5 + 0.5 * points
    shapes = (points - centres[:, :, None]) * (side / (0.5 * face_and_eyes.EYE_WIDTH))
    # The second eye is seen mirrored: its points then run from right to left.
    iris, lids = shapes[:, 1, :1], shapes[:, 1, 1:].unflatten(1, (2, 7)).flip(2).flatten(1, 2)
    second = torch.cat([iris, lids], dim=1) * shapes.new_tensor([-1.0, 1.0])
    shapes = torch.stack([shapes[:, 0], second], dim=1).flatten(2)
    inside = (shapes.abs().amax(dim=2, keepdim=True) < 1.2).float()
    return shapes, inside


def loss_of(
    outputs: dict[str, torch.Tensor], labels: augment.Labels, side: int
) -> dict[str, torch.Tensor]:
    """The loss's terms, unweighted; angles in radians, landmarks in -1..1 of the image."""
    closed = labels["openness"].amax(dim=1) < CLOSED
    weight = torch.where(closed, CLOSED_WEIGHT, 1.0)
    photograph = labels["photograph"] > 0.5
    gaze = angles.smooth_angular_loss(outputs["gaze"], labels["gaze"])
    gaze = torch.where(photograph, (gaze - UNSURE).relu(), gaze)
    head, head_truth = outputs["head"], labels["head"]
    known = (~head_truth.isnan().any(dim=1)).float()
    head_truth = head_truth.nan_to_num()
    facing = angles.smooth_angular_loss(head[:, :2], head_truth[:, :2])
    rolled = F.smooth_l1_loss(
        head[:, 2], head_truth[:, 2], beta=angles.SMOOTH_RADIANS, reduction="none"
    )
    landmarks = outputs["landmarks"]
    if "eyes" in outputs:
        landmarks = 2.0 * landmarks - 1.0
    terms = {
        "gaze": mean_of(gaze, weight),
        "head": mean_of(facing + rolled, known),
        "landmarks": F.smooth_l1_loss(landmarks, labels["landmarks"].flatten(1), beta=0.02),
        "openness": F.smooth_l1_loss(outputs["openness"], labels["openness"], beta=0.1),
    }
    if "teacher" in labels:
        away = angles.smooth_angular_loss(outputs["gaze"], labels["teacher"])
        terms["teacher"] = away.mean()
    if "eyes" in outputs:
        shapes, inside = eye_shapes(labels, outputs["centres"], side)
        away = F.smooth_l1_loss(outputs["eyes"], shapes, beta=0.05, reduction="none")
        terms["eyes"] = mean_of(away.mean(dim=2, keepdim=True), inside)
        # The likelihood of a Laplace distribution. The answer itself is not to be pulled where it
        # is most unsure, hence no gradient through it; labels of photographs say nothing of it.
        error = (outputs["gaze"].detach() - labels["gaze"]).abs()
        scale = outputs["spread"] / face_and_eyes.ONE_DEVIATION
        likely = (error / scale + scale.log()).sum(dim=1)
        terms["spread"] = mean_of(likely, (~photograph).float())
    return terms


def centres_of(labels: augment.Labels, seed: int) -> torch.Tensor:
    """Where to cut eyes out (n, 2, 2), in 0..1: about the true middle for half of the pictures, where
    the network finds them itself (NaN) for the other half."""
    generator = torch.Generator().manual_seed(seed + 1)
    eyes = 0.5 + 0.5 * labels["landmarks"][:, :2].cpu()
    eyes = eyes + CUT_JITTER * torch.randn(eyes.shape, generator=generator)
    own = torch.rand(len(eyes), generator=generator) < 0.5
    eyes[own] = math.nan
    return eyes.to(labels["landmarks"].device)


#: Labels that are points in pixels of the stored crop.
POINTS = ("landmarks", "irises", "lids")


def batch_of(
    reader: Reader, numbers: np.ndarray, device: torch.device
) -> tuple[torch.Tensor, augment.Labels]:
    """Stored crops and labels on the device, points brought to -1..1."""
    pictures = torch.from_numpy(reader.pictures(numbers))
    labels = {
        name: torch.from_numpy(reader.labels[name][numbers]).float()
        for name in ("gaze", "head", "openness", "photograph", *POINTS)
    }
    for name in POINTS:
        labels[name] = labels[name] * (2.0 / pictures.shape[1]) - 1.0
    return pictures.to(device), {name: value.to(device) for name, value in labels.items()}


def mixed_batch(
    parts: list[tuple[Reader, np.ndarray]], device: torch.device
) -> tuple[torch.Tensor, augment.Labels]:
    """One batch from several readers."""
    batches = [batch_of(reader, numbers, device) for reader, numbers in parts if len(numbers)]
    if len(batches) == 1:
        return batches[0]
    names = batches[0][1]
    return torch.cat([pictures for pictures, _ in batches]), {
        name: torch.cat([labels[name] for _, labels in batches]) for name in names
    }


@torch.no_grad()
def predict(
    net: torch.nn.Module,
    reader: Reader,
    numbers: np.ndarray,
    contract: InputContract,
    batch: int = 64,
) -> np.ndarray:
    """Pitch and yaw (n, 2) that the network gives for the plugin's crops of the samples."""
    device = next(net.parameters()).device
    net.eval()
    found = []
    for start in range(0, len(numbers), batch):
        crops = contract.crop_stored(reader.pictures(numbers[start : start + batch]))
        inputs = torch.from_numpy(contract.tensor(crops)).to(device)
        answer = net(inputs)
        found.append((answer[0] if isinstance(answer, tuple) else answer).cpu().numpy())
    return np.concatenate(found)


@torch.no_grad()
def follow(average: torch.nn.Module, model: torch.nn.Module, step: int) -> None:
    """Exponential moving average of weights and statistics; short-sighted while young."""
    decay = min(0.999, (1.0 + step) / (10.0 + step))
    for slow, fast in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1.0 - decay)
        else:
            slow.copy_(fast)


@dataclass
class Run:
    """The state of a training run; what is not in it follows from seed and step."""

    model: nets.Trainee
    average: nets.Trainee
    optimizer: torch.optim.Optimizer
    step: int = 0
    #: Seconds of training so far, over all calls.
    elapsed: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def fresh(cls, args: argparse.Namespace, device: torch.device) -> Run:
        torch.manual_seed(args.seed)
        layout = {"memory_format": torch.channels_last} if device.type == "cpu" else {}
        model = nets.Trainee(nets.build(args.net)).to(device, **layout)
        average = nets.Trainee(nets.build(args.net)).to(device, **layout)
        average.load_state_dict(model.state_dict())
        # Decay pulls at weights, not at biases and normalisation.
        matrices = [p for p in model.parameters() if p.dim() > 1]
        others = [p for p in model.parameters() if p.dim() <= 1]
        groups = [
            {"params": matrices, "weight_decay": args.decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return cls(model, average, torch.optim.AdamW(groups, lr=args.rate, fused=True))

    def save(self, path: Path, args: argparse.Namespace) -> None:
        """Under a temporary name first: a stop while writing leaves the old file."""
        state = {
            "net": args.net,
            "step": self.step,
            "elapsed": self.elapsed,
            "history": self.history,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(state, path.with_suffix(".tmp"))
        os.replace(path.with_suffix(".tmp"), path)

    def load(self, path: Path, args: argparse.Namespace) -> None:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["net"] != args.net:
            raise ValueError(f"{path} holds a {state['net']}; give --net or another --out")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.elapsed, self.history = state["step"], state["elapsed"], state["history"]


def load_net(checkpoint: Path) -> tuple[str, torch.nn.Module]:
    """Name and averaged network of a checkpoint, without the training-only heads."""
    if not checkpoint.exists():
        raise FileNotFoundError(f"no checkpoint {checkpoint}; make one with 'gazemodels train'")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    trainee = nets.Trainee(nets.build(state["net"]))
    trainee.load_state_dict(state["average"])
    return state["net"], trainee.net.eval()


@dataclass
class Teacher:
    """A trained network whose answers another one learns."""

    net: torch.nn.Module
    contract: InputContract

    @classmethod
    def of(cls, checkpoint: Path, device: torch.device) -> Teacher:
        name, net = load_net(checkpoint)
        return cls(net.to(device), CONTRACTS[name])

    @torch.no_grad()
    def __call__(self, images: torch.Tensor, contract: InputContract) -> torch.Tensor:
        """Pitch and yaw (n, 2) for a batch that was made for `contract`."""
        if contract.margin != self.contract.margin:
            raise ValueError("the teacher's crop shows another part of the face than the learner's")
        mean, std = (images.new_tensor(v).view(1, 3, 1, 1) for v in (contract.mean, contract.std))
        pixels = images * std + mean
        side = self.contract.side
        if side != contract.side:
            pixels = F.interpolate(
                pixels, (side, side), mode="bilinear", align_corners=False, antialias=True
            )
        answer = self.net(augment.normalise(pixels, self.contract))
        return answer[0] if isinstance(answer, tuple) else answer


def train_step(
    state: Run, images: torch.Tensor, labels: augment.Labels, bfloat16: bool, seed: int
) -> dict[str, torch.Tensor]:
    """Forward, backward, update; the terms of the loss."""
    if images.device.type == "cpu":
        images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(images.device.type, torch.bfloat16, enabled=bfloat16):
        outputs = state.model(images, centres_of(labels, seed))
    outputs = {name: value.float() for name, value in outputs.items()}
    terms = loss_of(outputs, labels, images.shape[2])
    state.optimizer.zero_grad(set_to_none=True)
    sum(TERMS[name] * term for name, term in terms.items()).backward()
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), 5.0)
    state.optimizer.step()
    follow(state.average, state.model, state.step)
    return {name: term.detach() for name, term in terms.items()}


def run(args: argparse.Namespace) -> None:
    """Trains until the schedule ends, saving and validating now and then."""
    if args.steps is None and args.minutes is None:
        raise ValueError("give --steps or --minutes: the schedule needs an end")
    if args.cool_from is not None and args.steps is None:
        raise ValueError("--cool-from wants --steps, at which the rate has fallen")
    if args.threads:
        torch.set_num_threads(args.threads)
    device = device_of(args.device)
    contract = CONTRACTS[args.net]
    args.out.mkdir(parents=True, exist_ok=True)
    reader = Reader(args.data)
    photographs = Reader(args.photographs) if args.photographs else None
    of_photographs = round(args.share * args.batch) if photographs else 0
    measured = Reader(args.measure) if args.measure else None
    teacher = Teacher.of(args.teacher, device) if args.teacher else None
    state = Run.fresh(args, device)
    checkpoint = args.out / CHECKPOINT
    if checkpoint.exists():
        state.load(checkpoint, args)
    first = state.step

    def progress() -> float:
        parts = [state.step / args.steps] if args.steps else []
        parts += [state.elapsed / (60.0 * args.minutes)] if args.minutes else []
        return min(max(parts), 1.0)

    def validate() -> None:
        numbers = spread(reader.split(held_out=True), args.validation_images)
        if not len(numbers):
            return
        net = state.average.net
        predicted = predict(net, reader, numbers, contract)
        others = {}
        if photographs:
            chosen = photographs.split(held_out=True)
            others["photographs"] = metrics.straightness(
                predict(net, photographs, chosen, contract), photographs.labels["gaze"][chosen]
            )
        if measured:
            chosen = np.arange(len(measured))
            others["measured"] = metrics.straightness(
                predict(net, measured, chosen, contract), measured.labels["gaze"][chosen]
            )
        result = metrics.report(predicted, {k: v[numbers] for k, v in reader.labels.items()})
        state.history.append(
            {
                "step": state.step,
                "mean": result["mean"],
                "p95": result["p95"],
                "images": len(reader),
                **others,
            }
        )
        parameters, flops = nets.size_of(nets.build(args.net))
        text = {
            "net": args.net,
            "steps": state.step,
            "minutes": state.elapsed / 60.0,
            "images": len(reader),
            "parameters": parameters,
            "flops": flops,
            "validation": result,
            "history": state.history,
        }
        (args.out / METRICS).write_text(json.dumps(text, indent=1) + "\n")
        bar.write(
            f"step {state.step}: held-out error {result['mean']:.2f} degrees, p95 {result['p95']:.2f}"
        )
        for name, found in others.items():
            bar.write(f"  {name}: " + ", ".join(f"{k} {v:.2f}" for k, v in found.items()))

    weights, numbers, smoothed = None, None, None
    kept = time.monotonic()
    bar = tqdm(total=args.steps, initial=state.step, unit="step", mininterval=5.0)
    while progress() < 1.0 and (args.stop_after is None or state.step - first < args.stop_after):
        start = time.monotonic()
        if weights is None or state.step % REFRESH == 0:
            reader.refresh()
            numbers = reader.split(held_out=False)
            weights = sampling.balanced_weights(
                reader.labels["gaze"][numbers], reader.labels["head"][numbers]
            )
        if args.cool_from is None:
            rate = learning_rate(progress(), args.rate)
        else:
            rate = steady_rate(state.step, args.cool_from, args.steps, args.rate)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        seed = args.seed * 1_000_003 + state.step
        parts = [(reader, numbers[sampling.draw(weights, args.batch - of_photographs, seed)])]
        if photographs:
            real = photographs.split(held_out=False)
            even = np.ones(len(real)) / len(real)
            parts.append((photographs, real[sampling.draw(even, of_photographs, seed + 1)]))
        images, labels = augment.training_batch(*mixed_batch(parts, device), contract, seed)
        if teacher:
            labels["teacher"] = teacher(images, contract)
        state.model.train()
        terms = train_step(state, images, labels, args.precision == "bfloat16", seed)
        state.step += 1
        state.elapsed += time.monotonic() - start
        bar.update()
        if state.step % 20 == 0:
            gaze = math.degrees(float(terms["gaze"]))
            if not math.isfinite(gaze):
                raise RuntimeError(
                    f"the loss is {gaze} at step {state.step}; lower --rate and start from the last "
                    f"checkpoint, {checkpoint}"
                )
            smoothed = gaze if smoothed is None else 0.9 * smoothed + 0.1 * gaze
            bar.set_postfix(degrees=f"{smoothed:.2f}", rate=f"{rate:.1e}", images=len(reader))
        due = state.step % args.validate_every == 0
        if due:
            validate()
        if due or time.monotonic() - kept >= SAVE_SECONDS:
            state.save(checkpoint, args)
            kept = time.monotonic()
    if not state.history or state.history[-1]["step"] != state.step:
        validate()
    state.save(checkpoint, args)
    bar.close()
