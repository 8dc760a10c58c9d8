/* SPDX-License-Identifier: PostgreSQL */
/* pq.h - libpq, loaded when the first server is asked.
 *
 * libpq brings some twenty libraries with it; a program that only lists backups should not pay
 * for them. So nothing is linked: pq_load() opens libpq.so.5 (base/lib.h) and fills `pq`, a
 * table of the functions we use, each with the type its own header gives it.
 *
 * Use      only inside core/pg, and only after pg_open() of conn.h succeeded (it calls
 *          pq_load()): pq.getCopyData(conn, ...) is PQgetCopyData(conn, ...).
 * Threads  pq_load() the first time before there are two threads that use libpq (pg_load() of
 *          conn.h); afterwards the table is only read.
 * Source   libpq-fe.h of PostgreSQL 13 and newer; every name is in libpq 13.
 */
#ifndef PG_PQ_H
#define PG_PQ_H

#include "base/lib.h"

#include <libpq-fe.h>

#define PQ_LIST(X)                                                                             \
    X(clear, PQclear)                                                                          \
    X(cmdStatus, PQcmdStatus)                                                                  \
    X(conninfo, PQconninfo)                                                                    \
    X(conninfoFree, PQconninfoFree)                                                            \
    X(conninfoParse, PQconninfoParse)                                                          \
    X(connectPoll, PQconnectPoll)                                                              \
    X(connectStartParams, PQconnectStartParams)                                                \
    X(consumeInput, PQconsumeInput)                                                            \
    X(errorMessage, PQerrorMessage)                                                            \
    X(escapeIdentifier, PQescapeIdentifier)                                                    \
    X(escapeLiteral, PQescapeLiteral)                                                          \
    X(finish, PQfinish)                                                                        \
    X(flush, PQflush)                                                                          \
    X(freemem, PQfreemem)                                                                      \
    X(getCopyData, PQgetCopyData)                                                              \
    X(getResult, PQgetResult)                                                                  \
    X(getisnull, PQgetisnull)                                                                  \
    X(getlength, PQgetlength)                                                                  \
    X(getvalue, PQgetvalue)                                                                    \
    X(isBusy, PQisBusy)                                                                        \
    X(nfields, PQnfields)                                                                      \
    X(ntuples, PQntuples)                                                                      \
    X(parameterStatus, PQparameterStatus)                                                      \
    X(putCopyData, PQputCopyData)                                                              \
    X(putCopyEnd, PQputCopyEnd)                                                                \
    X(resultErrorField, PQresultErrorField)                                                    \
    X(resultErrorMessage, PQresultErrorMessage)                                                \
    X(resultStatus, PQresultStatus)                                                            \
    X(sendQuery, PQsendQuery)                                                                  \
    X(sendQueryParams, PQsendQueryParams)                                                      \
    X(serverVersion, PQserverVersion)                                                          \
    X(setNoticeReceiver, PQsetNoticeReceiver)                                                  \
    X(setnonblocking, PQsetnonblocking)                                                        \
    X(socket, PQsocket)                                                                        \
    X(status, PQstatus)

struct pq_api {
    PQ_LIST(LIB_MEMBER)
};

extern struct pq_api pq;

/* Once is enough; a second call costs nothing. ERR_CONNECT with the package to install. */
MUST_CHECK bool pq_load(struct err *err);

#endif
