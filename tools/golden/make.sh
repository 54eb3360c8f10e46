#!/bin/sh
# Writes the golden files into tests/golden (or KT_GOLDEN_OUT) by running real Keras.
#
#   tools/golden/make.sh              all topics
#   tools/golden/make.sh losses …     some topics
#
# Makes the environment first if need be (env.sh). The files are part of the repository: run this
# only to add or change a topic, and look at the difference before committing it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
all="layers_wide layers_slice curves_slice summary console activations losses metrics regularizers constraints
     initializers optimizers schedules loss_scale schedule_free layers_more numpy_print sequences
     data ctc windows pictures augment weights configs training keras_files conv_lstm ops ops_wide ops_constants ops_more shards graphs backup lora
     weights_npz load_weights features texts audio half quantize"
python=$("$here/env.sh" | tail -n 1)/bin/python

for topic in ${*:-$all hdf5 legacy}; do
    (cd "$here" && PYTHONDONTWRITEBYTECODE=1 "$python" -W ignore "$topic.py")
done
