/* environment: the settings that people keep in files, put into this process's environment.
 *
 * Read are the .env files of the current directory and of the chosen azd environment
 * (.azure/NAME/.env, NAME from AZURE_ENV_NAME or .azure/config.json). A variable that is set
 * already stays as it is. Only names that we know are taken: a directory that somebody else has
 * filled must not change how this process runs (PATH, LD_PRELOAD, proxies).
 */
#pragma once

#include "base/core/error.h"

/* A missing file is no error. ERROR_INVALID names the file and the line. */
int environment_load(struct error *err);
/* The names that are taken; ends with NULL. */
extern const char *const environment_names[];
