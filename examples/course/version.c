/* Course, unit "Setting up Keras" (4.2): which version is this? */
#include <keratin/keratin.h>
#include <stdio.h>

int main(void) {
    // import keras
    // print(keras.__version__)
    printf("%s\n", kt_version());
    return 0;
}
