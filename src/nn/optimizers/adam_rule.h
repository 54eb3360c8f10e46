/* Adam's update, which AdamW and Muon use as well, and the parts of it that other rules share. */
#ifndef KT_NN_OPTIMIZERS_ADAM_RULE_H
#define KT_NN_OPTIMIZERS_ADAM_RULE_H

#include "nn/optimizers/rule.h"

typedef struct kt_adam_rule {
    double beta_1, beta_2, epsilon;
    bool amsgrad;
    double rate; ///< the learning rate is multiplied with this
} kt_adam_rule;

/** momentum, velocity and, with amsgrad, velocity_hat. */
int kt_adam_slots(bool amsgrad, kt_opt_slot *out);
kt_status kt_adam_share(const kt_adam_rule *r, kt_opt_step *s);
kt_status kt_adam_step(const kt_adam_rule *r, kt_opt_step *s);

/** old + (new - old) part: a moving average as Adam writes it. */
kt_sym *kt_opt_toward(kt_sym *old, kt_sym *new, double part);
/** 1 - beta, rounded as it is when beta has the weights' dtype first, as some rules of Keras have
 * it. */
double kt_opt_rest(double beta, const kt_sym *like);
/** 1 - beta^t */
kt_sym *kt_opt_correction(double beta, kt_sym *t);

#endif
