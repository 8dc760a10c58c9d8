int bad_format(void);

int bad_format(void) { return 1 ; }
