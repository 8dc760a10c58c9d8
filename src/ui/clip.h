/* SPDX-License-Identifier: PostgreSQL */
/* clip.h - a text for the clipboard of whoever sits at the terminal.
 *
 * By OSC 52 to /dev/tty, which goes through SSH; inside tmux by `tmux load-buffer -w -`, too;
 * and into ~/.local/state/barkeep/copied (0600) for terminals that ignore both. Nobody can know
 * whether it arrived.
 */
#ifndef UI_CLIP_H
#define UI_CLIP_H

#include "barkeep/err.h"
#include "barkeep/str.h"

#define CLIP_ENCODED_MAX 74994 /* what terminals are known to take */

/* ERR_IO: not even the file could be written; ERR_FORMAT: too long for OSC 52, the file has it. */
MUST_CHECK bool clip_send(const char *text, struct err *err);

/* "ESC ] 52 ; c ; BASE64 BEL" into out; false: longer than CLIP_ENCODED_MAX, or than out. */
bool clip_osc52(struct str text, struct sbuf *out);

#endif
