//! Vectors and 3x3 matrices in double precision, for cameras and poses.

/// A vector: x, y, z.
pub type Vec3 = [f64; 3];

/// A 3x3 matrix, row by row.
pub type Mat3 = [[f64; 3]; 3];

/// The identity.
pub const IDENTITY: Mat3 = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// a . b
#[inline]
pub fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// a x b
#[inline]
pub fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// a + b
#[inline]
pub fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// a - b
#[inline]
pub fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// a * factor
#[inline]
pub fn scale(a: Vec3, factor: f64) -> Vec3 {
    a.map(|v| v * factor)
}

/// Length of a.
#[inline]
pub fn norm(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

/// The unit vector along a; `None` where a has no direction.
pub fn unit(a: Vec3) -> Option<Vec3> {
    let length = norm(a);
    (length.is_finite() && length > f64::MIN_POSITIVE).then(|| scale(a, 1.0 / length))
}

/// m v
#[inline]
pub fn apply(m: &Mat3, v: Vec3) -> Vec3 {
    [dot(m[0], v), dot(m[1], v), dot(m[2], v)]
}

/// a b
pub fn multiply(a: &Mat3, b: &Mat3) -> Mat3 {
    let b = transpose(b);
    a.map(|row| b.map(|column| dot(row, column)))
}

/// The transpose: the inverse of a rotation.
pub fn transpose(m: &Mat3) -> Mat3 {
    let column = |i: usize| m.map(|row| row[i]);
    [column(0), column(1), column(2)]
}

/// The inverse; `None` for a singular matrix.
pub fn inverse(m: &Mat3) -> Option<Mat3> {
    let [a, b, c] = *m;
    let columns = [cross(b, c), cross(c, a), cross(a, b)];
    let determinant = dot(a, columns[0]);
    // A determinant this small against the product of the rows' lengths is that of a plane.
    let flat = 1e-14 * norm(a) * norm(b) * norm(c);
    (determinant.is_finite() && determinant.abs() > flat)
        .then(|| transpose(&columns.map(|column| scale(column, 1.0 / determinant))))
}

/// The rotation about the axis `w` by the length of `w` in radians (Rodrigues).
pub fn rotation(w: Vec3) -> Mat3 {
    let angle2 = dot(w, w);
    let angle = angle2.sqrt();
    // sin(a)/a and (1 - cos(a))/a^2, by their series where the quotients lose digits.
    let (s, c) = if angle < 1e-4 {
        (1.0 - angle2 / 6.0, 0.5 - angle2 / 24.0)
    } else {
        (angle.sin() / angle, (1.0 - angle.cos()) / angle2)
    };
    let [x, y, z] = w;
    let k = [[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]];
    let k2 = multiply(&k, &k);
    std::array::from_fn(|i| std::array::from_fn(|j| IDENTITY[i][j] + s * k[i][j] + c * k2[i][j]))
}

/// Solves `a x = b` for a symmetric positive definite `a` of N rows (Cholesky); `None` where `a` is
/// not positive definite.
pub fn solve_symmetric<const N: usize>(a: &[[f64; N]; N], b: &[f64; N]) -> Option<[f64; N]> {
    let mut l = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let rest = a[i][j] - sum;
            if i == j {
                // `rest <= 0.0` would let a NaN pass.
                let positive = rest > 1e-14 * a[i][i].abs();
                if !positive {
                    return None;
                }
                l[i][i] = rest.sqrt();
            } else {
                l[i][j] = rest / l[j][j];
            }
        }
    }
    let mut x = *b;
    for i in 0..N {
        let sum: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (x[i] - sum) / l[i][i];
    }
    for i in (0..N).rev() {
        let sum: f64 = (i + 1..N).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - sum) / l[i][i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: &Mat3, b: &Mat3) -> bool {
        a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn rotations_by_any_angle_are_orthogonal() {
        for angle in [0.0, 1e-9, 0.99e-4, 1.01e-4, 0.1, 1.5, 3.1] {
            let r = rotation(scale([2.0 / 3.0, -1.0 / 3.0, 2.0 / 3.0], angle));
            assert!(near(&multiply(&r, &transpose(&r)), &IDENTITY), "{angle}");
            assert!(((r[0][0] + r[1][1] + r[2][2] - 1.0) / 2.0 - angle.cos()).abs() < 1e-12);
        }
        let quarter = rotation([0.0, 0.0, std::f64::consts::FRAC_PI_2]);
        assert!((apply(&quarter, [1.0, 0.0, 0.0])[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_inverse_undoes_and_a_singular_matrix_has_none() {
        let m = [[2.0, 1.0, 0.0], [0.5, -3.0, 1.0], [4.0, 0.0, 1.0]];
        assert!(near(&multiply(&m, &inverse(&m).unwrap()), &IDENTITY));
        assert_eq!(inverse(&[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 0.0]]), None);
        assert_eq!(inverse(&[[f64::NAN, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), None);
    }

    #[test]
    fn symmetric_systems() {
        let a = [[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]];
        let x = solve_symmetric(&a, &apply(&a, [1.0, -2.0, 3.0])).unwrap();
        assert!(norm(sub(x, [1.0, -2.0, 3.0])) < 1e-12);
        assert_eq!(solve_symmetric(&[[1.0, 1.0], [1.0, 1.0]], &[1.0, 1.0]), None);
        assert_eq!(solve_symmetric(&[[f64::NAN]], &[1.0]), None);
    }
}
