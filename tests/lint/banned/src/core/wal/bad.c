#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The word strcpy( in a comment is no call, and "sprintf(" in a string is none. */
static const char text[] = "sprintf(";

void bad_copy(char *to)
{
    strcpy(to, text);
}

long bad_number(const char *from)
{
    return strtol(from, NULL, 10);
}

void *bad_memory(void)
{
    return malloc(10);
}

void *good_memory_new(void)
{
    return malloc(10);
}

void bad_print(volatile int n)
{
    printf("%d\n", n); // n
}
