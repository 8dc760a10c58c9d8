#include "../pg/conn.h"

int bad_include(void)
{
    return CONN_NONE;
}
