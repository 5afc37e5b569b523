/* react: tool calls as text, for models without any of their own (Yao et al., "ReAct"; the prompt
 * and the grammar are LangChain's create_react_agent's).
 *
 *     Thought: ...
 *     Action: run_python
 *     Action Input: print(1)
 *     Observation: 1
 *     Thought: ...
 *     Final Answer: ...
 *
 * Where LangChain stumbles, we do not: of an action and a final answer in one text the first
 * counts, since the second is made up; the text is cut at "\nObservation" here too. Fuzzed.
 */
#pragma once

#include "agent/llm/assembly.h"

/* What a model must not write itself. */
#define REACT_STOP "\nObservation"
/* The tool that a text without form is said to have called, as in LangChain. Its call always has a
 * problem. */
#define REACT_EXCEPTION "_Exception"

/* A prompt with the slots {tools} {tool_names} {input} {agent_scratchpad} {file_path}; braces that
 * are none are doubled, as Python's format has it. */
struct react_template {
    char *text;
};
/* text: NULL for LangChain's own. ERROR_INVALID: an unknown slot, or a needed one is missing. */
int react_template_read(const char *text, struct react_template *ret_template, struct error *err);
void react_template_clear(struct react_template *template);

/* The conversation as such a model gets it: the system's text, earlier questions and answers, then
 * the prompt with the last question and what has been done for it. */
struct react_messages {
    struct llm_message *items;
    size_t count;
};
int react_messages_build(const struct react_template *template, const struct llm_request *request,
                         const struct tool_shapes *shapes, struct react_messages *ret_messages,
                         struct error *err);
void react_messages_clear(struct react_messages *messages);

/* ---- the answer ---- */

enum react_state { REACT_THINKING, REACT_ACTION, REACT_INPUT, REACT_ANSWER };

/* Embedded. */
struct react_parser {
    const struct tool_shapes *shapes; /* borrowed */
    bool answer_only;                 /* text without any form is the answer */
    bool is_cut;                      /* the model went on for the tool: the rest is dropped */
    struct buf raw;
    enum react_state state;
    size_t scanned; /* before it no mark begins */
    size_t ink_end; /* of what has been scanned: behind it are blanks */
    size_t told;    /* before it all has been told that is to be told */
    bool has_told;  /* of this state: blanks in front are not told */
    size_t action_start, action_end, input_start;
};
void react_parser_begin(struct react_parser *parser, const struct tool_shapes *shapes,
                        bool answer_only);
void react_parser_clear(struct react_parser *parser);
/* To be put into the assembly. */
struct assembly_filter react_parser_filter(struct react_parser *parser);

/* The text has an action with its input. */
bool react_has_action(const char *text);
