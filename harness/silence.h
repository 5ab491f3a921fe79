/* Standard streams of a child that is to be neither heard nor fed. */
#ifndef HARNESS_SILENCE_H
#define HARNESS_SILENCE_H

/* Between fork and exec: nothing to read, output dropped, errors into `errors` (-1: dropped too).
 */
void silence(int errors);

#endif
