/* Several threads for the parts of one piece of work. */
#ifndef EDGE_REC_POOL_H
#define EDGE_REC_POOL_H

/* Call run(context, part) for every part of 0 .. parts - 1 and return when all are done; the caller takes part 0. */
void pool_run(void (*run)(void *context, int part), void *context, int parts);

#endif
