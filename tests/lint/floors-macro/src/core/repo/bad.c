/* No include line that a search would find names the other floor. */
#define HEADER "../pg/conn.h"
#include HEADER

int bad_include(void)
{
    return CONN_NONE;
}
