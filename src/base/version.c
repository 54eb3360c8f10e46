/* The version of the library that runs, which may differ from the header that a program was built
 * with. */
#include <keratin/base.h>

const char *kt_version(void) { return KT_VERSION; }
