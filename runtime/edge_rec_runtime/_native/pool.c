/* Parts of a search on threads: as many as there are parts, each started for it and joined.
 *
 * A thread that cannot be started is no error: its part is run by the caller.
 */
#include "pool.h"

#include <pthread.h>

enum { MOST_THREADS = 64 };

struct job {
    void (*run)(void *context, int part);
    void *context;
    int part;
};

static void *run_job(void *argument)
{
    const struct job *job = argument;
    job->run(job->context, job->part);
    return 0;
}

void pool_run(void (*run)(void *context, int part), void *context, int parts)
{
    pthread_t threads[MOST_THREADS];
    struct job jobs[MOST_THREADS];
    int started = 0;
    for (int part = 1; part < parts && started < MOST_THREADS; part++) {
        jobs[started] = (struct job){run, context, part};
        if (pthread_create(&threads[started], 0, run_job, &jobs[started]) != 0)
            break;
        started++;
    }
    run(context, 0);
    for (int part = 1 + started; part < parts; part++)
        run(context, part);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], 0);
}
