/* Data sets. Files come from $KERAS_HOME/datasets (default ~/.keras/datasets) or from packages of
 * the operating system; nothing is downloaded. */
#ifndef KERATIN_DATA_H
#define KERATIN_DATA_H

#include <keratin/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** (x_train, y_train), (x_test, y_test): what Keras' load_data() returns. The arrays float: adopt,
 * free or let kt_clear_session() free them. */
typedef struct kt_splits {
    kt_tensor *x_train, *y_train, *x_test, *y_test;
} kt_splits;

/** MNIST digits: uint8 (60000, 28, 28), labels uint8 (60000,), 10000 for test.
 * Keras: keras.datasets.mnist.load_data.  Reads mnist.npz. On failure all four are failed objects.
 *
 *     kt_splits d = {0};
 *     if (kt_data_mnist(&d)) fputs(kt_error_message(), stderr);
 */
KT_API kt_status kt_data_mnist(kt_splits *splits);

/** Fashion-MNIST: clothing, same shapes as MNIST. Keras: keras.datasets.fashion_mnist.load_data.
 * Reads $KERAS_HOME/datasets/fashion-mnist/ (*.gz), else the files of Debian's package
 * dataset-fashion-mnist. */
KT_API kt_status kt_data_fashion_mnist(kt_splits *splits);

#ifdef __cplusplus
}
#endif
#endif
