"""Which cells answer for which face, and the loss of their answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .net import STRIDES

#: A stride answers for boxes whose longer side is so many strides long; ranges overlap.
RANGE = (0.9, 5.5)
#: The largest stride answers for everything larger, the smallest for everything smaller.

#: Cells this near the middle answer for a face, as a part of its box, and at least one stride near.
NEAR, NEAREST = 0.22, 0.75

#: Cells up to this near say neither yes nor no.
UNSURE = 0.42

#: Focal loss (Lin and others 2017, Focal Loss for Dense Object Detection).
FOCUS = 2.0


def grid(shapes: list[tuple[int, int]], device: torch.device) -> torch.Tensor:
    """Column, row and stride (cells, 3) of all cells of levels of `shapes` (rows, columns)."""
    parts = []
    for stride, (rows, columns) in zip(STRIDES, shapes, strict=True):
        y, x = torch.meshgrid(
            torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"
        )
        parts.append(torch.stack([x, y, torch.full_like(x, stride)], dim=-1).reshape(-1, 3))
    return torch.cat(parts).float()


def assign(cells: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The face (cells,) that each cell answers for, -1 for none, and which cells (cells,) count."""
    if not len(boxes):
        return torch.full((len(cells),), -1), torch.ones(len(cells), dtype=torch.bool)
    stride = cells[:, 2:]
    # A cell's answer is counted from its corner; its middle is half a cell away.
    middle = 0.5 * (boxes[:, :2] + boxes[:, 2:])
    away = ((cells[:, None, :2] + 0.5) * stride[:, None] - middle[None]).abs()
    extent = boxes[:, 2:] - boxes[:, :2]
    longer = extent.amax(1)[None]
    low = torch.where(stride == STRIDES[0], 0.0, RANGE[0] * stride)
    high = torch.where(stride == STRIDES[-1], 1e6, RANGE[1] * stride)
    fits = (longer >= low) & (longer < high)
    # Within the part of the box about its middle, or nearer than a cell.
    near = (away <= torch.maximum(NEAR * extent[None], NEAREST * stride[:, None])).all(2)
    inside = (away <= torch.maximum(UNSURE * extent[None], 1.2 * stride[:, None])).all(2)
    ours = near & fits
    # Where faces overlap a cell answers for the smaller one, which is in front or hard to see.
    size = torch.where(ours, longer, torch.inf)
    smallest, face = size.min(1)
    face = torch.where(smallest.isfinite(), face, -1)
    counts = (face >= 0) | ~inside.any(1)
    return face, counts


def decode(cells: torch.Tensor, answers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes x1, y1, x2, y2 (..., 4) and points (..., 5, 2), as YuNet's are decoded, of answers
    (..., 16)."""
    place, stride = cells[..., :2], cells[..., 2:]
    middle = (place + answers[..., 2:4]) * stride
    half = 0.5 * answers[..., 4:6].clamp(-6.0, 6.0).exp() * stride
    points = (place[..., None, :] + answers[..., 6:].unflatten(-1, (5, 2))) * stride[..., None]
    return torch.cat([middle - half, middle + half], dim=-1), points


def overlaps(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Intersection over union (n,) of boxes (n, 4), and what of the box around both neither covers."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    both = (high - low).clamp(min=0.0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both
    around = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    return both / union.clamp(min=1e-6), (around - union) / around.clamp(min=1e-6)


def focal(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy, less of it where the answer is right already; truth in 0..1."""
    loss = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return (truth - logits.sigmoid()).abs() ** FOCUS * loss


def loss_of(
    levels: list[torch.Tensor], boxes: list[torch.Tensor], points: list[torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The loss's terms for answers (n, 16, rows, columns) of each stride and the faces of n pictures."""
    device = levels[0].device
    cells = grid([tuple(level.shape[2:]) for level in levels], device)
    answers = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], dim=1)
    faces, counted, chosen, true_boxes, true_points = [], [], [], [], []
    for index, (box, point) in enumerate(zip(boxes, points, strict=True)):
        face, counts = assign(cells, box)
        faces.append(face >= 0)
        counted.append(counts)
        where = (face >= 0).nonzero().squeeze(1)
        chosen.append(torch.stack([torch.full_like(where, index), where], dim=1))
        true_boxes.append(box[face[where]])
        true_points.append(point[face[where]])
    positive, counted = torch.stack(faces), torch.stack(counted)
    picture, cell = torch.cat(chosen).T
    number = max(len(cell), 1)
    cls = focal(answers[..., 0], positive.float()) * counted
    found_boxes, found_points = decode(cells[cell], answers[picture, cell])
    truth_boxes, truth_points = torch.cat(true_boxes), torch.cat(true_points)
    iou, outside = overlaps(found_boxes, truth_boxes)
    quality = torch.zeros_like(answers[..., 1])
    quality[picture, cell] = iou.detach().clamp(0.0, 1.0)
    obj = focal(answers[..., 1], quality) * counted
    size = (truth_boxes[:, 2:] - truth_boxes[:, :2]).amax(1).clamp(min=1.0)
    away = (found_points - truth_points) / size[:, None, None]
    return {
        "cls": cls.sum() / number,
        "obj": obj.sum() / number,
        "box": (1.0 - iou + outside).sum() / number,
        "points": F.smooth_l1_loss(away, torch.zeros_like(away), beta=0.02, reduction="sum")
        / (10 * number),
    }
