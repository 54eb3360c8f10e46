/* What the library prints, and files that say what it should print. */
#ifndef KT_TESTING_CAPTURE_H
#define KT_TESTING_CAPTURE_H

/** Output goes into memory until kt_capture_end(); its text lives until the next capture. */
void kt_capture_begin(void);
const char *kt_capture_end(void);
/** The text equals that of a file, byte for byte; fails with the first line that differs. */
void kt_check_golden_text(const char *text, const char *path);

#endif
