"""Still more models of one operation (ops.py has the first ones, and the form): linear algebra,
whole numbers."""
import json

import golden
import ops as models

from keras import ops  # noqa: E402

case = models.case
S = (3, 3)


def definite(a):  # a symmetric matrix with positive eigenvalues; ops.eye() is a constant of the model
    return ops.matmul(a, ops.swapaxes(a, -1, -2)) + ops.eye(3)


def steady(a):  # one without small pivots
    return a + 4 * ops.eye(a.shape[-1])


def linalg():
    case("cholesky", lambda a: ops.cholesky(definite(a)), S)
    case("cholesky_upper", lambda a: ops.cholesky(definite(a), upper=True), S)
    case("cholesky_inverse", lambda a: ops.cholesky_inverse(ops.cholesky(definite(a))), S)
    case("cholesky_inverse_upper", lambda a: ops.cholesky_inverse(ops.cholesky(definite(a), True), upper=True), S)
    case("inv", lambda a: ops.inv(steady(a)), S)
    case("det", ops.det, S)
    case("det_batch", ops.det, (2, 4, 4))
    case("logdet", lambda a: ops.logdet(definite(a)), S)
    case("slogdet", lambda a: ops.slogdet(a), S)
    case("solve", lambda a, b: ops.solve(steady(a), b), S, (3, 2))
    case("solve_vector", lambda a, b: ops.solve(steady(a), b), S, (3,))
    case("solve_triangular", lambda a, b: ops.solve_triangular(steady(a), b), S, (3, 2))
    case("solve_triangular_lower", lambda a, b: ops.solve_triangular(steady(a), b, lower=True), S, (3,))
    case("qr_stack", lambda a: ops.qr(a), (4, 3))
    case("qr_wide_stack", lambda a: ops.qr(a), (2, 4))
    case("qr_complete_stack", lambda a: ops.qr(a, mode="complete")[1], (4, 2))
    case("lu_factor", lambda a: a + ops.lu_factor(ops.mean(a, axis=0))[0], (4, 4))  # TensorFlow's takes one matrix
    case("lu_factor_rows", lambda a: a + ops.cast(ops.lu_factor(ops.mean(a, axis=0))[1], "float32"), (4, 4))
    case("eigh_values", lambda a: ops.eigh(definite(a))[0], S)
    case("eigh_vectors", lambda a: ops.abs(ops.eigh(definite(a))[1]), S)
    case("svd_values", lambda a: ops.svd(a, compute_uv=False), (4, 3))
    case("svd_left", lambda a: ops.abs(ops.svd(a)[0][..., :3]), (4, 3))
    case("svd_right", lambda a: ops.abs(ops.svd(a, full_matrices=False)[2]), (3, 4))
    case("pinv", ops.pinv, (4, 3))
    case("pinv_rcond", lambda a: ops.pinv(a, rcond=0.4), (4, 3))
    case("matrix_rank", lambda a: ops.matrix_rank(ops.concatenate([a, a], axis=-1)), (3, 2))
    case("matrix_rank_tol", lambda a: ops.matrix_rank(a, tol=0.9), (4, 4))
    case("lstsq", lambda a, b: ops.transpose(a, (0, 2, 1)) + ops.lstsq(ops.mean(a, axis=0), ops.mean(b, axis=0)), (4, 3), (4, 4))
    case("lstsq_vector", lambda a, b: a + ops.lstsq(ops.mean(a, axis=0), ops.mean(b, axis=0)), (4, 3), (4,))


def whole():
    for name in "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift gcd lcm".split():
        case(name, lambda a, b: getattr(ops, name)(a - 3, b) if "left" not in name else getattr(ops, name)(a, b), (6,), (6,), ids=9)
    case("bitwise_not", ops.bitwise_not, (6,), ids=9)
    case("bitwise_invert", lambda a: ops.bitwise_invert(ops.cast(a, "uint8")), (6,), ids=9)


def main():
    models.members.clear()
    linalg()
    whole()
    models.members["configs"] = golden.text(json.dumps(models.configs))
    models.members["inputs"] = golden.text(json.dumps(models.inputs))
    golden.save("ops_more", models.members, "still more models of one operation: JSON, inputs, outputs")


if __name__ == "__main__":
    main()
