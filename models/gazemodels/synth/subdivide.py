"""One step of Catmull-Clark subdivision as a sparse matrix (Catmull and Clark 1978, section 2)."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def catmull_clark(faces: np.ndarray, count: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """For quads (m, 4) over `count` vertices: the matrix (k, count) that makes the finer mesh's
    vertices out of the coarse ones, and the finer mesh's quads (4 m, 4).

    The first `count` new vertices are the old ones, moved; at open edges the rule is the one of
    cubic B-spline curves.
    """
    m = len(faces)
    sides = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges, of_side = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
    of_side = of_side.reshape(-1)
    e = len(edges)
    used = np.bincount(of_side, minlength=e)
    border = used == 1

    corner = sparse.csr_matrix(
        (np.full(4 * m, 0.25), (np.repeat(np.arange(m), 4), faces.ravel())), (m, count)
    )
    middle = sparse.csr_matrix(
        (np.full(2 * e, 0.5), (np.repeat(np.arange(e), 2), edges.ravel())), (e, count)
    )
    touching = sparse.csr_matrix(
        (1.0 / used[of_side], (of_side, np.repeat(np.arange(m), 4))), (e, m)
    )
    inner = sparse.diags((~border).astype(float))
    edge_points = sparse.diags(border.astype(float)) @ middle + inner @ (
        0.5 * middle + 0.5 * (touching @ corner)
    )

    valence = np.bincount(edges.ravel(), minlength=count).astype(float)
    valence[valence == 0] = 1.0
    at_border = np.zeros(count, bool)
    at_border[edges[border].ravel()] = True
    per_face = sparse.csr_matrix(
        (np.ones(4 * m), (faces.ravel(), np.repeat(np.arange(m), 4))), (count, m)
    )
    per_edge = sparse.csr_matrix(
        (np.ones(2 * e), (edges.ravel(), np.repeat(np.arange(e), 2))), (count, e)
    )
    smooth = (
        sparse.diags(valence**-2) @ (per_face @ corner)
        + sparse.diags(2.0 * valence**-2) @ (per_edge @ middle)
        + sparse.diags((valence - 3.0) / valence)
    )
    rim = per_edge @ sparse.diags(border.astype(float)) @ middle * 0.25 + 0.5 * sparse.eye(count)
    moved = (
        sparse.diags((~at_border).astype(float)) @ smooth
        + sparse.diags(at_border.astype(float)) @ rim
    )

    matrix = sparse.vstack([moved, edge_points, corner]).tocsr()
    side = count + of_side.reshape(m, 4)
    centre = np.repeat(count + e + np.arange(m)[:, None], 4, axis=1)
    quads = np.stack([faces, side, centre, np.roll(side, 1, axis=1)], axis=-1).reshape(-1, 4)
    return matrix, quads
