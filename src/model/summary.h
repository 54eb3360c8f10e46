/* summary() before it is printed. */
#ifndef KT_MODEL_SUMMARY_H
#define KT_MODEL_SUMMARY_H

#include "model/table.h"

#include <keratin/model.h>

/** Appends the text of the summary; `screen` is the width that lines are cut at. */
kt_status kt_model_summary_text(
    kt_str *out, const kt_summary_args *args, int screen, kt_colors colors);

#endif
