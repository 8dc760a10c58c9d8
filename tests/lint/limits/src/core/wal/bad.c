int bad_length(int n);
int bad_complexity(int n);

int bad_length(int n)
{
    n += 0;
    n += 1;
    n += 2;
    n += 3;
    n += 4;
    n += 5;
    n += 6;
    n += 7;
    n += 8;
    n += 9;
    n += 10;
    n += 11;
    n += 12;
    n += 13;
    n += 14;
    n += 15;
    n += 16;
    n += 17;
    n += 18;
    n += 19;
    n += 20;
    n += 21;
    n += 22;
    n += 23;
    n += 24;
    n += 25;
    n += 26;
    n += 27;
    n += 28;
    n += 29;
    n += 30;
    n += 31;
    n += 32;
    n += 33;
    n += 34;
    n += 35;
    n += 36;
    n += 37;
    n += 38;
    n += 39;
    n += 40;
    n += 41;
    n += 42;
    n += 43;
    n += 44;
    n += 45;
    n += 46;
    n += 47;
    n += 48;
    n += 49;
    n += 50;
    n += 51;
    n += 52;
    n += 53;
    n += 54;
    n += 55;
    n += 56;
    n += 57;
    n += 58;
    n += 59;
    return n;
}

int bad_complexity(int n)
{
    if (n == 0) {
        return 0;
    }
    if (n == 1) {
        return 1;
    }
    if (n == 2) {
        return 2;
    }
    if (n == 3) {
        return 3;
    }
    if (n == 4) {
        return 4;
    }
    if (n == 5) {
        return 5;
    }
    if (n == 6) {
        return 6;
    }
    if (n == 7) {
        return 7;
    }
    if (n == 8) {
        return 8;
    }
    if (n == 9) {
        return 9;
    }
    if (n == 10) {
        return 10;
    }
    if (n == 11) {
        return 11;
    }
    if (n == 12) {
        return 12;
    }
    if (n == 13) {
        return 13;
    }
    if (n == 14) {
        return 14;
    }
    return n;
}
