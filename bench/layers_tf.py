"""The rows of bench/layers.c with Keras on TensorFlow: layer(x) and its gradients, each compiled by
tf.function (the best that TensorFlow does for a layer: no fit(), no Python in the step).

    $(tools/golden/env.sh)/bin/python bench/layers_tf.py [threads [word]]
"""
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
word = sys.argv[2] if len(sys.argv) > 2 else ""
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)

text, feature_map, clip = (32, 200, 64), (32, 28, 28, 32), (4, 16, 32, 32, 8)
wide, rgb = (8, 56, 56, 256), (8, 128, 128, 3)
same = {"padding": "same"}
ROWS = [
    ("conv1d", L.Conv1D(64, 5, padding="causal"), text),
    ("conv1d dilated", L.Conv1D(64, 5, dilation_rate=2), text),
    ("conv2d", L.Conv2D(64, 3, **same), feature_map),
    ("conv2d first", L.Conv2D(64, 3, data_format="channels_first"), (32, 32, 28, 28)),
    ("conv2d dilated", L.Conv2D(64, 3, dilation_rate=2), feature_map),
    ("conv2d groups", L.Conv2D(64, 3, groups=4), feature_map),
    ("conv3d", L.Conv3D(16, 3, **same), clip),
    ("conv3d strided", L.Conv3D(16, 3, strides=2), clip),
    ("depthwise1d", L.DepthwiseConv1D(5, **same), text),
    ("depthwise2d", L.DepthwiseConv2D(3, **same), feature_map),
    ("depthwise2d strided", L.DepthwiseConv2D(3, 2, "same"), feature_map),
    ("depthwise2d times 2", L.DepthwiseConv2D(3, depth_multiplier=2), feature_map),
    ("separable1d", L.SeparableConv1D(64, 5, **same), text),
    ("separable2d", L.SeparableConv2D(64, 3, **same), feature_map),
    ("transpose1d", L.Conv1DTranspose(32, 4, strides=2, **same), text),
    ("transpose2d", L.Conv2DTranspose(32, 3, strides=2, **same), (32, 14, 14, 64)),
    ("transpose3d", L.Conv3DTranspose(8, 3, strides=2, **same), (4, 8, 16, 16, 16)),
    ("max1d", L.MaxPooling1D(2), text),
    ("max2d", L.MaxPooling2D(2), feature_map),
    ("max2d 3/2 same", L.MaxPooling2D(3, 2, "same"), feature_map),
    ("max2d wide", L.MaxPooling2D(2), wide),
    ("max3d", L.MaxPooling3D(2), clip),
    ("average1d", L.AveragePooling1D(2), text),
    ("average2d", L.AveragePooling2D(2), feature_map),
    ("average2d 3/2 same", L.AveragePooling2D(3, 2, "same"), feature_map),
    ("average2d wide", L.AveragePooling2D(2), wide),
    ("average2d pictures", L.AveragePooling2D(2), (32, 128, 128, 3)),
    ("average3d", L.AveragePooling3D(2), clip),
    ("global average2d", L.GlobalAveragePooling2D(), wide),
    ("global max2d", L.GlobalMaxPooling2D(), wide),
    ("up1d", L.UpSampling1D(2), text),
    ("up2d", L.UpSampling2D(2), feature_map),
    ("up3d", L.UpSampling3D(2), clip),
    ("up2d bilinear", L.UpSampling2D(2, interpolation="bilinear"), feature_map),
    ("up2d bilinear pictures", L.UpSampling2D(2, interpolation="bilinear"), rgb),
    ("up2d bicubic", L.UpSampling2D(2, interpolation="bicubic"), feature_map),
    ("up2d lanczos3", L.UpSampling2D(2, interpolation="lanczos3"), feature_map),
    ("padding1d", L.ZeroPadding1D(2), text),
    ("padding2d", L.ZeroPadding2D(2), feature_map),
    ("padding3d", L.ZeroPadding3D(1), clip),
    ("cropping2d", L.Cropping2D(2), feature_map),
]


def best(f, *args):
    f(*args)
    shortest, start, n = 1e9, time.perf_counter(), 0
    while n < 4 or (n < 500 and time.perf_counter() - start < 0.25):
        t = time.perf_counter()
        f(*args)
        shortest = min(shortest, time.perf_counter() - t)
        n += 1
    return 1e3 * shortest


def times(layer, shape):
    x = tf.constant(np.random.rand(*shape).astype("float32") - 0.5)
    c = tf.constant(np.random.rand(*layer(x).shape).astype("float32"))

    @tf.function
    def forward(x):
        return layer(x)

    @tf.function
    def everything(x, c):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * c)
        return y, tape.gradient(loss, [x] + [w.value for w in layer.trainable_weights])

    return best(forward, x), best(everything, x, c)


print("Keras %s on TensorFlow %s, %d threads, ms" % (keras.__version__, tf.__version__, threads))
print("%-24s%10s%10s" % ("", "forward", "all"))
for name, layer, shape in ROWS:
    if word not in name:
        continue
    try:
        print("%-24s%10.3f%10.3f" % ((name,) + times(layer, shape)), flush=True)
    except Exception as e:  # what TensorFlow does not do on a CPU
        print("%-24s  %s" % (name, type(e).__name__), flush=True)
