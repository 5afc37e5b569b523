/* tape_files: sandpool tape check and show: tapes and scripts as files. */
#pragma once

int tape_check_run(int argc, char **argv);
int tape_show_run(int argc, char **argv);
