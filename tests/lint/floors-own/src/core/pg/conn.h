enum conn { CONN_NONE };
