/* SPDX-License-Identifier: PostgreSQL */
/* What a person types as a target: never out of bounds, and what is read can be read again. */
#include "ui/prompt.h"
#include "ui/wizard.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const server[] = {"orders-db1"};
    static struct ui ui;
    struct goal goal = {.kind = GOAL_LATEST};
    char text[PROMPT_CAP], told[200];

    if (!ui.model.servers) {
        setenv("TZ", "Europe/Berlin", 1);
        if (!ui_init(&ui, server, 1)) {
            abort();
        }
        model_now(&ui.model, INT64_C(1787361165000000), INT64_C(1000000000000));
    }
    size = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    ui.wizard.offers = 0;
    switch (goal_read(&ui, text, &goal, told)) {
    case GOAL_READ:
        if (goal.kind == GOAL_TIME &&
            (goal_us(&goal) == 0 || goal_us(&goal) > ui.model.now_us) && goal_us(&goal) != 0) {
            abort(); /* a time that is still to come */
        }
        break;
    case GOAL_READINGS:
        if (ui.wizard.offers == 0 || ui.wizard.offers > WIZARD_OFFERS) {
            abort();
        }
        break;
    case GOAL_WRONG:
        if (!told[0]) {
            abort();
        }
        break;
    }
    return 0;
}
