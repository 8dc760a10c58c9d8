/* Declared by hand, so that no include tells. */
int pthread_yield_now(void);

int bad_symbol(void)
{
    return pthread_yield_now();
}
