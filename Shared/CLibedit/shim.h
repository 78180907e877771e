#pragma once
#include <stdio.h>
#include <editline/readline.h>

// The library's settings are variables, which Swift does not touch.

static inline void libedit_prepare(const char *name, rl_completion_func_t *complete, int (*get)(FILE *)) {
  rl_readline_name = name;
  rl_attempted_completion_function = complete;
  rl_catch_signals = 0;
  rl_getc_function = get;
  rl_initialize();
}

static inline void libedit_end_completion(int append) {
  rl_attempted_completion_over = 1;
  rl_completion_append_character = append;
}

static inline const char *libedit_line(void) { return rl_line_buffer; }
