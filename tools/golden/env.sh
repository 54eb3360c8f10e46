#!/bin/sh
# Makes the throw-away Python environments in which the golden files are written.
#
#   tools/golden/env.sh           the oracle: real Keras on TensorFlow and JAX
#   tools/golden/env.sh torch     the peers: Keras on PyTorch, ONNX Runtime (timing only)
#   tools/golden/env.sh interop   real Keras on TensorFlow; the oracle serves where it is made
#
# They live outside the tree: KT_ORACLE (default ~/.cache/keratin/oracle), KT_ORACLE_TORCH
# (default ~/.cache/keratin/torch) and KT_ORACLE_INTEROP (default ~/.cache/keratin/interop). Running it again does nothing once the stamp file matches.
# PYTHON chooses the interpreter. On success the last line printed is the environment's path.
set -eu

which=${1:-oracle}
case $which in
oracle)
    dir=${KT_ORACLE:-$HOME/.cache/keratin/oracle}
    packages="keras==3.15.1 tensorflow-cpu jax numpy h5py"
    need_gb=5
    ;;
torch)
    dir=${KT_ORACLE_TORCH:-$HOME/.cache/keratin/torch}
    packages="keras==3.15.1 torch onnx onnxruntime"
    need_gb=15 # a plain `torch` may bring its CUDA libraries along
    ;;
interop)
    dir=${KT_ORACLE_INTEROP:-$HOME/.cache/keratin/interop}
    packages="keras==3.15.1 tensorflow-cpu numpy h5py"
    need_gb=3
    oracle=${KT_ORACLE:-$HOME/.cache/keratin/oracle}
    if [ -f "$oracle/.keratin-packages" ]; then
        echo "$oracle"
        exit 0
    fi
    ;;
*)
    echo "usage: env.sh [oracle|torch|interop]" >&2
    exit 2
    ;;
esac

stamp=$dir/.keratin-packages
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$packages" ]; then
    echo "$dir"
    exit 0
fi

mkdir -p "$dir"
free_gb=$(df -Pk "$dir" | awk 'NR == 2 { print int($4 / 1048576) }')
if [ "$free_gb" -lt "$need_gb" ]; then
    echo "env.sh: $dir has $free_gb GB free, $which needs $need_gb" >&2
    exit 1
fi

"${PYTHON:-python3}" -m venv "$dir"
# shellcheck disable=SC2086 # the list is meant to split
"$dir/bin/pip" install --quiet --disable-pip-version-check $packages >&2
printf '%s\n' "$packages" > "$stamp"
echo "$dir"
