"""summary.npz and summary/CASE.txt: the text of model.summary() as print_fn receives it.

CASE/text   UTF-8 text (uint8), the same bytes as tests/golden/summary/CASE.txt
CASE/meta   JSON: "code" (the Python that made the model), "args" of summary(), "columns" (the
            width of the terminal that Keras was told), "to_json" (the model, where it is built)
Names are counted from a cleared session in each case.
"""

import inspect
import json
import os

import numpy as np

import golden

keras = golden.start()
L = keras.layers
members = {}


def case(name, build, columns=80, **args):
    keras.backend.clear_session()
    os.environ["COLUMNS"] = str(columns)  # both the standard library and rich look here first
    os.environ["LINES"] = "24"
    model = build()
    got = []
    model.summary(print_fn=lambda text: got.append(text), **args)
    assert len(got) == 1  # one call with the whole text
    text = got[0]
    (golden.OUT / "summary").mkdir(parents=True, exist_ok=True)
    (golden.OUT / "summary" / f"{name}.txt").write_text(text, encoding="utf-8")
    members[f"{name}/text"] = golden.text(text)
    members[f"{name}/meta"] = golden.text(
        {
            "code": inspect.getsource(build),
            "args": args,
            "columns": columns,
            "to_json": json.loads(model.to_json()) if model.built else None,
        }
    )


def mlp():
    return keras.Sequential(
        [
            keras.Input((784,)),
            L.Dense(128, activation="relu"),
            L.Dropout(0.2),
            L.Dense(10, activation="softmax"),
        ]
    )


def mlp_without_input():
    m = keras.Sequential([L.Dense(16, activation="relu"), L.Dense(3)])
    m.build((None, 8))
    return m


def unbuilt():
    return keras.Sequential([L.Dense(16, activation="relu"), L.Flatten(), L.Dense(3)])


def empty():
    return keras.Sequential()


def input_only():
    return keras.Sequential([keras.Input((4,))])


def fixed_batch():
    return keras.Sequential(
        [keras.Input((12, 7), batch_size=32), L.Dense(5), L.Flatten(), L.Dense(1)], name="fixed"
    )


def functional_chain():
    i = keras.Input((20,))
    x = L.Dense(16, activation="relu")(i)
    return keras.Model(i, L.Dense(4)(x), name="chain")


def residual():
    i = keras.Input((8,), name="features")
    x = L.Dense(16, activation="relu")(i)
    y = L.Dense(16)(x)
    z = L.Add()([x, y])
    z = L.Activation("relu")(z)
    c = L.Concatenate()([z, i])
    return keras.Model(i, L.Dense(2, name="head")(c))


def two_in_two_out():
    a = keras.Input((8,), name="title")
    b = keras.Input((4,), name="tags")
    x = L.Concatenate()([L.Dense(8)(a), b])
    return keras.Model([a, b], [L.Dense(1, name="priority")(x), L.Dense(4, name="department")(x)])


def shared():
    a, b = keras.Input((8,)), keras.Input((8,))
    d = L.Dense(4, name="encoder")
    return keras.Model([a, b], L.Dense(1)(L.Subtract()([d(a), d(b)])))


def nested():
    base = keras.Sequential([keras.Input((8,)), L.Dense(16), L.Dense(4)], name="base")
    inner = keras.Sequential([keras.Input((4,)), L.Dense(5)], name="inner")
    middle = keras.Sequential([keras.Input((4,)), inner, L.Dense(6)], name="middle")
    return keras.Sequential([keras.Input((8,)), base, middle, L.Dense(1)], name="outer")


def nested_functional():
    i = keras.Input((8,))
    x = L.Dense(6)(i)
    block = keras.Model(i, L.Add()([x, L.Dense(6)(x)]), name="block")
    j = keras.Input((8,), name="data")
    y = block(j)
    return keras.Model(j, L.Dense(1)(L.Concatenate()([y, j])), name="whole")


def frozen():
    m = mlp()
    m.layers[0].trainable = False
    return m


def frozen_residual():
    m = residual()
    m.get_layer("dense_1").trainable = False
    return m


def trained():
    m = mlp()
    m.compile("adam", "sparse_categorical_crossentropy")
    m.train_on_batch(np.zeros((2, 784), "float32"), np.zeros((2,), "int64"))
    return m


def compiled_untrained():
    m = mlp()
    m.compile("adam", "sparse_categorical_crossentropy")
    return m


def trained_sgd():
    m = mlp()
    m.compile("sgd", "sparse_categorical_crossentropy")
    m.train_on_batch(np.zeros((2, 784), "float32"), np.zeros((2,), "int64"))
    return m


def trained_momentum():
    m = mlp()
    m.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    m.train_on_batch(np.zeros((2, 784), "float32"), np.zeros((2,), "int64"))
    return m


def trained_rmsprop_frozen():
    m = frozen()
    m.compile("rmsprop", "sparse_categorical_crossentropy")
    m.train_on_batch(np.zeros((2, 784), "float32"), np.zeros((2,), "int64"))
    return m


def long_names():
    i = keras.Input((8,), name="the_input_with_a_name_that_is_long_enough_to_wrap")
    x = L.Dense(16, name="a_dense_layer_whose_name_does_not_fit_into_its_column_at_all")(i)
    y = L.Dense(16, name="short")(i)
    z = L.Concatenate(name="joined_here")([x, y, i])
    return keras.Model(i, L.Dense(1)(z), name="a_model_with_a_name_" + "x" * 80)


def long_names_sequential():
    return keras.Sequential(
        [
            keras.Input((8, 1000, 2000, 30, 4000, 5)),
            L.Dense(16, name="a_dense_layer_whose_name_does_not_fit_into_its_column_at_all"),
            L.Dense(16, name="thirty_three_columns_is_the_cell_"),
            L.ReLU(name="two words"),
        ]
    )


def large():
    return keras.Sequential([keras.Input((30000,)), L.Dense(10000), L.Dense(1)], name="large")


def unknown_dims():
    return keras.Sequential([keras.Input((None, None, 4)), L.Dense(8), L.Dense(2)])


def several_outputs():
    i = keras.Input((5, 3))
    y, h, c = L.LSTM(4, return_state=True)(i)
    return keras.Model(i, L.Add()([y, h, c]))


def operations():
    i = keras.Input((6,))
    x = keras.ops.tanh(i * 2.0) + L.Dense(6)(i)
    return keras.Model(i, keras.ops.mean(x, axis=-1))


def bracket_names():
    return keras.Sequential([keras.Input((4,)), L.Dense(2, name="[bold]x[0]")], name="m[0]")


def batch_norm():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            L.Conv2D(8, 3, activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )


case("mlp", mlp)
case("mlp_without_input", mlp_without_input)
case("unbuilt", unbuilt)
case("empty", empty)
case("input_only", input_only)
case("fixed_batch", fixed_batch)
case("functional_chain", functional_chain)
case("residual", residual)
case("two_in_two_out", two_in_two_out)
case("shared", shared)
case("nested", nested)
case("nested_expanded", nested, expand_nested=True)
case("nested_expanded_trainable", nested, expand_nested=True, show_trainable=True)
case("nested_functional", nested_functional)
case("nested_functional_expanded", nested_functional, expand_nested=True)
case("show_trainable", mlp, show_trainable=True)
case("frozen", frozen, show_trainable=True)
case("frozen_residual", frozen_residual, show_trainable=True)
case("line_60", mlp, line_length=60)
case("line_80", mlp, line_length=80)
case("line_120_cut", mlp, line_length=120)
case("line_120", mlp, line_length=120, columns=200)
case("line_60_residual", residual, line_length=60)
case("line_120_residual", residual, line_length=120, columns=200)
case("line_40_residual", residual, line_length=40)
case("columns_100", mlp, columns=100)
case("columns_200", mlp, columns=200)
case("columns_100_residual", residual, columns=100)
case("columns_200_residual", residual, columns=200)
case("columns_200_trainable", frozen_residual, columns=200, show_trainable=True)
case("columns_60", mlp, columns=60)
case("columns_60_residual", residual, columns=60)
case("positions", mlp, positions=[0.3, 0.6, 1.0])
case("positions_residual", residual, positions=[0.4, 0.6, 0.7, 1.0])
case("positions_shrink", mlp, positions=[0.6, 1.2, 2.0])
case("positions_short", mlp, positions=[0.3, 0.6, 0.8])
case("positions_absolute", mlp, positions=[0.5, 0.75, 3])
case("layer_range", mlp, layer_range=["dense", "dropout"])
case("layer_range_regex", residual, layer_range=["dense.*", "act.*"])
case("trained", trained)
case("compiled_untrained", compiled_untrained)
case("trained_sgd", trained_sgd)
case("trained_momentum", trained_momentum)
case("trained_rmsprop_frozen", trained_rmsprop_frozen)
case("long_names", long_names)
case("long_names_sequential", long_names_sequential)
case("long_names_wide", long_names, columns=200)
case("large", large)
case("unknown_dims", unknown_dims)
case("several_outputs", several_outputs)
case("operations", operations)
case("bracket_names", bracket_names)
case("batch_norm", batch_norm)

golden.save("summary", members, "the text of model.summary() through print_fn")
