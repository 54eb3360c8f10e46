/* Keratin: the Keras API for C. Everything but sys/ and short.h. */
#ifndef KERATIN_KERATIN_H
#define KERATIN_KERATIN_H

#include <keratin/activations.h>
#include <keratin/base.h>
#include <keratin/callbacks.h>
#include <keratin/constraints.h>
#include <keratin/data.h>
#include <keratin/error.h>
#include <keratin/files.h>
#include <keratin/initializers.h>
#include <keratin/layers.h>
#include <keratin/losses.h>
#include <keratin/metrics.h>
#include <keratin/model.h>
#include <keratin/ops.h>
#include <keratin/ops_activations.h>
#include <keratin/ops_constants.h>
#include <keratin/ops_creation.h>
#include <keratin/ops_elementwise.h>
#include <keratin/ops_images.h>
#include <keratin/ops_linalg.h>
#include <keratin/ops_moves.h>
#include <keratin/ops_norms.h>
#include <keratin/ops_order.h>
#include <keratin/ops_parts.h>
#include <keratin/ops_products.h>
#include <keratin/ops_reductions.h>
#include <keratin/ops_windows.h>
#include <keratin/optimizers.h>
#include <keratin/plot.h>
#include <keratin/quantizers.h>
#include <keratin/regularizers.h>
#include <keratin/runtime.h>
#include <keratin/saving.h>
#include <keratin/schedules.h>
#include <keratin/sequences.h>
#include <keratin/tensor.h>
#include <keratin/utils.h>

#endif
