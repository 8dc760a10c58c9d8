long time(long *out);

long bad_symbol(void)
{
    return time(0);
}
