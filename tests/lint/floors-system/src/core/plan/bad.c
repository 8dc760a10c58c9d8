#include <fcntl.h>

int bad_include(void)
{
    return O_RDONLY;
}
