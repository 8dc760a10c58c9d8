/* SPDX-License-Identifier: PostgreSQL */
/* What news and orders own: both ends of the road free it, so it is below both of them. */
#include "barkeep/ask.h"
#include "barkeep/jobs.h"
#include "barkeep/road.h"
#include "barkeep/snapshot.h"

#include <stdlib.h>

const char *news_line(const struct news *news)
{
    return news->said.whole ? news->said.whole : news->said.line;
}

void news_release(struct news *news)
{
    switch (news->kind) {
    case NEWS_JOB_BEGAN:
    case NEWS_PROGRESS:
        break;
    case NEWS_JOB_ENDED:
        free(news->err);
        news->err = NULL;
        break;
    case NEWS_SAID:
        free(news->said.whole);
        news->said.whole = NULL;
        break;
    case NEWS_SNAPSHOT:
        snapshot_free(news->snapshot);
        news->snapshot = NULL;
        break;
    case NEWS_JOBS:
        job_table_free(news->jobs);
        news->jobs = NULL;
        break;
    case NEWS_STARTED:
        free(news->started.err);
        news->started.err = NULL;
        break;
    case NEWS_ANSWER:
        answer_free(news->answer);
        news->answer = NULL;
        break;
    }
}
