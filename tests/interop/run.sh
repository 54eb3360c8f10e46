#!/usr/bin/env bash
# Models of every layer type from here to real Keras and back: predictions and three more training
# steps are the same, configurations come back as they were. Called by `make interop`.
#
#   tests/interop/run.sh build/release/tests      Keras comes from tools/golden/env.sh interop
set -euo pipefail
test=$1/test_interop
saving=$1/test_saving
callbacks=$1/test_callbacks
out=build/interop
python=$(tools/golden/env.sh interop | tail -n 1)/bin/python

rm -rf "$out"
mkdir -p "$out"
KT_INTEROP_OUT=$out "$test" models_of_every_layer
KT_INTEROP_OUT=$out "$test" models_in_16_bits
KT_INTEROP_OUT=$out "$saving" operations.of_keras
KT_INTEROP_OUT=$out "$saving" shards.of_our_own
KT_INTEROP_OUT=$out "$saving" graphs
KT_INTEROP_OUT=$out "$callbacks" backup.leaves
"$python" -W ignore tests/interop/interop.py "$out"
"$python" -W ignore tests/interop/keras_models.py "$out/keras"
# An optimizer that was never used has no state in the file: that it is left out is no news here.
KT_INTEROP_IN=$out/keras "$test" models_of_keras 2> >(grep -v 'left out$\|warning: left as it was' >&2)
"$python" tests/interop/keras_models.py --compare "$out/keras"
