"""weights.npz: a .weights.h5 file of real Keras and what its model predicts.

h5: the file's bytes (uint8); x, y: input and prediction; model: two inputs … see weights_h5_test.c,
which builds the same one. The model was trained for two steps, so that the file has an optimizer's
state, and its layers have names that say nothing."""

import os
import tempfile

import golden
import numpy as np

keras = golden.start("tensorflow")
L = keras.layers

keras.utils.set_random_seed(1)
i = L.Input((5, 4))
x = L.LSTM(3, return_sequences=True, name="first")(i)
x = L.MultiHeadAttention(2, 3, name="zz")(x, x)
x = L.RNN([L.LSTMCell(2), L.GRUCell(3)], name="aa")(x)
x = L.BatchNormalization()(x)
shared = L.Dense(3, activation="tanh", name="b")
x = shared(shared(x))
x = keras.Sequential([L.Input((3,)), L.Dense(4, name="a"), L.Dense(2)], name="inner")(x)
x = x * 2.0
m = keras.Model(i, L.Dense(1, name="c")(x))
m.compile("adam", "mse")
data = golden.normal("x", 8, 5, 4)
m.fit(data, golden.normal("t", 8, 1), epochs=2, verbose=0)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "m.weights.h5")
    m.save_weights(path)
    h5 = np.fromfile(path, np.uint8)
members = {"h5": h5, "x": data, "y": m.predict(data, verbose=0)}
golden.save("weights", members, "a .weights.h5 file and what its model predicts")
