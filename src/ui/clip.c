/* SPDX-License-Identifier: PostgreSQL */
#include "ui/clip.h"

#include "barkeep/arena.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "ui/place.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TMUX_MS 500

static void add_three(struct sbuf *b, const unsigned char *p, size_t n)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

    for (size_t i = 0; i < 4; i++) {
        sbuf_char(b, i > n ? '=' : digits[v >> (18 - 6 * i) & 63]);
    }
}

bool clip_osc52(struct str text, struct sbuf *out)
{
    const unsigned char *p = (const unsigned char *)text.p;

    if ((text.n + 2) / 3 * 4 > CLIP_ENCODED_MAX) {
        return false;
    }
    sbuf_add(out, "\033]52;c;");
    for (size_t at = 0; at < text.n; at += 3) {
        add_three(out, p + at, text.n - at < 3 ? text.n - at : 3);
    }
    sbuf_char(out, '\a');
    return sbuf_ok(out);
}

static bool keep(const char *text, struct err *err)
{
    char path[PATH_CAP];

    return place_state_made(path, "copied", err) && file_replace(path, str_of(text), err);
}

/* These show the sequence instead of obeying it. */
static bool shows_osc(void)
{
    struct str term = str_of(getenv("TERM"));

    return str_starts(term, "linux") || str_starts(term, "vt") || str_starts(term, "dumb");
}

static void to_terminal(struct str sequence)
{
    struct err ignored = {0};
    int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd >= 0) {
        if (!fd_write_all(fd, sequence.p, sequence.n, "/dev/tty", &ignored)) {
            /* the terminal is going away: the loop will notice */
        }
        close(fd);
    }
}

static void to_tmux(const char *text)
{
    static const char *const argv[] = {"tmux", "load-buffer", "-w", "-", NULL};
    struct child_spec spec = {
        .argv = argv,
        .input = str_of(text),
        .deadline_ns = clock_mono_ns() + TMUX_MS * NS_PER_MS,
        .cancel_fd = -1,
    };
    struct child_end end;
    struct err ignored = {0};

    if (!child_run(&spec, &end, &ignored)) {
        /* an old tmux without -w, or none in PATH: OSC 52 was sent all the same */
    }
}

bool clip_send(const char *text, struct err *err)
{
    struct arena a;
    struct sbuf b;
    char *mem;
    bool ok;

    if (!keep(text, err)) {
        return err_wrap(err, "keep what was copied");
    }
    arena_init(&a, 0);
    mem = arena_alloc(&a, CLIP_ENCODED_MAX + 16);
    if (!mem) {
        return arena_err(&a, err);
    }
    sbuf_init(&b, mem, CLIP_ENCODED_MAX + 16);
    ok = clip_osc52(str_of(text), &b);
    if (ok && !shows_osc()) {
        to_terminal(str_n(b.p, b.len));
    }
    if (getenv("TMUX")) {
        to_tmux(text);
    }
    arena_release(&a);
    return ok || err_set(err, ERR_FORMAT, "It is in ~/.local/state/barkeep/copied.", "",
                         "the text is too long for the clipboard");
}
