/* library: directories of policies, ours first. A policy is NAME.json in one of them. */
#pragma once

#include "sandboxd/policy/policy.h"

enum {
    LIBRARY_DIRECTORIES_MAX = 4,
    LIBRARY_NAMES_MAX = 64,   /* policies of all directories */
    LIBRARY_EXTENDS_MAX = 8,  /* how many policies may extend each other in a row */
    LIBRARY_SESSIONS_MAX = 8, /* policies for sessions that a daemon may have */
};

struct library {
    struct {
        int fd;     /* borrowed */
        char *path; /* for messages */
    } directories[LIBRARY_DIRECTORIES_MAX];
    size_t count;
};

/* path may be NULL: then the kernel is asked for it. A device adds nothing: launch gives
 * /dev/null where the user has no policies. */
int library_add(struct library *library, int fd, const char *path, struct error *err);
void library_clear(struct library *library);
/* ERROR_INVALID when two directories have a policy of the same name. */
int library_refuse_twins(const struct library *library, struct error *err);
#define AUTO_LIBRARY __attribute__((cleanup(library_clear)))

/* Names without ".json", in the order of the alphabet; free them with library_free_names. */
struct library_names {
    char *names[LIBRARY_NAMES_MAX];
    size_t count;
};
int library_list(const struct library *library, struct library_names *ret_names, struct error *err);
void library_free_names(struct library_names *names);
#define AUTO_LIBRARY_NAMES __attribute__((cleanup(library_free_names)))

/* ERROR_MISSING names those that are there. */
int library_load(const struct library *library, const char *name, struct policy *ret_policy,
                 struct error *err);
/* A file that need not be in one of the directories; label is its path for messages. Its name must
 * be that of the policy. */
int library_load_file(const struct library *library, int fd, const char *label,
                      struct policy *ret_policy, struct error *err);

/* The schema lies beside the policies and is none. */
bool library_is_schema(const char *file);

/* Every policy for sessions, `first` in front. */
struct library_sessions {
    struct policy policies[LIBRARY_SESSIONS_MAX];
    size_t count;
};
int library_load_sessions(const struct library *library, const char *first,
                          struct library_sessions *ret_sessions, struct error *err);
void library_clear_sessions(struct library_sessions *sessions);
